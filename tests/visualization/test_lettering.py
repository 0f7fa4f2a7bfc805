import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from attncli.visualization.lettering import fit_lines, text_width_in, typesetting, write_line

LONG = "Pretending to put something behind something"


def test_text_that_fits_stays_whole():
    assert fit_lines("Archery", text_width_in("Archery") + 1e-6) == ["Archery"]


@pytest.mark.parametrize("dpi", [72, 100, 300])
def test_drawn_text_is_as_wide_as_it_was_measured(dpi):
    canvas = FigureCanvasAgg(Figure(figsize=(4, 1), dpi=dpi))
    page = canvas.figure.add_axes((0, 0, 1, 1), xlim=(0, 4), ylim=(1, 0))
    write_line(page, 0.0, 0.5, LONG)
    with typesetting():
        drawn = page.texts[0].get_window_extent(canvas.get_renderer())
    assert drawn.width == pytest.approx(text_width_in(LONG) * dpi, abs=2)


def test_bold_text_is_wider():
    assert text_width_in("Archery", bold=True) > text_width_in("Archery")


def test_lines_break_between_words():
    lines = fit_lines(LONG, text_width_in("something behind"), max_lines=9)
    assert lines == ["Pretending to put", "something behind", "something"]


def test_lines_break_after_underscores():
    lines = fit_lines("(c) enhanced_convlstm_ram", text_width_in("(c) enhanced_con"), max_lines=3)
    assert lines == ["(c) enhanced_", "convlstm_ram"]


def test_what_does_not_fit_is_cut_off_with_an_ellipsis():
    lines = fit_lines(LONG, text_width_in("Pretending to put"), max_lines=2)
    assert lines[0] == "Pretending to put"
    assert lines[1].endswith("…")
    assert LONG.split("put ")[1].startswith(lines[1][:-1])


def test_a_word_wider_than_a_line_is_broken_within():
    lines = fit_lines("HandstandPushups", text_width_in("Handstan"), max_lines=9)
    assert "".join(lines) == "HandstandPushups"
    assert len(lines) > 1


def test_dollar_signs_are_no_mathematics():
    assert text_width_in("$x$") > text_width_in("x")


@pytest.mark.parametrize("text", ["", "   "])
def test_no_text_makes_no_line(text):
    assert fit_lines(text, 1.0) == []


@given(
    st.text("abc WM", min_size=1, max_size=40),
    st.floats(0.3, 2),
    st.integers(1, 4),
    st.booleans(),
)
def test_no_line_is_wider_than_its_room(text, width_in, max_lines, bold):
    lines = fit_lines(text, width_in, max_lines=max_lines, bold=bold)
    assert len(lines) <= max_lines
    assert all(text_width_in(line, bold=bold) <= width_in for line in lines)
