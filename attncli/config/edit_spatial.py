"""Settings of `attncli edit-spatial`: which clips people paint on, and what they may choose."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from attncli.config.edit_temporal import SelectCall, SelectConfig
from attncli.config.fields import ARGUMENT, Checked, Option


@dataclass(frozen=True, kw_only=True)
class SelectSpatialConfig(SelectConfig):
    """How clips are chosen, and where candidates for their edits are from."""

    masks: Path | None = None
    """Mask directory, as `attncli segment` writes it: instances to choose from."""


@dataclass(frozen=True, kw_only=True)
class SelectSpatialCall(SelectCall):
    """Where chosen clips go, and how the network is run that is wrong about them."""

    out: Path = Path("spatial")
    """Where to write."""


@dataclass(frozen=True, kw_only=True)
class SpatialEditsCall(Checked):
    """Which edits."""

    edits: Annotated[Path, ARGUMENT]
    """Edit directory, as `edit-spatial select` writes it."""


@dataclass(frozen=True, kw_only=True)
class FromMasksCall(SpatialEditsCall):
    """Which masks become edits."""

    masks: Path | None = None
    """Mask directory, as `attncli segment` writes it; those that `select` was given where unset."""
    keep: Annotated[tuple[str, ...], Option(is_repeated=True, metavar="CATEGORY")] = ()
    """Category of instances that count, such as person; may be repeated; all where unset."""
    keep_existing: bool = False
    """Take masks only for clips that have no edit yet; all others stay as they are."""
