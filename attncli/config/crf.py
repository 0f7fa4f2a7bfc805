"""Settings of dense conditional random fields (CRFs); the defaults are the paper's."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import Checked, Option, flag_of
from attncli.errors import UsageError

POSITIVE = ("gaussian_px", "bilateral_px", "bilateral_color")
FINITE = (*POSITIVE, "gaussian_weight", "bilateral_weight")


@dataclass(frozen=True, kw_only=True)
class CrfConfig(Checked):
    """A dense CRF over the pixels of an image in full resolution (Krähenbühl and Koltun, 2011)."""

    heading: ClassVar[str] = "Dense CRF"

    crf_iterations: Annotated[int, Option(least=0)] = 10
    """Mean-field iterations."""
    gaussian_px: Annotated[float, Option(least=0)] = 3.0
    """Standard deviation of the kernel of positions, in pixels."""
    gaussian_weight: Annotated[float, Option(least=0)] = 3.0
    """Weight of the kernel of positions."""
    bilateral_px: Annotated[float, Option(least=0)] = 80.0
    """Standard deviation of the kernel of positions and colours: its positions, in pixels."""
    bilateral_color: Annotated[float, Option(least=0)] = 13.0
    """Its colours, in steps of 255."""
    bilateral_weight: Annotated[float, Option(least=0)] = 10.0
    """Weight of the kernel of positions and colours."""
    crf_backend: Literal["pydensecrf", "torch"] = "pydensecrf"
    """What computes it: pydensecrf on a CPU, or torch on the device."""

    def __post_init__(self) -> None:
        """Refuse kernels that are none.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        for name in FINITE:
            if not math.isfinite(getattr(self, name)):
                raise UsageError("must be finite", where=flag_of(name))
        for name in POSITIVE:
            if getattr(self, name) == 0:
                raise UsageError("must be positive", where=flag_of(name))
