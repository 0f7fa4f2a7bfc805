import pytest

from attncli.errors import AttncliError
from attncli.files.active_intervals import (
    ActiveInterval,
    read_active_intervals,
    write_active_intervals,
)

HEADER = "id,first,last,key_first,key_last\n"


def test_what_is_written_is_read(tmp_path):
    intervals = {"17": ActiveInterval(3, 9, 5, 7), "08": ActiveInterval(0, 0, 0, 0)}
    write_active_intervals(tmp_path / "active.csv", intervals)
    assert read_active_intervals(tmp_path / "active.csv") == intervals
    assert (tmp_path / "active.csv").read_text() == HEADER + "17,3,9,5,7\n08,0,0,0,0\n"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,3,9,5,x", "line 2: frames are whole numbers"),
        ("1,3,9,-1,7", "line 2: frames are whole numbers"),
        ("1,3,9,5,10", "line 2: needs first <= key_first <= key_last <= last"),
        ("1,6,9,5,7", "line 2: needs first"),
        ("1,3,9,7,5", "line 2: needs first"),
    ],
)
def test_intervals_that_cannot_be_are_named_with_their_line(tmp_path, row, problem):
    path = tmp_path / "active.csv"
    path.write_text(f"{HEADER}{row}\n")
    with pytest.raises(AttncliError, match=problem):
        read_active_intervals(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AttncliError, match=r"active\.csv: no such file"):
        read_active_intervals(tmp_path / "active.csv")
