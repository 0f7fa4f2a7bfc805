from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.files.clip_notes import ClipNote, count_states, read_notes, write_notes

KNOWN = ("a", "b,1", "c")
HEADER = "id,state,comment\n"


def test_notes_are_found_again(tmp_path: Path) -> None:
    notes = {"a": ClipNote("confirmed"), "b,1": ClipNote("", 'says "stop", twice'), "c": ClipNote()}
    write_notes(tmp_path / "n.csv", notes)
    assert read_notes(tmp_path / "n.csv", KNOWN) == {id_: notes[id_] for id_ in ("a", "b,1")}
    assert read_notes(tmp_path / "none.csv", KNOWN) == {}


def test_states_are_counted() -> None:
    notes = [ClipNote("skipped"), ClipNote("skipped", "x"), ClipNote("", "x"), ClipNote("unsure")]
    assert count_states(notes) == {"confirmed": 0, "skipped": 2, "unsure": 1}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("z,confirmed,\n", "line 2: no such clip: 'z'"),
        ("a,done,\n", "line 2: clip 'a': 'done' is not a state; write confirmed, skipped, uns"),
        ("a,,x\na,,y\n", "line 3: clip 'a' is listed twice"),
    ],
)
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "n.csv").write_text(HEADER + rows)
    with pytest.raises(AttncliError, match=message):
        read_notes(tmp_path / "n.csv", KNOWN)
