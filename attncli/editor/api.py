"""What the page for temporal attention asks for, and is told: JSON, thumbnails, its own files.

=======================  =========================================================================
`GET /`                  the page, and below it the files it is made of
`GET /api/session`       who edits what: the clips, how many of their frames have a score
`GET /api/clips/ID`      scores of one clip, and the network's own attention
`PATCH /api/clips/ID`    new scores of some frames; answered once they are on disk
`POST /api/answers/ID`   what the network answers with these scores in the place of its attention
`GET /frames/ID/NUMBER`  thumbnail of a frame, counted from 0
=======================  =========================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isnan
from typing import Any
from urllib.parse import unquote

import numpy as np
from jaxtyping import Float32

from attncli.editor.answers import Answerer, ClipAnswer
from attncli.editor.responses import (
    RefusedError,
    Response,
    json_response,
    known,
    page_file,
    parsed,
    picture,
)
from attncli.editor.scores import ScoreFile
from attncli.errors import AttncliError
from attncli.files.edit_directory import EditClip, EditDirectory

SHOWN_CLASSES = 5
PAGE = "temporal_page"


@dataclass(frozen=True)
class EditorApi:
    """Answers the page's requests; several threads may ask at once."""

    directory: EditDirectory
    """Where the clips and their thumbnails are."""
    clips: Mapping[str, EditClip]
    """Clips to be edited here, by id, in their order."""
    attention: Mapping[str, Float32[np.ndarray, " n"]]
    """The network's own temporal attention for every frame of a clip, in [0, 1]."""
    scores: ScoreFile
    """Where the edits go."""
    answerer: Answerer
    """Who answers with an edit in place of the network's own attention."""
    annotator: str | None = None
    """Who edits, if several do."""

    def respond(self, method: str, path: str, body: bytes = b"") -> Response:
        """Return the response to a request that has every right to be made.

        Args:
            method: Such as `GET`.
            path: Path of the address, still percent-encoded.
            body: What was sent with it.

        Raises:
            RefusedError: There is no such thing, or it is asked for in no such way.
            AttncliError: A change cannot be made; the message says why.
            OSError: The scores cannot be written.
        """
        match method, *(unquote(part) for part in path.split("/")[1:]):
            case "GET", "api", "session":
                return json_response(self._session())
            case "GET", "api", "clips", id_:
                return json_response(self._clip(self._known(id_)))
            case "PATCH", "api", "clips", id_:
                return json_response(self._change(self._known(id_), parsed(body)))
            case "POST", "api", "answers", id_:
                return json_response(self._answer(self._known(id_), parsed(body)))
            case "GET", "frames", id_, number:
                return picture(self.directory, self._known(id_), number)
        return page_file(PAGE, method, path)

    def _known(self, clip_id: str) -> EditClip:
        return known(self.clips, clip_id)

    def _session(self) -> dict[str, Any]:
        return {
            "directory": str(self.directory.path),
            "file": str(self.scores.path),
            "annotator": self.annotator,
            "clips": [
                {
                    "id": clip.id,
                    "label": clip.label,
                    "predicted": clip.predicted,
                    "frames": clip.frames,
                    "fps": clip.fps,
                    "scored": int(np.sum(~np.isnan(self.scores.of(clip.id)))),
                }
                for clip in self.clips.values()
            ],
        }

    def _clip(self, clip: EditClip) -> dict[str, Any]:
        scores = _nullable(self.scores.of(clip.id))
        return {"scores": scores, "attention": _nullable(self.attention[clip.id])}

    def _change(self, clip: EditClip, wanted: Any) -> dict[str, Any]:
        changes = wanted.get("changes") if isinstance(wanted, dict) else None
        if not isinstance(changes, list) or not all(_is_change(item, clip) for item in changes):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"changes are pairs of a frame from 0 to {clip.frames - 1} and a score in [0, 1]"
                " or null",
            )
        return {"scores": _nullable(self.scores.change(clip.id, map(tuple, changes)))}

    def _answer(self, clip: EditClip, wanted: Any) -> dict[str, Any]:
        scores = wanted.get("scores") if isinstance(wanted, dict) else None
        if (
            not isinstance(scores, list)
            or len(scores) != clip.frames
            or not all(_is_score(score) for score in scores)
        ):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"scores are {clip.frames} numbers in [0, 1] or null, one a frame",
            )
        vector = np.array([np.nan if s is None else s for s in scores], dtype=np.float32)
        try:
            return _shown(self.answerer.answer(clip.id, vector), clip.label)
        except AttncliError as error:
            return {"unavailable": str(error)}


def _shown(answer: ClipAnswer, label: str) -> dict[str, Any]:
    """Return the likeliest classes by both answers and the true one, the likeliest first."""
    ranked = np.argsort(-answer.edited, kind="stable").tolist()
    kept = {*ranked[:SHOWN_CLASSES], int(answer.own.argmax())}
    kept |= {answer.classes.index(label)} if label in answer.classes else set()
    return {
        "classes": [
            {
                "name": answer.classes[i],
                "own": float(answer.own[i]),
                "edited": float(answer.edited[i]),
            }
            for i in ranked
            if i in kept
        ],
        "frames": answer.frames,
    }


def _nullable(scores: Float32[np.ndarray, " n"]) -> list[float | None]:
    """Return scores as JSON has them: in their shortest form, and null where there is none."""
    values = [float(text) for text in scores.astype(str).tolist()]
    return [None if isnan(value) else value for value in values]


def _is_change(item: Any, clip: EditClip) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 2
        and type(item[0]) is int
        and 0 <= item[0] < clip.frames
        and _is_score(item[1])
    )


def _is_score(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and 0 <= value <= 1)
