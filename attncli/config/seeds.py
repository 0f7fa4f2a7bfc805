"""How seeds are read that do not score the background."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from attncli.config.fields import Checked, Option
from attncli.errors import UsageError

BACKGROUND_POWER = 16.0
"""The paper's power of PSA's random walk (its code's `alpha`)."""


@dataclass(frozen=True, kw_only=True)
class Background(Checked):
    """The background's score beside class activation maps, which have none."""

    heading: ClassVar[str] = "Background of class activation maps"

    background_power: Annotated[float | None, Option(least=0)] = None
    """The background's score is 1 less the highest score, to this power.  [default: 16]"""
    background_score: Annotated[float | None, Option(least=0, most=1)] = None
    """The background's score, the same everywhere, in the place of a power."""

    def __post_init__(self) -> None:
        """Refuse two ways at once.

        Raises:
            UsageError: A value is out of its range, or both are given.
        """
        super().__post_init__()
        if self.background_power is not None and self.background_score is not None:
            flags = "--background-power and --background-score"
            raise UsageError("exclude each other", where=flags)

    @property
    def is_given(self) -> bool:
        """Whether either is said."""
        return self.background_power is not None or self.background_score is not None

    @property
    def power(self) -> float | None:
        """The power; None where the score is constant."""
        if self.background_score is not None:
            return None
        return BACKGROUND_POWER if self.background_power is None else self.background_power
