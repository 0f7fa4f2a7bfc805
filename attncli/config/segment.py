"""Settings of `attncli segment`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from attncli.config.fields import ARGUMENT, Checked, Option

Backend = Literal["torchvision", "detectron2", "motion"]


@dataclass(frozen=True, kw_only=True)
class SegmentConfig(Checked):
    """How instances are found; kept beside the masks."""

    backend: Backend = "torchvision"
    """What finds instances: a detector of torchvision or detectron2, or motion before the
    background, which needs no weights."""
    model: str | None = None
    """Detector: maskrcnn_resnet50_fpn_v2 (default) or maskrcnn_resnet50_fpn of torchvision; a
    configuration of detectron2's model zoo, by default
    COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml."""
    weights: Path | None = None
    """State-dict of the detector; the published COCO weights where unset."""
    score_threshold: Annotated[float, Option(least=0, most=1)] = 0.5
    """Score below which a detection is dropped."""
    classes: tuple[str, ...] = ()
    """Classes to keep, as in person,dog; all where empty."""
    min_area_px: Annotated[int, Option(least=0)] = 0
    """Instances of fewer pixels are dropped."""
    frame_stride: Annotated[int, Option(least=1)] = 1
    """Distance between segmented frames: 2 segments every second one, and the last; training gives
    the others the masks of the one before."""
    short_side_px: Annotated[int | None, Option(least=16)] = None
    """Pixels the shorter side of a frame is resized to for the search; masks are of the video's
    size all the same. Unset: 800 for detectors, at most 240 for motion."""


@dataclass(frozen=True, kw_only=True)
class SegmentCall(Checked):
    """What is segmented, where to and on what."""

    data: Annotated[Path, ARGUMENT]
    """Dataset directory or manifest."""
    out: Annotated[Path, Option(short="-o")] = Path("masks")
    """Mask directory to write."""
    layout: str = "auto"
    """Layout of the dataset; `auto` recognises it."""
    batch_size: Annotated[int, Option(least=1)] = 4
    """Frames a detector takes at once."""
    workers: Annotated[int | None, Option(short="-j", least=1)] = None
    """Videos worked on at the same time; unset: one a core for motion, else one."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""
