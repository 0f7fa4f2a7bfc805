"""The attention of the clips that an evaluation asks about, on its way to disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from attncli.batches import ClipBatch
from attncli.evaluation.asked import Asked
from attncli.files.attention import AttentionWriter, ClipRecord, open_attention
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Row
from attncli.types import BranchOutputs

CROP_DECIMALS = 3  # of a source pixel


def keep_attention(
    writer: AttentionWriter, asked: Asked, batch: ClipBatch, outputs: BranchOutputs
) -> None:
    """Write the attention behind the answers to a batch; nothing but clips where there is none."""
    writer.append(
        _records(asked, batch, outputs),
        spatial=_array(outputs.spatial_attention),
        temporal=_array(outputs.temporal_attention),
    )


def sharpness(attention: Path) -> Row:
    """Return the entropy with the paper's settings, where there are maps to measure."""
    spatial = open_attention(attention).spatial if attention.is_dir() else None
    return {} if spatial is None else {"entropy": float(map_entropy(spatial).clip_bits.mean())}


def _array(values: Tensor | None) -> np.ndarray | None:
    return None if values is None else values.float().cpu().numpy()


def _records(asked: Asked, batch: ClipBatch, outputs: BranchOutputs) -> Sequence[ClipRecord]:
    columns = (
        batch.rows.tolist(),
        outputs.scores.float().cpu().numpy().argmax(axis=1).tolist(),  # of equal ones the first
        batch.frame_indices.tolist(),
        batch.crops.tolist(),
        batch.flips.tolist(),
    )
    return [
        ClipRecord(
            row=row,
            id=asked.samples[row].id,
            label=asked.class_name(asked.samples[row].label),
            predicted=asked.classes[predicted],
            frames=tuple(frames),
            crop=tuple(round(edge, CROP_DECIMALS) for edge in crop),
            flip=flip,
        )
        for row, predicted, frames, crop, flip in zip(*columns, strict=True)
    ]
