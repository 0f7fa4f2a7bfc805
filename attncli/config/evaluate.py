"""What commands are told that ask trained networks about every clip of a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from attncli.config.fields import Option
from attncli.config.runs import SplitCall
from attncli.config.training import Precision


@dataclass(frozen=True, kw_only=True)
class AskCall(SplitCall):
    """Which networks are asked about which clips, and how they are run."""

    checkpoint: str = "last"
    """Weights: `last`; `best`, which were chosen by their score on the validation split and so look
    better there; or a file."""
    data: Path | None = None
    """Dataset to read instead of the run's own."""
    batch_size: Annotated[int | None, Option(least=1)] = None
    """Inputs in one pass."""
    workers: Annotated[int | None, Option(short="-j", least=0)] = None
    """Processes that read clips; the run's own where unset."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""
    precision: Precision | None = None
    """Arithmetic; the run's own where unset."""


@dataclass(frozen=True, kw_only=True)
class EvaluateCall(AskCall):
    """How networks are scored besides."""

    frames: Annotated[int | None, Option(least=1)] = None
    """Frames of a clip; the run's own where unset. Networks with temporal attention take no
    others."""
    temporal_edits: Path | None = None
    """Edits of training clips, as `attncli edit-temporal` writes them: the classes they are of and
    all others get figures of their own."""
