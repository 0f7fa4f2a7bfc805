"""Temporal attention that people gave videos: `edits.csv`, one row a frame of the whole video.

======  ===========================================================================
id      the video's id in its dataset
frame   position of the frame in its video, from 0 in presentation order
score   0 not needed, 0.5 needed, 1 decisive (ST-ABN, section 3.2.1); any value in
        [0, 1] is legal, and a blank has not been filled in yet
======  ===========================================================================

The rows may come in any order. A clip whose scores are all blank is unedited and counts as no edit.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from attncli.errors import AttncliError, printable
from attncli.files.atomic import write_text
from attncli.files.tables import Table, read_table

COLUMNS = ("id", "frame", "score")
HEADER = ",".join(COLUMNS) + "\n"
"""First line of a file of edits."""
LEVELS = (0.0, 0.5, 1.0)
"""Scores that the paper's annotators chose from."""


class PartlyEditedError(AttncliError):
    """Clips have scores for some of their frames only; all of them are named, however many.

    Args:
        path: File of edits.
        clips: The clips' scores by id; NaN where there is none.
    """

    def __init__(self, path: Path, clips: Mapping[str, Float32[np.ndarray, " _"]]) -> None:
        what = partly_scored(clips)
        super().__init__(what, where=path)
        remedy = "score their other frames; --skip-partial of train and check leaves them out"
        self.args = (f"{path}: {what}; {remedy}",)


def partly_scored(clips: Mapping[str, Float32[np.ndarray, " _"]]) -> str:
    """Return which clips have scores for some of their frames only, all of them in one line."""
    named = ", ".join(f"{id_!r} ({_share(scores)})" for id_, scores in clips.items())
    which = "1 clip that has" if len(clips) == 1 else f"{len(clips)} clips that have"
    return printable(f"{which} scores for some frames only: {named}")


def _share(scores: Float32[np.ndarray, " n"]) -> str:
    """Return how many frames have a score, and the first that has none."""
    blank = np.isnan(scores)
    return f"{int((~blank).sum())} of {len(scores)} frames, none for frame {int(blank.argmax())}"


@dataclass(frozen=True)
class TemporalEdits:
    """The scores of some videos."""

    path: Path
    """File they were read from."""
    scores: Mapping[str, Float32[np.ndarray, " n"]]
    """A score in [0, 1] for every frame of a video, by its id; NaN where it is blank."""

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Clips whose every frame has a score, in the order of the file."""
        return tuple(id_ for id_, share in self._filled.items() if share == 1)

    @cached_property
    def unedited(self) -> tuple[str, ...]:
        """Clips none of whose frames has a score."""
        return tuple(id_ for id_, share in self._filled.items() if share == 0)

    @cached_property
    def partly_edited(self) -> tuple[str, ...]:
        """Clips with a score for some frames only; none unless they were allowed when reading."""
        return tuple(id_ for id_, share in self._filled.items() if 0 < share < 1)

    def read(
        self,
        video_id: str,
        frame_indices: Int64[np.ndarray, " t"],
        *,
        n_frames: int | None = None,
    ) -> Float32[np.ndarray, " t"] | None:
        """Return the scores of some frames of a video; None where it is not edited.

        Args:
            video_id: The video's id in its dataset.
            frame_indices: Positions in the video, counted from 0; at least one.
            n_frames: Frames of the whole video; where None, they may be fewer than were edited.

        Raises:
            AttncliError: The video has more or fewer frames than were edited.
        """
        if self._filled.get(video_id) != 1:
            return None
        scores = self.scores[video_id]
        shown = int(frame_indices.max()) + 1
        if shown > len(scores) or n_frames not in (None, len(scores)):
            found = f"at least {shown}" if n_frames is None else n_frames
            raise AttncliError(
                f"clip {video_id!r} has scores for {len(scores)} frames, but its video has {found}",
                where=self.path,
                remedy="select and edit this clip again",
            )
        return scores[frame_indices]

    @cached_property
    def _filled(self) -> dict[str, float]:
        """Share of a clip's frames that have a score."""
        return {id_: float(np.mean(~np.isnan(scores))) for id_, scores in self.scores.items()}


def read_temporal_edits(
    path: Path,
    *,
    known: Collection[str] | None = None,
    n_frames: Mapping[str, int] | None = None,
    allow_partial: bool = False,
) -> TemporalEdits:
    """Return the edits in a file, all of them checked.

    Args:
        path: CSV file; a byte order mark, Windows line ends and blank lines do no harm.
        known: Ids of all clips there are; any id will do where None.
        n_frames: Frames of the video of every clip there is, in place of `known`.
        allow_partial: Whether a clip may have scores for some of its frames only, as it does while
            somebody edits it; such a clip counts as no edit.

    Raises:
        PartlyEditedError: Some clips may not have scores for some of their frames only.
        AttncliError: The file is missing or no such table, a row's id, frame or score cannot be,
            or a clip has a frame twice or not at all.
    """
    rows = _Rows.of(read_table(path, COLUMNS))
    rows.require_known(known if n_frames is None else n_frames)
    clips = rows.clips()
    for id_, scores in clips.items():
        _require_whole(path, id_, scores, (n_frames or {}).get(id_))
    edits = TemporalEdits(path, clips)
    if edits.partly_edited and not allow_partial:
        raise PartlyEditedError(path, {id_: clips[id_] for id_ in edits.partly_edited})
    return edits


