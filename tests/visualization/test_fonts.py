import logging
import re
import warnings
from fractions import Fraction
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import fontManager

from attncli.config.visualize import VisualizeConfig
from attncli.files.attention import AttentionWriter, ClipRecord
from attncli.reporting import Silent
from attncli.visualization import fonts
from attncli.visualization.animation import Film, animate
from attncli.visualization.clips import HeatStyle
from attncli.visualization.confusion import draw_confusion
from attncli.visualization.fonts import families, legible, warn_of_missing_letters
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.lettering import (
    SIZE_PT,
    Text,
    fit_lines,
    text_width_in,
    typesetting,
)
from attncli.visualization.saving import save_figure
from attncli.workflows.visualize import classes

JUMP, WALK = "\u8df3", "\u8d70"
CACHES = (fonts._installed, fonts._family)


class Warned(Silent):
    """Keeps the warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Return the fonts that are installed: none but those that matplotlib brings along."""
    found = []
    own = Path(matplotlib.get_data_path())
    entries = [entry for entry in fontManager.ttflist if Path(entry.fname).is_relative_to(own)]
    monkeypatch.setattr(fontManager, "ttflist", entries)
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: found)
    for cache in CACHES:
        cache.cache_clear()
    yield found
    for cache in CACHES:
        cache.cache_clear()


@pytest.fixture
def install(installed, tmp_path):
    """Return what installs a font whose letters are squares, twice as wide as text is high."""

    def install(name, letters, **kind):
        path = tmp_path / f"{name}.otf"
        make_font(name, letters, **kind).save(path)
        installed.append(str(path))

    return install


