"""Settings of `attncli export`: which run's network is written in which format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class ExportCall(Checked):
    """Which network is written, and where to."""

    run: Annotated[Path, ARGUMENT]
    """Run directory of a network; of a run of folds the directory of one fold."""
    onnx: Path
    """ONNX file to write (.onnx)."""
    checkpoint: str = "last"
    """Weights: `last`, `best`, or a file."""
    size_px: Annotated[int | None, Option(least=1, most=10_000)] = None
    """Side of the square images that it takes, of runs on images; their crops of training where
    unset. Runs on clips take clips of the run's own size."""

    def __post_init__(self) -> None:
        """Refuse another kind of file.

        Raises:
            UsageError: A value is out of its range, or the file's name does not end in .onnx.
        """
        super().__post_init__()
        if self.onnx.suffix.lower() != ".onnx":
            raise UsageError(f"{str(self.onnx)!r} must end in .onnx", where="--onnx")
