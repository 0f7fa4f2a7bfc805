import pytest

from attncli.errors import Remark
from attncli.reporting import (
    Outcome,
    Reporter,
    Silent,
    counted,
    detail,
    inputs_of,
    singular,
    warn_of,
)


class Listener(Silent):
    """Keeps warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def remark(name):
    return Remark(name, f"{name}.avi", "a gap after frame 3")


def test_who_is_silent_works_all_items_through_and_says_nothing(capsys):
    silent = Silent()
    assert isinstance(silent, Reporter)
    silent.note("a note")
    silent.warn("a warning")
    assert list(silent.track(iter("abc"), label="clips")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_three_inputs_are_named_in_the_order_of_their_ids_and_the_others_counted():
    listener = Listener()
    warn_of([remark(name) for name in "dbcab"], listener)  # b is told of twice
    assert listener.warnings == [
        "4 may lack frames: a.avi (a gap after frame 3), b.avi (a gap after frame 3),"
        " c.avi (a gap after frame 3) and 1 more"
    ]


def test_three_are_all_named_and_of_none_nothing_is_said():
    listener = Listener()
    warn_of([], listener)
    assert listener.warnings == []
    warn_of([remark(name) for name in "abc"], listener)
    assert not listener.warnings[0].endswith("more")


@pytest.mark.parametrize(
    ("unit", "one"),
    [("steps", "step"), ("batches", "batch"), ("queries", "query"), ("distances", "distance")],
)
def test_one_of_several_things_has_a_word_of_its_own(unit, one):
    assert singular(unit) == one
    assert counted(1, unit) == f"1 {one}"
    assert counted(0, unit) == f"0 {unit}"


def test_thousands_are_set_apart():
    assert counted(1234567, "clips") == "1,234,567 clips"


def test_details_go_to_who_takes_them():
    class Curious(Listener):
        def detail(self, text):
            self.warnings.append(text)

    curious = Curious()
    detail("a setting", curious)
    detail("a setting", Silent())
    assert curious.warnings == ["a setting"]


def test_outcomes_do_not_share_their_rows():
    one, other = Outcome(), Outcome()
    one.rows.append({"run": "a"})
    assert other.rows == []


@pytest.mark.parametrize(
    ("counts", "expected"), [((), 0), ((3,), 3), ((3, 4), 7), ((3, None), None)]
)
def test_inputs_are_counted_where_all_outcomes_count_theirs(counts, expected):
    assert inputs_of([Outcome(inputs=count) for count in counts]) == expected
