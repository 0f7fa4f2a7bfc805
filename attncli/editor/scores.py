"""The scores one person gives, in one file."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from attncli.editor.store import EditFiles
from attncli.files.atomic import sweep, write_text
from attncli.files.temporal_edits import HEADER, edit_rows, read_temporal_edits

Scores = Float32[np.ndarray, " n"]
"""The score of every frame of a clip, in [0, 1]; NaN where it has none."""
Score = int | float | None
"""A frame's new score in [0, 1]; None takes its score away."""


class ScoreFile(EditFiles[Scores, Score]):
    """A file of temporal edits.

    It is replaced as a whole with each change. What one clip is as text is kept, so that 2,400
    clips of 45 frames take a few milliseconds.

    Args:
        path: File of edits; begun with blank scores where there is none.
        clips: Clips that must be in it; blank where it lacks them.
        n_frames: Number of frames of every clip that may be in it.
    """

    remedy = "end that one first, or take another --annotator"

    def __init__(self, path: Path, clips: Collection[str], *, n_frames: Mapping[str, int]) -> None:
        self._path = path
        self._clips = clips
        self._n_frames = n_frames
        self._texts: dict[str, str] = {}
        self._lacks_clips = False

    @property
    def place(self) -> Path:
        """The file."""
        return self._path

    @property
    def clips(self) -> Collection[str]:
        """Clips that must be in it."""
        return self._clips

    def path(self, clip_id: str) -> Path:  # noqa: ARG002 - one file holds all clips
        """Return the file."""
        return self._path

    def read(self) -> dict[str, Scores]:
        """Return the scores of every clip in the file, blank ones of those that it lacks."""
        sweep(self._path.parent, below=False)
        scores = self._read()
        missing = [id_ for id_ in self._clips if id_ not in scores]
        for id_ in missing:
            scores[id_] = np.full(self._n_frames[id_], np.nan, dtype=np.float32)
        self._texts = {id_: edit_rows(id_, vector) for id_, vector in scores.items()}
        self._lacks_clips = bool(missing)
        return scores

    def complete(self) -> bool:
        """Add the blank scores of clips that the file lacks."""
        if self._lacks_clips:
            self._write(self._texts)
        return self._lacks_clips

    def changed(
        self,
        clip_id: str,  # noqa: ARG002 - scores are of any clip
        edits: Scores,
        changes: Iterable[tuple[int, Score]],
    ) -> Scores:
        """Return scores with those of some frames replaced."""
        scores = edits.copy()
        for frame, score in changes:
            scores[frame] = np.nan if score is None else score
        return scores

    def write(self, clip_id: str, edits: Scores) -> None:
        """Replace the file by one with other scores of a clip."""
        texts = self._texts | {clip_id: edit_rows(clip_id, edits)}
        self._write(texts)
        self._texts = texts

    def _read(self) -> dict[str, Scores]:
        if not self._path.exists():
            return {}
        edits = read_temporal_edits(self._path, n_frames=self._n_frames, allow_partial=True)
        return dict(edits.scores)

    def _write(self, texts: Mapping[str, str]) -> None:
        write_text(self._path, HEADER + "".join(texts.values()))


def is_edited(scores: Scores) -> bool:
    """Return whether every frame of a clip has a score."""
    return not np.isnan(scores).any()
