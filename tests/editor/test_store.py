from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from attncli.editor.store import EditFiles, EditStore
from attncli.errors import AttncliError


class Notes(EditFiles[str, str]):
    """A third kind of edits: a file a clip, with a letter a frame."""

    def __init__(self, place: Path) -> None:
        self._place = place

    @property
    def place(self) -> Path:
        return self._place

    @property
    def clips(self) -> Collection[str]:
        return ["a", "b"]

    def path(self, clip_id: str) -> Path:
        return self._place / f"{clip_id}.txt"

    def read(self) -> dict[str, str]:
        files = {id_: self.path(id_) for id_ in self.clips}
        return {id_: file.read_text() if file.exists() else "..." for id_, file in files.items()}

    def changed(self, clip_id: str, edits: str, changes: Iterable[tuple[int, str]]) -> str:
        letters = list(edits)
        for frame, letter in changes:
            letters[frame] = letter
        return "".join(letters)

    def write(self, clip_id: str, edits: str) -> None:
        self.path(clip_id).write_text(edits)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    place = tmp_path / "notes"
    place.mkdir()
    return Notes(place)


def test_a_change_is_told_kept_and_on_disk(notes: Notes) -> None:
    with EditStore(notes) as store:
        assert store.change("a", [(0, "x"), (2, "y")]) == "x.y"
        assert (store.of("a"), store.of("b")) == ("x.y", "...")
        assert notes.path("a").read_text() == "x.y"
    with EditStore(notes) as store:
        assert store.of("a") == "x.y"


def test_a_file_that_changed_elsewhere_stops_its_own_clip_only(notes: Notes) -> None:
    with EditStore(notes) as store:
        notes.path("a").write_text("zzzz")
        with pytest.raises(AttncliError, match=r"a\.txt: another program has changed"):
            store.change("a", [(0, "x")])
        assert store.change("b", [(1, "x")]) == ".x."
    assert notes.path("a").read_text() == "zzzz"


def test_a_file_that_changes_while_it_is_read_is_not_overwritten(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = notes.read

    def read_late() -> dict[str, str]:
        found = read()
        notes.path("a").write_text("zzzz")
        return found

    monkeypatch.setattr(notes, "read", read_late)
    with EditStore(notes) as store, pytest.raises(AttncliError, match="another program"):
        store.change("a", [(0, "x")])


def test_nothing_changes_once_the_store_is_closed(notes: Notes) -> None:
    with EditStore(notes) as store:
        pass
    with pytest.raises(AttncliError, match=r"a\.txt: the editor has been ended"):
        store.change("a", [(0, "x")])
    assert not notes.path("a").exists()
