"""Settings that decide which clips people edit the spatial attention of."""

from dataclasses import dataclass
from pathlib import Path

from attncli.config.edit_temporal import SelectConfig


@dataclass(frozen=True, kw_only=True)
class SelectSpatialConfig(SelectConfig):
    """How clips are chosen, and where candidates for their edits are from."""

    masks: Path | None = None
    """Mask directory whose instances are candidates; there are none where unset."""
