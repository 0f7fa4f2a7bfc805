"""Text that fits where it is put."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import chain, count
from string import ascii_lowercase
from typing import Any

import matplotlib
import matplotlib.text
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from attncli.config.visualize import FONT_PT
from attncli.visualization.fonts import families, is_truetype, legible

SIZE_PT = FONT_PT
"""Size of all text in a figure unless another is asked for: readable in print, and small enough for
a label of three lines."""
LINE_IN = 1.25 * SIZE_PT / 72
"""Distance between two lines of text, in inches."""
GREY = "0.35"
"""Colour of what matters less."""
TRUETYPE, TYPE_3 = 42, 3
"""How matplotlib calls the kinds of fonts in a PDF."""
_scale: ContextVar[float] = ContextVar("size of text over its usual size", default=1.0)


@dataclass(frozen=True)
class Text:
    """What is written at one place: a label, a title, a caption."""

    words: str
    """Taken as it is: dollar signs set no mathematics. What no font has is escaped."""
    lines: int = 1
    """Lines that it takes at most; what does not fit is cut off."""
    color: str = "black"
    """Colour as matplotlib calls it."""
    bold: bool = False
    """Whether its letters are bold."""
    grows: bool = False
    """Whether it takes more lines beside a picture that is higher than it."""
    keeps_end: bool = False
    """Whether what does not fit is left out in its middle: ids differ at their ends."""

    @property
    def width_in(self) -> float:
        """How wide it is in one line, in inches."""
        return text_width_in(self.words, bold=self.bold)

    def fit(self, width_in: float, *, lines: int | None = None) -> "list[Text]":
        """Return its lines, none wider than `width_in`, and no more than `lines` if given."""
        most = self.lines if lines is None else lines
        fitted = fit_lines(
            self.words, width_in, max_lines=most, bold=self.bold, keeps_end=self.keeps_end
        )
        return [replace(self, words=line) for line in fitted]


NO_TEXT = Text("")


@contextmanager
def text_of(size_pt: float) -> Iterator[None]:
    """Draw figures with text of another size than `SIZE_PT`.

    All that is laid out within is measured in inches of a page on which text has its usual size;
    the page itself is larger or smaller than that by `text_scale()`.
    """
    token = _scale.set(size_pt / SIZE_PT)
    try:
        yield
    finally:
        _scale.reset(token)


def text_scale() -> float:
    """Return the size of text over its usual size."""
    return _scale.get()


def fit_first(wordings: Sequence[str], width_in: float, *, color: str = "black") -> Text:
    """Return the first wording that is no wider than `width_in`; the last one, cut, if none is."""
    fitting = (text for text in wordings if text_width_in(text) <= width_in)
    words = next(fitting, None)  # which may be no word at all
    return Text(fit_lines(wordings[-1], width_in)[0] if words is None else words, color=color)


def typesetting(figure: Figure | None = None) -> AbstractContextManager[None]:
    """Return the settings of matplotlib under which figures are drawn.

    Text is as wide as `text_width_in` says at any resolution, and stays text in a PDF: TrueType
    unless `figure` has letters from fonts of another kind. Matplotlib would write these so that not
    all programs read them.
    """
    texts = [] if figure is None else figure.findobj(matplotlib.text.Text)
    used = {family for text in texts for family in text.get_fontfamily()}
    kind = TRUETYPE if all(map(is_truetype, used)) else TYPE_3
    return matplotlib.rc_context({"pdf.fonttype": kind, "text.hinting": "none"})


def text_width_in(text: str, *, bold: bool = False) -> float:
    """Return how wide `text` is when set in one line, in inches."""
    shown = legible(text, bold=bold)
    look: dict[str, Any] = {"size": SIZE_PT, "weight": "bold" if bold else "normal"}
    font = FontProperties(family=families(shown, bold=bold), **look)
    width_pt, _, _ = text_to_path.get_text_width_height_descent(shown, font, False)
    return float(width_pt) / 72


def lettered(names: Iterable[str]) -> list[str]:
    """Return each name with the letter by which a caption refers to it.

    >>> lettered(["input", "abn"])
    ['(a) input', '(b) abn']
    """
    letters = chain(ascii_lowercase, count(len(ascii_lowercase) + 1))
    return [f"({letter}) {name}" for letter, name in zip(letters, names, strict=False)]


def fit_lines(
    text: str,
    width_in: float,
    *,
    max_lines: int = 1,
    bold: bool = False,
    keeps_end: bool = False,
) -> list[str]:
    """Return `text` broken into at most `max_lines` lines no wider than `width_in`.

    Lines break at spaces and after underscores, and elsewhere only within what is too wide by
    itself. What does not fit is cut off, or left out before the end where that is kept, and an
    ellipsis says so. What no font has is escaped.
    """
    lines: list[str] = []
    rest = legible(text.strip(), bold=bold)
    while rest and len(lines) < max_lines:
        if len(lines) == max_lines - 1:
            shorten = _cut_middle if keeps_end else _cut_off
            return [*lines, shorten(rest, width_in, bold)]
        line = _head(rest, width_in, bold)
        if len(line) < len(rest) and rest[len(line)] != " ":
            line = line[: max(line.rfind(" "), line.rfind("_") + 1)] or line
        lines.append(line)
        rest = rest[len(line) :].lstrip()
    return lines


def _head(text: str, width_in: float, bold: bool) -> str:
    """Return the longest start of `text` that is no wider than `width_in`, one letter at least."""
    fits, too_long = 1, len(text) + 1
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width_in(text[:middle], bold=bold) <= width_in:
            fits = middle
        else:
            too_long = middle
    return text[:fits]


def _cut_off(text: str, width_in: float, bold: bool) -> str:
    """Return `text` if it fits, else its start and an ellipsis."""
    if text_width_in(text, bold=bold) <= width_in:
        return text
    return _head(text, width_in - text_width_in("…", bold=bold), bold).rstrip() + "…"


def _cut_middle(text: str, width_in: float, bold: bool) -> str:
    """Return `text` if it fits, else its start and its end with an ellipsis between them."""
    kept = len(text)
    shown = text
    while kept > 1 and text_width_in(shown, bold=bold) > width_in:
        kept -= 1
        shown = f"{text[: kept - kept // 2].rstrip()}…{text[len(text) - kept // 2 :].lstrip()}"
    return shown
