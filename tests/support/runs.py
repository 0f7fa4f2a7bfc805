"""Run directories as a training leaves them, of networks nobody trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attncli.files.attention import AttentionWriter, ClipRecord
from attncli.files.checkpoints import write_weights
from attncli.files.runs import create
from tests.support.networks import build
from tests.support.settings import tiny


def begin_run(
    path: Path, method: str, data: Path, classes: Sequence[str] = ("A", "B"), **changes: Any
) -> Path:
    """Write a run that has no weights yet, and return its path.

    Args:
        path: Its directory.
        method: Name in the catalog.
        data: Its dataset.
        classes: Names of the classes.
        changes: Settings that are not as in `tiny`.
    """
    create(path, tiny(method, data=data, **changes), method, classes, {})
    return path


def make_run(
    path: Path,
    method: str,
    data: Path,
    classes: Sequence[str] = ("A", "B"),
    *,
    seed: int = 0,
    **changes: Any,
) -> Path:
    """Write a run with the weights that a training would begin with; `begin_run` says the rest."""
    begin_run(path, method, data, classes, **changes)
    config = tiny(method, data=data, **changes)
    model = build(method, config, len(classes), seed=seed).model
    write_weights(path / "model.safetensors", model, {})
    return path


def write_attention(
    run: Path, records: Sequence[ClipRecord], *, split: str = "val", **kinds: np.ndarray | None
) -> None:
    """Let a run have been evaluated on a split: `spatial` and `temporal` attention of its clips."""
    with AttentionWriter(run / "eval" / split / "attention") as writer:
        writer.append(records, **kinds)
