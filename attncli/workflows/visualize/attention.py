"""The attention that evaluations of runs left, and what the runs are called in a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attncli.errors import AttncliError, UsageError
from attncli.files.attention import Attention, attention_directory, open_attention


@dataclass(frozen=True)
class NamedAttention:
    """The attention of a run."""

    path: Path
    """The run, as it was named on the command line."""
    name: str
    """What it is called in a picture."""
    attention: Attention
    """Its attention, as it lies on disk."""


def open_runs(
    runs: Sequence[Path],
    names: Sequence[str],
    split: str,
    *,
    needs: Literal["spatial", "temporal"],
) -> list[NamedAttention]:
    """Open the attention of runs; nothing is read yet but which clips there are.

    Args:
        runs: Run directories.
        names: What they are called; by their directories where empty.
        split: Which evaluation of each run.
        needs: The kind of attention each run has to have.

    Raises:
        UsageError: There is not one name a run.
        AttncliError: A run has no such attention, or its files do not fit together.
    """
    return [
        NamedAttention(run, name, _open(attention_directory(run, split), needs))
        for run, name in zip(runs, names_of(runs, names), strict=True)
    ]


def names_of(runs: Sequence[Path], names: Sequence[str]) -> Sequence[str]:
    """Return what runs are called: `names`, or else their directories.

    Raises:
        UsageError: There is not one name a run.
    """
    if names and len(names) != len(runs):
        raise UsageError(
            f"{len(names)} names for {len(runs)} runs", where="--names", remedy="give one a run"
        )
    distinct = len({run.resolve().name for run in runs}) == len(runs)
    return names or [run.resolve().name if distinct else str(run) for run in runs]


def lack_temporal(runs: Sequence[Path], split: str) -> bool:
    """Return whether all runs have spatial attention, and none of them temporal attention."""
    try:
        opened = [open_attention(attention_directory(run, split)) for run in runs]
    except AttncliError:  # for others to report
        return False
    return all(attention.temporal is None for attention in opened)


def _open(directory: Path, needs: Literal["spatial", "temporal"]) -> Attention:
    attention = open_attention(directory)
    arrays = {"spatial": attention.spatial, "temporal": attention.temporal}
    if arrays[needs] is None:
        raise AttncliError(
            f"holds no {needs} attention", where=directory, remedy="leave out this run"
        )
    frames = {len(frames.split()) for frames in attention.clips["frames"]}
    if any(frames - {array.shape[1]} for array in arrays.values() if array is not None):
        raise AttncliError(
            "a clip has another number of frames than of maps",
            where=directory,
            remedy="evaluate the run again",
        )
    return attention
