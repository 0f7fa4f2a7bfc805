"""Editing of temporal attention: what its page is told besides what `editor.api` tells every page.

======================  ===========================================================================
`POST /api/answers/ID`  what the network answers with these scores in the place of its attention
======================  ===========================================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from attncli.editor.answers import Answerer, ClipAnswer
from attncli.editor.api import Editing
from attncli.editor.note_book import NoteBook, note_of
from attncli.editor.responses import RefusedError, field_of
from attncli.editor.scores import Score, Scores
from attncli.editor.store import EditStore
from attncli.errors import AttncliError
from attncli.files.edit_directory import EditClip

SHOWN_CLASSES = 5
NOTE = "note"
"""What stands in the place of a frame where something is said of the whole clip."""


@dataclass(frozen=True)
class TemporalEditing(Editing[EditClip]):
    """Gives each frame of a clip a score."""

    attention: Mapping[str, Scores]
    """The network's own temporal attention for every frame of a clip, in [0, 1]."""
    scores: EditStore[Scores, Score]
    """Where the edits go."""
    answerer: Answerer
    """Who answers with an edit in place of the network's own attention."""
    notes: NoteBook
    """What is said of clips besides."""
    annotator: str | None = None
    """Who edits, if several do."""

    page = "temporal_page"

    @property
    def place(self) -> Path:
        """File of the scores."""
        return self.scores.place

    def session(self) -> dict[str, Any]:
        """Return who edits."""
        return {"annotator": self.annotator}

    def progress(self, clip: EditClip) -> dict[str, Any]:
        """Return how many frames of a clip have a score, and what is said of it."""
        scored = int(np.sum(~np.isnan(self.scores.of(clip.id))))
        return {"scored": scored, "note": asdict(self.notes.of(clip.id))}

    def clip(self, clip: EditClip) -> dict[str, Any]:
        """Return the scores of a clip and the network's own attention, a value a frame."""
        scores = _nullable(self.scores.of(clip.id))
        note = asdict(self.notes.of(clip.id))
        return {
            "scores": scores,
            "attention": _nullable(self.attention[clip.id]),
            "note": note,
        }

    def change(self, clip: EditClip, changes: Any) -> dict[str, Any]:
        """Give frames of a clip new scores and say something else of it; return all it has."""
        if not isinstance(changes, list) or not all(_is_change(item, clip) for item in changes):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"changes must be pairs of a frame from 0 to {clip.frames - 1} and a score in"
                f" [0, 1] or null, or of {NOTE!r} and a state and a comment",
            )
        scored = [(frame, score) for frame, score in changes if frame != NOTE]
        if scored or not changes:
            self.scores.change(clip.id, scored)
        for said in (note_of(value) for name, value in changes if name == NOTE):
            if said is not None:
                self.notes.note(clip.id, said)
        return {
            "scores": _nullable(self.scores.of(clip.id)),
            "note": asdict(self.notes.of(clip.id)),
        }

    def questions(self) -> Mapping[str, Callable[[EditClip, Any], Any]]:
        """Return the question for the network's answer."""
        return {"answers": self._answer}

    def _answer(self, clip: EditClip, sent: Any) -> dict[str, Any]:
        scores = field_of(sent, "scores")
        if (
            not isinstance(scores, list)
            or len(scores) != clip.frames
            or not all(_is_score(score) for score in scores)
        ):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"scores must be {clip.frames} numbers in [0, 1] or null, one a frame",
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


def _nullable(scores: Scores) -> list[float | None]:
    """Return scores as JSON has them: in their shortest form, and null where there is none."""
    values = [float(text) for text in scores.astype(str).tolist()]
    return [None if isnan(value) else value for value in values]


def _is_change(item: Any, clip: EditClip) -> bool:
    if not isinstance(item, list) or len(item) != 2:
        return False
    if item[0] == NOTE:
        return note_of(item[1]) is not None
    return type(item[0]) is int and 0 <= item[0] < clip.frames and _is_score(item[1])


def _is_score(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and 0 <= value <= 1)
