"""Which values of an attention map count as its 0 and its 1 before it is measured or drawn."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from attncli.errors import AttncliError

Range = Literal["frame", "clip", "none"]


def stretched(
    maps: Float[np.ndarray, "n t h w"],
    value_range: Range,
    *,
    first_row: int = 0,
    where: str = "attention maps",
) -> Float[np.ndarray, "n t h w"]:
    """Return maps whose smallest value is 0 and whose largest is 1.

    Values that are all equal become 1: such a map singles nothing out and looks everywhere.

    Args:
        maps: Attention of each frame of each clip.
        value_range: Over what the smallest and the largest value are taken: each frame, each
            clip, or `none`, which asks for values in [0, 1] and leaves them as they are.
        first_row: Row of the first clip, for an error.
        where: What to call the maps in an error.

    Raises:
        AttncliError: A value is not finite, or outside [0, 1] with `none`; its row is named.
    """
    clips = len(maps)
    spans = clips if value_range == "clip" else clips * maps.shape[1]
    values = maps.reshape(spans, -1).astype(np.promote_types(maps.dtype, np.float32))
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    bad, complaint = ~(np.isfinite(low) & np.isfinite(high)), "a value is not finite"
    if value_range == "none" and not bad.any():
        bad, complaint = (low < 0) | (high > 1), "a value is outside [0, 1]"
    if bad.any():
        row = first_row + int(np.argmax(bad.reshape(clips, -1).any(axis=1)))
        raise AttncliError(complaint, where=f"{where}, row {row}")
    if value_range != "none":
        flat = low == high
        values -= low
        values /= np.where(flat, 1, high - low)
        values[flat[:, 0]] = 1
    return values.reshape(maps.shape)
