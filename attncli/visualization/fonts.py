"""Which fonts have the letters of a text: names of classes may be in any script.

All fonts are looked through only once a text has a letter that `FAMILY` lacks, which takes a while.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache

from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager, get_font
from matplotlib.ft2font import FT2Font

from attncli.reporting import Reporter

FAMILY = "DejaVu Sans"
"""Font of whatever it has letters for; matplotlib brings it along."""
UNFIT = re.compile(r"\.?Last ?Resort.*|Adobe Blank.*|STIXNonUnicode|cm[a-z]+10")
"""Fonts that draw something else than the letter: a placeholder, nothing, or mathematics."""
TRUETYPE = (1, 0)
"""Version of a font's table of sizes, which is another one where letters are PostScript's."""
MOST_NAMED = 8
"""Letters that a warning names."""

# Few fonts of other scripts come in bold; that another weight stands in is nothing to worry about.
logging.getLogger("matplotlib.font_manager").addFilter(
    lambda record: "Failed to find font weight" not in str(record.msg)
)


def legible(text: str, *, bold: bool = False) -> str:
    r"""Return `text` with an escape, as in Python, for each letter that no font has.

    So names are told apart still, and can be looked up.

    >>> legible("up\ndown")
    'up\\ndown'
    """
    return "".join(
        letter if _family(letter, bold) else letter.encode("unicode_escape").decode()
        for letter in text
    )


def families(text: str, *, bold: bool = False) -> list[str]:
    """Return the families of the fonts that have the letters of a legible text, `FAMILY` first."""
    found = {_family(letter, bold) for letter in text} - {None, FAMILY}
    return [FAMILY, *(family for family in _installed() if family in found)] if found else [FAMILY]


def is_truetype(family: str) -> bool:
    """Return whether the letters of a family are TrueType, which alone a PDF can hold as such."""
    face = _face(family, bold=False)
    table = None if face is None else face.get_sfnt_table("maxp")
    return table is not None and table["version"] == TRUETYPE


def warn_of_missing_letters(texts: Iterable[str], reporter: Reporter) -> None:
    """Name the letters of texts that no installed font has, if any."""
    letters = sorted({letter for letter in "".join(texts) if _is_missing(letter)})
    if not letters:
        return
    named = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in letters[:MOST_NAMED])
    more = f" and {len(letters) - MOST_NAMED} more letters" if len(letters) > MOST_NAMED else ""
    reporter.warn(
        f"no installed font has {named}{more}; drawn as {legible(letters[0])} and the like; "
        "install one that has, such as a Noto font (on Debian and Ubuntu: fonts-noto-cjk for "
        "Chinese, Japanese and Korean, else fonts-noto-core)"
    )


def _is_missing(letter: str) -> bool:
    """Return whether a font with the letter would help."""
    return _is_written(letter) and not all(_family(letter, bold) for bold in (False, True))


def _is_written(letter: str) -> bool:
    """Return whether the letter is one, and no control character, half of one or unassigned."""
    return not unicodedata.category(letter).startswith("C")


@cache
def _family(letter: str, bold: bool) -> str | None:
    """Return the first family with the letter; None where no installed font has it."""
    if _has(FAMILY, letter, bold):
        return FAMILY
    if not _is_written(letter):
        return None
    return next((family for family in _installed() if _has(family, letter, bold)), None)


def _has(family: str, letter: str, bold: bool) -> bool:
    face = _face(family, bold)
    return face is not None and face.get_char_index(ord(letter)) != 0


@cache
def _installed() -> tuple[str, ...]:
    """Return all families, those with most glyphs first: a text should need few of them.

    Of those in one file, which differ in what a country writes like, the file's first is first.
    """
    known = {entry.fname for entry in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in known:  # matplotlib keeps a list, and overlooks what came after it
            _add(path)
    fit = [entry for entry in fontManager.ttflist if not UNFIT.fullmatch(entry.name)]
    places = {entry.name: getattr(entry, "index", 0) for entry in fit}  # matplotlib 3.11 and later
    faces = {name: _face(name, bold=False) for name in places}
    ranks = {
        name: (-face.num_glyphs, places[name], name)
        for name, face in faces.items()
        if face is not None
    }
    return tuple(sorted(ranks, key=ranks.__getitem__))


def _add(path: str) -> None:
    """Make matplotlib know a font, unless it is of a kind that matplotlib cannot draw."""
    with suppress(OSError, RuntimeError, ValueError):
        fontManager.addfont(path)


def _face(family: str, bold: bool) -> FT2Font | None:
    """Return the font that matplotlib takes for a family; None where it is gone or unreadable."""
    wanted = FontProperties(family=family, weight="bold" if bold else "normal")
    with suppress(OSError, RuntimeError, ValueError):
        return get_font(fontManager.findfont(wanted, fallback_to_default=False))
    return None
