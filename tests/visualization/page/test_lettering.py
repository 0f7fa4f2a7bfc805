import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from attncli.visualization.page.drawing import Page
from attncli.visualization.page.lettering import (
    SIZE_PT,
    Text,
    fit_first,
    fit_lines,
    text_of,
    text_scale,
    text_width_in,
    typesetting,
)

LONG = "Pretending to put something behind something"


def test_text_that_fits_stays_whole():
    assert fit_lines("Archery", text_width_in("Archery") + 1e-6) == ["Archery"]


@pytest.mark.parametrize("dpi", [72, 100, 300])
def test_drawn_text_is_as_wide_as_it_was_measured(dpi):
    page = Page(4.0, 1.0, dpi)
    canvas = FigureCanvasAgg(page.figure)
    page.write(0.0, 0.5, Text(LONG))
    with typesetting():
        drawn = page.axes.texts[0].get_window_extent(canvas.get_renderer())
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


def test_lines_of_a_text_look_as_it_does():
    text = Text(LONG, lines=9, color="red", bold=True)
    lines = text.fit(text_width_in("something behind", bold=True))
    assert [line.words for line in lines] == ["Pretending to put", "something behind", "something"]
    assert {(line.color, line.bold) for line in lines} == {("red", True)}


def test_the_first_wording_that_fits_is_taken_and_the_last_one_is_cut():
    wordings = ("accuracy 87.5 % (n = 8)", "accuracy 87.5 %", "87.5 %")
    room_in = text_width_in("accuracy 87.5 %")
    assert fit_first(wordings, room_in).words == "accuracy 87.5 %"
    assert fit_first(wordings, 0.2, color="red") == Text(fit_lines("87.5 %", 0.2)[0], color="red")


def test_an_id_that_does_not_fit_keeps_its_start_and_its_end():
    name = "Archery/v_Archery_of_a_certain_kind_g01_c03"
    room_in = text_width_in("Archery/v_Ar…d_g01_c03")
    (line,) = Text(name, keeps_end=True).fit(room_in)
    start, end = line.words.split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert abs(len(start) - len(end)) <= 1
    assert line.width_in <= room_in
    assert Text("short", keeps_end=True).fit(9.0) == [Text("short", keeps_end=True)]


def test_text_is_of_another_size_within_a_block_alone():
    assert text_scale() == 1
    with text_of(2 * SIZE_PT):
        assert text_scale() == 2
    assert text_scale() == 1
