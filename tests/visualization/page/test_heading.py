import pytest

from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN
from attncli.visualization.page.heading import HEADING_IN, LEAST_GAP_IN, Heading, write_heading
from attncli.visualization.page.lettering import text_width_in


def texts(width_in, name, *facts):
    page = Page(width_in, 1.0, 100)
    write_heading(page, Heading(name, facts), 0.25)
    return page.axes.texts


def test_name_and_facts_stand_at_the_two_ends_of_one_line():
    name, facts = texts(6.0, "v_Archery", "Archery, 3.06 bits")
    assert (name.get_text(), facts.get_text()) == ("v_Archery", "Archery, 3.06 bits")
    assert name.get_position() == pytest.approx((MARGIN_IN, 0.25 + HEADING_IN / 2))
    assert facts.get_position() == pytest.approx((6.0 - MARGIN_IN, 0.25 + HEADING_IN / 2))
    assert (name.get_weight(), facts.get_ha()) == ("bold", "right")


def test_facts_are_left_out_from_the_last_wording_backwards():
    wordings = ("class and score and entropy", "class and score", "class")
    room_in = 2 * MARGIN_IN + LEAST_GAP_IN + text_width_in("video", bold=True)
    for words in wordings:
        width_in = room_in + text_width_in(words) + 0.01
        assert texts(width_in, "video", *wordings)[1].get_text() == words


def test_a_long_name_gives_way_to_the_facts_but_keeps_half_the_line():
    name, facts = texts(2.0, "a name that is far longer than the line is wide", "class")
    assert facts.get_text() == "class"
    start, end = name.get_text().split("…")
    assert "a name that is far".startswith(start)
    assert "the line is wide".endswith(end)
    assert text_width_in(name.get_text(), bold=True) >= (2.0 - LEAST_GAP_IN) / 3
