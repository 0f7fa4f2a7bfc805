"""The scores one person gives: in memory to be looked at, on disk after every change."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from types import TracebackType

import numpy as np
from jaxtyping import Float32

from attncli.editor.exclusive import require_unchanged, stamp
from attncli.errors import AttncliError
from attncli.files.atomic import sweep, write_text
from attncli.files.locks import hold_beside
from attncli.files.temporal_edits import HEADER, edit_rows, read_temporal_edits

Change = tuple[int, int | float | None]
"""A frame, counted from 0, and its new score in [0, 1]; None takes its score away."""


class ScoreFile:
    """A file of temporal edits that this process alone changes; use as a context manager.

    The file is replaced as a whole with each change. What one clip is as text is kept, so that
    2,400 clips of 45 frames take a few milliseconds.

    Args:
        path: File of edits; begun with blank scores where there is none.
        clips: Clips that must be in it, and their numbers of frames; blank where it lacks them.
        n_frames: Number of frames of every clip that may be in it.

    Raises:
        AttncliError: Another editor has the file open, or it holds no edits of these clips.
    """

    def __init__(self, path: Path, clips: Iterable[str], *, n_frames: Mapping[str, int]) -> None:
        self.path = path
        self._changing = Lock()
        self._is_closed = False
        self._hold = hold_beside(path, remedy="end that one first, or take another --annotator")
        try:
            sweep(path.parent, below=False)
            self._stamp = stamp(self.path)
            self._scores = self._read(n_frames)
            missing = [id_ for id_ in clips if id_ not in self._scores]
            for id_ in missing:
                self._scores[id_] = np.full(n_frames[id_], np.nan, dtype=np.float32)
            self._texts = {id_: edit_rows(id_, scores) for id_, scores in self._scores.items()}
            if missing:
                self._write(self._texts)
        except BaseException:
            self._hold.end()
            raise

    def __enter__(self) -> "ScoreFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let others change the file, once a change that is under way is on disk."""
        with self._changing:
            self._hold.end()
            self._is_closed = True

    def of(self, clip_id: str) -> Float32[np.ndarray, " n"]:
        """Return the score of every frame of a clip; NaN where it has none."""
        return self._scores[clip_id]

    def is_edited(self, clip_id: str) -> bool:
        """Return whether every frame of a clip has a score."""
        return not np.isnan(self._scores[clip_id]).any()

    def change(self, clip_id: str, changes: Iterable[Change]) -> Float32[np.ndarray, " n"]:
        """Give frames of a clip new scores and return all of them; the file holds them by then.

        Raises:
            AttncliError: Another program has changed the file, or may since this one was closed;
                nothing is changed.
            OSError: The file cannot be written; nothing is changed.
        """
        with self._changing:
            self._require_ours()
            scores = self._scores[clip_id].copy()
            for frame, score in changes:
                scores[frame] = np.nan if score is None else score
            texts = self._texts | {clip_id: edit_rows(clip_id, scores)}
            self._write(texts)
            self._texts, self._scores[clip_id] = texts, scores
        return scores

    def _read(self, n_frames: Mapping[str, int]) -> dict[str, Float32[np.ndarray, " n"]]:
        if self._stamp is None:
            return {}
        edits = read_temporal_edits(self.path, n_frames=n_frames, allow_partial=True)
        return dict(edits.scores)

    def _write(self, texts: Mapping[str, str]) -> None:
        write_text(self.path, HEADER + "".join(texts.values()))
        self._stamp = stamp(self.path)

    def _require_ours(self) -> None:
        if self._is_closed:
            raise AttncliError("the editor has been ended", where=self.path)
        require_unchanged(self.path, self._stamp)
