"""What a page asks for, whatever is edited on it, and is told: JSON, pictures, its own files.

=======================  =========================================================================
`GET /`                  the page, and below it the files it is made of
`GET /api/session`       who edits what: the clips, how many of their frames are edited
`GET /api/clips/ID`      edits of one clip, and the network's own attention
`PATCH /api/clips/ID`    changes of some frames; answered once they are on disk
`GET /frames/ID/NUMBER`  picture of a frame, counted from 0
`GET /full/ID/NUMBER`    the same at the video's resolution, or as JSON why there is none
=======================  =========================================================================

What is told of the edits, and what else may be asked, is a matter of `Editing`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import unquote

from attncli.editor.full_pictures import FullPictures, full_picture
from attncli.editor.responses import (
    Response,
    field_of,
    frame_position,
    json_response,
    known,
    page_file,
    parsed,
    picture,
)
from attncli.files.clip_directory import ClipDirectory, EditClip

C = TypeVar("C", bound=EditClip)


class Editing(ABC, Generic[C]):
    """What is edited on a page: what one kind of edits has of its own."""

    page: ClassVar[str]
    """Folder of the page's own files."""

    @property
    @abstractmethod
    def place(self) -> Path:
        """File or directory that the edits go to."""

    @abstractmethod
    def progress(self, clip: C) -> dict[str, Any]:
        """Return how far a clip is edited, under the name that the page has for it."""

    @abstractmethod
    def clip(self, clip: C) -> dict[str, Any]:
        """Return the edits of a clip, and the network's own attention."""

    @abstractmethod
    def change(self, clip: C, changes: Any) -> dict[str, Any]:
        """Change frames of a clip, and return what the page is to know; the files hold it by then.

        Args:
            clip: Which clip.
            changes: What the page sent, whatever that is.

        Raises:
            RefusedError: These are no changes of the clip.
            AttncliError: The change cannot be made; the message says why.
            OSError: The change cannot be written.
        """

    def session(self) -> dict[str, Any]:
        """Return what the page is told of the session besides what all are told."""
        return {}

    def lookups(self) -> Mapping[str, Callable[[C, str], Any]]:
        """Return what else `GET /api/NAME/ID/DETAIL` answers, from a clip and the detail."""
        return {}

    def questions(self) -> Mapping[str, Callable[[C, Any], Any]]:
        """Return what else `POST /api/NAME/ID` answers, from a clip and what was sent."""
        return {}


@dataclass(frozen=True)
class EditorApi(Generic[C]):
    """Answers a page's requests; several threads may ask at once."""

    directory: ClipDirectory
    """Where the pictures of the clips are."""
    clips: Mapping[str, C]
    """Clips to be edited here, by id, in their order."""
    editing: Editing[C]
    """What is edited."""
    pictures: FullPictures
    """Where large pictures are from."""

    def respond(self, method: str, path: str, body: bytes = b"") -> Response:
        """Return the response to a request that has every right to be made.

        Args:
            method: Such as `GET`.
            path: Path of the address, still percent-encoded.
            body: What was sent with it.

        Raises:
            RefusedError: There is no such thing, or it is asked for in no such way.
            AttncliError: A change cannot be made, or a file cannot be read; the message says why.
            OSError: A change cannot be written.
        """
        lookups, questions = self.editing.lookups(), self.editing.questions()
        match method, *(unquote(part) for part in path.split("/")[1:]):
            case "GET", "api", "session":
                return json_response(self._session())
            case "GET", "api", "clips", id_:
                return json_response(self.editing.clip(known(self.clips, id_)))
            case "PATCH", "api", "clips", id_:
                clip = known(self.clips, id_)
                return json_response(self.editing.change(clip, field_of(parsed(body), "changes")))
            case "GET", "api", name, id_, detail if name in lookups:
                return json_response(lookups[name](known(self.clips, id_), detail))
            case "POST", "api", name, id_ if name in questions:
                return json_response(questions[name](known(self.clips, id_), parsed(body)))
            case "GET", "frames", id_, number:
                return picture(self.directory, known(self.clips, id_), number)
            case "GET", "full", id_, number:
                clip = known(self.clips, id_)
                return full_picture(self.pictures, clip.id, frame_position(clip, number))
        return page_file(self.editing.page, method, path)

    def _session(self) -> dict[str, Any]:
        return {
            "directory": str(self.directory.path),
            "file": str(self.editing.place),
            **self.editing.session(),
            "clips": [asdict(clip) | self.editing.progress(clip) for clip in self.clips.values()],
        }