def write_temporal_edits(path: Path, scores: Mapping[str, Float32[np.ndarray, " n"]]) -> None:
    """Write one row a frame; float32 scores survive the way to the file and back.

    Args:
        path: Where to write; what is there is replaced as a whole.
        scores: A score in [0, 1] for every frame of a video, by its id; NaN is left blank.
    """
    write_text(path, HEADER + "".join(edit_rows(id_, vector) for id_, vector in scores.items()))


def edit_rows(video_id: str, scores: Float32[np.ndarray, " n"]) -> str:
    """Return the lines that hold one video's scores, as `write_temporal_edits` writes them."""
    special = video_id != video_id.strip() or any(mark in video_id for mark in ',"\r\n')
    name = '"' + video_id.replace('"', '""') + '"' if special else video_id
    cells = ("" if text == "nan" else text.removesuffix(".0") for text in scores.astype(str))
    return "".join(f"{name},{frame},{cell}\n" for frame, cell in enumerate(cells))


@dataclass(frozen=True)
class _Rows:
    """The rows of a table of scores, as numbers."""

    table: Table
    ids: tuple[str, ...]
    """The clips, each once, in the order of the table."""
    clip: Int64[np.ndarray, " r"]
    """Position of each row's clip among them."""
    frame: Int64[np.ndarray, " r"]
    score: Float32[np.ndarray, " r"]
    """NaN where it is blank."""

    @classmethod
    def of(cls, table: Table) -> "_Rows":
        clip, ids = pd.factorize(table.cells["id"].to_numpy())
        return cls(
            table=table,
            ids=tuple(ids),
            clip=clip.astype(np.int64),
            frame=_parsed(table, "frame", _frame).astype(np.int64),
            score=_parsed(table, "score", _score).astype(np.float32),
        )

    def require_known(self, known: Collection[str] | None) -> None:
        """Refuse empty ids and, where they are known, those of no clip."""
        for number, id_ in enumerate(self.ids):
            if not id_ or (known is not None and id_ not in known):
                row = int((self.clip == number).argmax())
                remedy = "keep the ids that were there, as text"
                raise self.table.error(row, f"no such clip: {id_!r}", remedy=remedy)

    def clips(self) -> dict[str, Float32[np.ndarray, " n"]]:
        """Return the scores of each clip in the order of its frames, which must be 0 to n - 1."""
        order = np.lexsort((self.frame, self.clip))
        clip, frame = self.clip[order], self.frame[order]
        starts = np.searchsorted(clip, np.arange(len(self.ids)))
        expected = np.arange(len(order)) - starts[clip]
        wrong = frame != expected
        if wrong.any():
            first = int(wrong.argmax())
            found, missing = int(frame[first]), int(expected[first])
            which = f"{missing} is missing" if found > missing else f"{found} is listed twice"
            raise self.table.error(
                int(order[first]),
                f"clip {self.ids[clip[first]]!r}: frame {which}",
                remedy="give every frame one row, from 0 to the last",
            )
        return dict(zip(self.ids, np.split(self.score[order], starts[1:]), strict=False))


def _parsed(table: Table, column: str, parse: Callable[[str], float]) -> np.ndarray:
    """Return a column as numbers; each text in it is parsed once."""
    number, texts = pd.factorize(table.cells[column].to_numpy())
    values = np.empty(len(texts))
    for i, text in enumerate(texts):
        try:
            values[i] = parse(text.strip())
        except ValueError as error:
            row = int((number == i).argmax())
            id_, frame = table.cells[["id", "frame"]].iloc[row]
            raise table.error(row, f"clip {id_!r}, frame {frame}: {error}") from None
    return values[number]


def _frame(cell: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", cell):
        raise ValueError("a frame is a whole number, counted from 0")
    return int(cell)


def _score(cell: str) -> float:
    if not cell:
        return math.nan
    if "," in cell:
        raise ValueError(f"score {cell!r} has a comma; write decimals with a point, as 0.5")
    try:
        score = float(cell)
    except ValueError:
        raise ValueError(f"score {cell!r} is not a number; write one in [0, 1]") from None
    if not 0 <= score <= 1:
        raise ValueError(f"score {cell!r} is not in [0, 1]")
    return score


def _require_whole(path: Path, id_: str, scores: np.ndarray, n_frames: int | None) -> None:
    """Refuse a clip that has fewer or more frames than its video."""
    if n_frames is not None and len(scores) != n_frames:
        raise AttncliError(
            f"clip {id_!r} has {len(scores)} frames, its video {n_frames}",
            where=path,
            remedy="give every frame one row, from 0 to the last",
        )
