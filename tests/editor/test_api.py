import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from attncli.editor.api import Editing, EditorApi
from attncli.editor.responses import RefusedError
from attncli.errors import AttncliError
from attncli.files.edit_directory import EditClip, EditDirectory

CLIP = EditClip("a b", "Opening", "Closing", frames=2, fps=10.0)


class Marking(Editing[EditClip]):
    """A third kind of editing, which has no questions and look-ups of its own."""

    page = "temporal_page"

    def __init__(self) -> None:
        self.marked: set[int] = set()

    @property
    def place(self) -> Path:
        return Path("marks.txt")

    def progress(self, clip: EditClip) -> dict[str, int]:
        return {"marked": len(self.marked)}

    def clip(self, clip: EditClip) -> dict[str, Any]:
        return {"marks": sorted(self.marked)}

    def change(self, clip: EditClip, changes: Any) -> dict[str, Any]:
        if changes is None:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "no marks")
        self.marked |= set(changes)
        return self.clip(clip)


class AskedMarking(Marking):
    """One that answers."""

    def lookups(self) -> dict[str, Any]:
        return {"marks": lambda clip, detail: [clip.id, detail]}

    def questions(self) -> dict[str, Any]:
        return {"marks": lambda clip, sent: [clip.id, sent]}


class NoPictures:
    """Has no large picture."""

    def picture(self, clip_id: str, frame: int) -> bytes:
        raise AttncliError(f"no picture of frame {frame}", where=clip_id)


def api_of(editing: Marking) -> EditorApi[EditClip]:
    return EditorApi(EditDirectory(Path("edits")), {CLIP.id: CLIP}, editing, NoPictures())


def told(api: EditorApi[EditClip], method: str, path: str, sent: Any = None) -> Any:
    return json.loads(api.respond(method, path, json.dumps(sent).encode()).body)


def test_a_session_names_the_clips_and_how_far_they_are() -> None:
    api = api_of(Marking())
    assert told(api, "PATCH", "/api/clips/a%20b", {"changes": [1]}) == {"marks": [1]}
    assert told(api, "GET", "/api/clips/a%20b") == {"marks": [1]}
    session = told(api, "GET", "/api/session")
    assert list(session) == ["directory", "file", "clips"]
    assert (session["directory"], session["file"]) == ("edits", "marks.txt")
    assert session["clips"] == [
        {
            "id": "a b",
            "label": "Opening",
            "predicted": "Closing",
            "frames": 2,
            "fps": 10.0,
            "marked": 1,
        }
    ]


@pytest.mark.parametrize("sent", [[1], {"change": [1]}, None, "changes"])
def test_what_is_sent_without_changes_reaches_the_editing_as_none(sent: object) -> None:
    with pytest.raises(RefusedError, match="no marks"):
        told(api_of(Marking()), "PATCH", "/api/clips/a%20b", sent)


def test_only_what_an_editing_has_can_be_asked() -> None:
    api = api_of(AskedMarking())
    assert told(api, "GET", "/api/marks/a%20b/7") == ["a b", "7"]
    assert told(api, "POST", "/api/marks/a%20b", {"x": 1}) == ["a b", {"x": 1}]
    with pytest.raises(RefusedError, match="no such clip: 'c'"):
        told(api, "POST", "/api/marks/c")
    with pytest.raises(RefusedError, match="no such page"):
        told(api_of(Marking()), "GET", "/api/marks/a%20b/7")
    with pytest.raises(RefusedError, match="POST does nothing here"):
        told(api_of(Marking()), "POST", "/api/marks/a%20b")
