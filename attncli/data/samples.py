"""What a dataset is once its layout has been read: named samples with labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

from attncli.errors import AttncliError

Split = Literal["train", "val", "test", "all"]

UNKNOWN_LABEL = -1

Role = Literal["query", "gallery", "multi-query"]
"""What an image is for where people are to be found again: to be looked for, or among.

Images of role `multi-query` of one person and camera are a query together, for whom it is asked.
"""
MULTI_QUERY: Role = "multi-query"


@runtime_checkable
class Sample(Protocol):
    """What is known of any sample before it is read."""

    @property
    def id(self) -> str:
        """Its name in the dataset."""
        ...

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    @property
    def is_labelled(self) -> bool:
        """Whether the dataset says what it shows."""
        ...

    @property
    def origins(self) -> frozenset[object]:
        """What it has in common with other samples of the same thing."""
        ...


@runtime_checkable
class Samples(Protocol):
    """The samples of one split, in the order of its list."""

    unit: ClassVar[str]
    """What samples are called in messages and figures, such as `clips`."""
    origin_unit: ClassVar[str]
    """What they are taken from, such as `videos`."""

    @property
    def layout(self) -> str:
        """Name of the layout it was read from."""
        ...

    @property
    def root(self) -> Path:
        """Directory or manifest it was read from."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of all classes of the dataset, whether or not this split shows them."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told about it."""
        ...


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

    @property
    def is_labelled(self) -> bool:
        """Whether its class is known."""
        return self.label != UNKNOWN_LABEL

    @property
    def origins(self) -> frozenset[object]:
        """What it has in common with other clips of the same video."""
        return frozenset({self.id, self.files or self.path})


@dataclass(frozen=True)
class VideoDataset:
    """The videos of one split, in the order of its list."""

    unit: ClassVar[str] = "clips"
    origin_unit: ClassVar[str] = "videos"

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


@dataclass(frozen=True)
class ImageSample:
    """One image of a dataset."""

    id: str
    """Path below the directory of images without suffix, such as `2007_000033`."""
    path: Path
    """Image file; it need not be there."""
    labels: frozenset[int] | None
    """Positions in the dataset's classes of what it shows, none at all of a picture of background;
    None where that is not known."""
    label_map: Path | None = None
    """Image with the true class of each pixel (0 background, i + 1 class i, 255 ignored); None
    where there is none."""
    subject: str | None = None
    """Who is to be seen; None where that is not known."""
    camera: str | None = None
    """Which camera took it; None where that is not known."""
    role: Role | None = None
    """Whether its subject is looked for, alone or together with other images, or looked for among
    others; None where none of these."""

    @property
    def is_labelled(self) -> bool:
        """Whether it is known what it shows."""
        return self.labels is not None

    @property
    def origins(self) -> frozenset[object]:
        """What it has in common with other samples of the same image."""
        return frozenset({self.id, self.path})


@dataclass(frozen=True)
class ImageDataset:
    """The images of one split, in the order of its list."""

    unit: ClassVar[str] = "images"
    origin_unit: ClassVar[str] = "images"

    layout: str
    """Name of the layout it was read from, such as `voc2012`."""
    root: Path
    """Directory or manifest it was read from."""
    classes: tuple[str, ...]
    """Names of all classes of the dataset without the background, whether or not shown here."""
    samples: tuple[ImageSample, ...]
    """The images."""
    labels_from: str
    """Where image labels are from: `annotations`, `label maps`, `folders`, `manifest` or a file."""
    notes: tuple[str, ...] = field(default=())
    """What the user should be told about it."""


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