def make_font(name, letters, *, more_glyphs=0, truetype=True):
    pen = TTGlyphPen(None) if truetype else T2CharStringPen(2000, None)
    for number, point in enumerate([(0, 0), (0, 800), (1600, 800), (1600, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", *map("g{}".format, range(len(letters) + more_glyphs))]
    made = FontBuilder(1000, isTTF=truetype)
    made.setupGlyphOrder(names)
    made.setupCharacterMap({ord(letter): f"g{n}" for n, letter in enumerate(letters)})
    if truetype:
        made.setupGlyf(dict.fromkeys(names, pen.glyph()))
    else:
        made.setupCFF("Squares", {}, dict.fromkeys(names, pen.getCharString()), {})
    made.setupHorizontalMetrics(dict.fromkeys(names, (2000, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": name, "styleName": "Regular"})
    made.setupOS2(usWeightClass=400)
    made.setupPost()
    return made.font


def drawn(text, *, bold):
    """Return a text as it is drawn, in black on white; nothing may complain of it."""
    page = Page(2.0, 0.3, 200)
    canvas = FigureCanvasAgg(page.figure)
    page.write(0.0, 0.15, Text(text, bold=bold))
    with typesetting(), warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, 0]


@pytest.mark.parametrize("text", ["Archery", "Gr\u00fc\u00dfe", "\u0391\u03b8\u03ae\u03bd\u03b1"])
def test_no_font_is_looked_for_where_there_is_no_need(monkeypatch, text):
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: pytest.fail("looked"))
    for bold in (False, True):
        assert legible(text, bold=bold) == text
        assert families(text, bold=bold) == ["DejaVu Sans"]


def test_letters_that_no_font_has_are_escaped():
    assert legible(f"to {JUMP}{WALK}!") == r"to \u8df3\u8d70!"
    assert legible("\U00020000") == r"\U00020000"
    assert families(legible(JUMP)) == ["DejaVu Sans"]


@pytest.mark.parametrize(
    ("text", "escaped"), [("\n", r"\n"), ("\x07", r"\x07"), ("\udc80", r"\udc80")]
)
def test_what_is_no_letter_is_escaped_whatever_fonts_say(install, text, escaped):
    install("Claims Control", "\n\x07")
    assert legible(text) == escaped


@pytest.mark.parametrize("bold", [False, True])
def test_names_without_a_font_are_told_apart_and_nothing_complains(bold):
    assert np.array_equal(drawn(JUMP, bold=bold), drawn(r"\u8df3", bold=bold))
    assert not np.array_equal(drawn(JUMP, bold=bold), drawn(WALK, bold=bold))


@pytest.mark.parametrize("bold", [False, True])
def test_a_font_that_matplotlib_does_not_know_yet_is_found(install, bold, caplog):
    install("Squares", JUMP)
    with caplog.at_level(logging.WARNING):
        assert legible(f"to {JUMP}{WALK}", bold=bold) == rf"to {JUMP}\u8d70"
        assert families(f"to {JUMP}", bold=bold) == ["DejaVu Sans", "Squares"]
        # Each letter is 2 em wide, in a font that is drawn at `SIZE_PT`.
        assert text_width_in(JUMP * 3, bold=bold) == pytest.approx(6 * SIZE_PT / 72, rel=0.1)
        columns = (drawn(JUMP, bold=bold) < 128).any(axis=0)
    assert columns.sum() == pytest.approx(1.6 * SIZE_PT / 72 * 200, abs=2)
    assert caplog.messages == []


def test_the_font_with_most_glyphs_comes_first(install):
    install("A few", JUMP + WALK)
    install("Many", JUMP, more_glyphs=20)
    assert families(JUMP) == ["DejaVu Sans", "Many"]
    assert families(JUMP + WALK) == ["DejaVu Sans", "Many", "A few"]


def test_of_the_fonts_in_a_file_its_first_comes_first(installed, tmp_path):
    both = TTCollection()
    both.fonts = [make_font(name, JUMP) for name in ("Squares JP", "Squares HK")]
    both.save(tmp_path / "both.ttc")
    installed.append(str(tmp_path / "both.ttc"))
    assert families(JUMP) == ["DejaVu Sans", "Squares JP"]


@pytest.mark.parametrize("name", ["Last Resort", "Adobe Blank"])
def test_a_font_of_placeholders_has_no_letters(install, name):
    install(name, JUMP, more_glyphs=20)
    assert legible(JUMP) == r"\u8df3"


def test_files_that_are_no_fonts_are_passed_over(installed, install, tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    installed += [str(broken), str(tmp_path / "gone.ttf")]
    install("Squares", JUMP)
    assert families(JUMP) == ["DejaVu Sans", "Squares"]


def test_escapes_are_fitted_as_they_are_drawn():
    name = JUMP + WALK
    assert text_width_in(name) == text_width_in(r"\u8df3\u8d70")
    assert fit_lines(name, text_width_in(r"\u8df3\u8d70") + 1e-6) == [r"\u8df3\u8d70"]
    (cut,) = fit_lines(name, text_width_in(r"\u8df3\u8d"))
    assert cut.endswith("…")
    assert text_width_in(cut) <= text_width_in(r"\u8df3\u8d")


def test_a_warning_names_the_letters_once(install):
    install("Squares", JUMP)
    reporter = Warned()
    warn_of_missing_letters([JUMP, "Archery\n", ""], reporter)
    assert reporter.warnings == []
    warn_of_missing_letters([JUMP + WALK, WALK, "\u8dd1"], reporter)
    (warning,) = reporter.warnings
    assert warning.startswith(
        "no installed font has \u8d70 (U+8D70), \u8dd1 (U+8DD1); drawn as \\u8d70 and the like; "
        "install one that has"
    )
    warn_of_missing_letters(map(chr, range(0x4E00, 0x4E0A)), reporter)
    assert "(U+4E07) and 2 more letters; drawn" in reporter.warnings[1]


def test_videos_and_matrices_are_lettered_alike(make_clip, install, tmp_path):
    install("Squares", WALK)

    def header(name):
        clip = make_clip(size_hw=(64, 128), predicted=name, true_class=name)
        film = Film(clip, [clip.frames[0]], Fraction(25))
        return next(animate([film], [name] * 2, HeatStyle()))[:50]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(header(JUMP), header(r"\u8df3"))
        assert not np.array_equal(header(WALK), header(r"\u8d70"))
        figure = draw_confusion(np.eye(2, dtype=int), WALK, [JUMP, WALK * 40])
        texts = {text.get_text() for axes in figure.axes for text in axes.texts}
        for suffix in ("png", "pdf"):
            save_figure(figure, tmp_path / f"confusion.{suffix}")
    assert r"\u8df3" in texts
    assert JUMP not in texts
    assert WALK in texts


@pytest.mark.parametrize(("truetype", "kind"), [(True, b"/CIDFontType2"), (False, b"/Type3")])
def test_a_pdf_holds_each_kind_of_font_as_it_can(install, tmp_path, truetype, kind):
    install("Squares", JUMP, truetype=truetype)
    kinds = {}
    for name in ("Archery", JUMP):
        figure = draw_confusion(np.eye(1, dtype=int), "run", [name])
        save_figure(figure, tmp_path / "figure.pdf")
        found = re.findall(
            rb"/Subtype (/CIDFontType2|/Type3)", (tmp_path / "figure.pdf").read_bytes()
        )
        kinds[name] = set(found)
    assert kinds == {"Archery": {b"/CIDFontType2"}, JUMP: {kind}}


def test_who_draws_classes_is_told_of_missing_letters(tmp_path):
    values = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    records = [
        ClipRecord(row, f"v{row}", label, "Hop", (0, 1), (0.0, 0.0, 24.0, 24.0), False)
        for row, label in enumerate((JUMP, WALK))
    ]
    with AttentionWriter(tmp_path / "run" / "eval" / "val" / "attention") as writer:
        writer.append(records, temporal=values)
    reporter = Warned()
    config = VisualizeConfig(out=tmp_path / "classes.png", dpi=60)
    classes.draw(config, [tmp_path / "run"], reporter=reporter)
    (warning,) = reporter.warnings
    assert f"no installed font has {WALK} (U+8D70), {JUMP} (U+8DF3);" in warning
