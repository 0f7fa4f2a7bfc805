"""What a dataset is once its layout has been read: named videos with labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attncli.errors import AttncliError

Split = Literal["train", "val", "all"]

UNKNOWN_LABEL = -1


@dataclass(frozen=True)
class VideoSample:
    """One video of a dataset."""

    id: str
    """Path below the directory of videos without suffix, such as `Archery/v_Archery_g01_c03`."""
    path: Path
    """Video file, or directory with one image a frame; it need not be there."""
    label: int
    """Position of its class in the dataset's classes; -1 where it is not known."""
    subject: str | None = None
    """Who is to be seen; None where that is not known."""
    files: tuple[Path, ...] = ()
    """Its frames in order, where they are some of the images in `path`; else empty."""
    landmarks: Path | None = None
    """Directory with the landmarks of its face, a file a frame; None where there is none."""
    start: int | None = None
    """First frame of the clip to take, which may be negative; None leaves the choice."""
    listed_frames: int | None = None
    """How many frames its list says it has, as a directory of images; None where it does not."""


@dataclass(frozen=True)
class VideoDataset:
    """The videos of one split, in the order of its list."""

    layout: str
    """Name of the layout it was read from, such as `ucf101`."""
    root: Path
    """Directory or manifest it was read from."""
    classes: tuple[str, ...]
    """Names of all classes of the dataset, whether or not this split shows them."""
    samples: tuple[VideoSample, ...]
    """The videos."""
    notes: tuple[str, ...] = ()
    """What the user should be told about it, such as classes that have no folder here."""


def require_listed_frames(sample: VideoSample, n_frames: int) -> None:
    """Make sure that a directory of images holds as many as the list says it does.

    Raises:
        AttncliError: It holds more or fewer.
    """
    if sample.listed_frames not in (None, n_frames):
        raise AttncliError(
            f"holds {n_frames} frames, its list says {sample.listed_frames}",
            where=sample.path,
            remedy="extract the frames again, or correct the list",
        )
