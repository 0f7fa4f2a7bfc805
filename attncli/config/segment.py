"""Settings of segmentation that decide which masks come out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attncli.config.training import require

Backend = Literal["torchvision", "detectron2", "motion"]


@dataclass(frozen=True, kw_only=True)
class SegmentConfig:
    """How instances are found; kept beside the masks."""

    backend: Backend = "torchvision"
    """What finds them: a detector of torchvision or detectron2, or motion before a background."""
    model: str | None = None
    """Detector of the backend; its usual one where unset."""
    weights: Path | None = None
    """State-dict of the detector; the published COCO weights where unset."""
    score_threshold: float = 0.5
    """Score below which a detection is dropped."""
    classes: tuple[str, ...] = ()
    """Names of the classes that are kept; all where empty."""
    min_area_px: int = 0
    """Pixels below which an instance is dropped."""
    frame_stride: int = 1
    """Every how many-th frame is segmented, besides the last."""
    short_side_px: int | None = None
    """What the shorter side of a frame is resized to for the search; the backend's own if unset."""

    def __post_init__(self) -> None:
        """Refuse values that find nothing.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        require(0 <= self.score_threshold <= 1, "score_threshold", "must be in [0, 1]")
        require(self.min_area_px >= 0, "min_area", "must not be negative")
        require(self.frame_stride >= 1, "frame_stride", "must be at least 1")
        require(
            self.short_side_px is None or self.short_side_px >= 16,
            "short_side_px",
            "must be at least 16",
        )
