from pathlib import Path

import pytest

from attncli.editor.note_book import NoteBook, note_of
from attncli.errors import AttncliError
from attncli.files.clip_notes import ClipNote, read_notes


def test_a_note_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "notes" / "anna.csv"
    book = NoteBook(path, ["a", "b"])
    assert not path.exists()
    book.note("b", ClipNote("skipped", "too dark"))
    book.note("a", ClipNote("confirmed"))
    assert read_notes(path, ["a", "b"]) == {
        "b": ClipNote("skipped", "too dark"),
        "a": ClipNote("confirmed"),
    }
    assert NoteBook(path, ["a", "b"]).of("b") == ClipNote("skipped", "too dark")
    assert book.of("a").state == "confirmed"


def test_what_another_program_wrote_is_not_written_over(tmp_path: Path) -> None:
    book = NoteBook(tmp_path / "notes.csv", ["a"])
    (tmp_path / "notes.csv").write_text("id,state,comment\na,unsure,mine\n")
    with pytest.raises(AttncliError, match="another program has changed this file"):
        book.note("a", ClipNote("confirmed"))
    assert book.of("a") == ClipNote()
    assert "mine" in (tmp_path / "notes.csv").read_text()


@pytest.mark.parametrize(
    "sent", [None, 1, {}, {"state": "skipped"}, {"state": "x", "comment": ""}, {"comment": 1}]
)
def test_what_is_no_note_is_none(sent: object) -> None:
    assert note_of(sent) is None
