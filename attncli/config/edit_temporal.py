"""Settings that decide which clips people edit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attncli.config.training import require


@dataclass(frozen=True, kw_only=True)
class SelectConfig:
    """How clips are chosen; kept beside them."""

    run: Path
    """Run directory whose mistakes they are."""
    split: Literal["train"] = "train"
    """Split of the run's dataset they are from."""
    below_percent: float = 50.0
    """A class is weak when its accuracy is below this on training and validation split alike."""
    weakest_classes: int | None = None
    """Number of classes to take instead: those that are weak first as `below_percent` rises."""
    max_clips: int | None = None
    """Most clips, taken from the classes in turn; all where unset."""

    def __post_init__(self) -> None:
        """Refuse values that choose nothing.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        require(0 < self.below_percent <= 100, "below_percent", "must be in (0, 100]")
        for name in ("weakest_classes", "max_clips"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, "must be at least 1")
