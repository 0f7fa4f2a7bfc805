"""What commands are told that ask trained networks about every clip of a split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import Checked, Option
from attncli.config.runs import RunsCall
from attncli.config.seeds import Background
from attncli.config.training import Precision
from attncli.errors import UsageError

ARCHIVES = (".tgz", ".tar.gz")
"""How names of archives end."""


@dataclass(frozen=True, kw_only=True)
class AskCall(RunsCall):
    """Which networks are asked about which clips, and how they are run."""

    split: Literal["train", "val", "test"] = "val"
    """Part of the dataset; UCF101's test list is `val`. `test` is VOC2012's, of images without
    labels."""
    checkpoint: str = "last"
    """Weights: `last`; `best`, which were chosen by their score on the validation split and so look
    better there; or a file."""
    data: Path | None = None
    """Dataset to read instead of the run's own; seed directories have none of their own."""
    batch_size: Annotated[int | None, Option(least=1)] = None
    """Inputs in one pass."""
    workers: Annotated[int | None, Option(short="-j", least=0)] = None
    """Processes that read clips; the run's own where unset."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""
    precision: Precision | None = None
    """Arithmetic; the run's own where unset."""


@dataclass(frozen=True)
class Views:
    """How often a network looks at an image to tell the class of each pixel, and what follows."""

    scales: tuple[float, ...] = (1.0,)
    """Sizes in which it looks at it, 1 its own."""
    flip: bool = False
    """Whether it looks at the mirror image, too."""
    crf: bool = False
    """Whether a CRF over all classes makes the answer follow the image's edges."""
    compat_reference: bool = False
    """Whether images are warped to 448x448 and sums of probabilities go through a softmax."""

    def __post_init__(self) -> None:
        """Refuse never to look.

        Raises:
            UsageError: There is no scale, or one that is no size.
        """
        if not self.scales or min(self.scales) <= 0:
            raise UsageError("must be one positive number or several", where="--scales")


ONE_LOOK = Views()
"""At the image as it is."""


@dataclass(frozen=True, kw_only=True)
class LabelMapCall(Checked):
    """How runs that tell the class of each pixel are asked."""

    heading: ClassVar[str] = "Label maps"

    scales: Annotated[tuple[float, ...] | None, Option(least=0.1, most=4)] = None
    """Sizes in which an image is looked at, 1 its own; the run's own where unset."""
    flip: bool | None = None
    """Look at mirror images, too; the run's own choice where unset."""
    crf: bool | None = None
    """Let a CRF over all classes refine the answer; the run's own choice where unset."""
    compat_reference: bool = False
    """Warp images to 448x448, and put the sum of probabilities through a softmax before the CRF, as
    the reference code does."""
    pack: Path | None = None
    """Archive (.tgz) to write for VOC's evaluation server, of the label maps of one run on
    `--split test`."""
    competition: Literal["comp5", "comp6"] = "comp6"
    """The server's name for what was trained on: comp5 VOC's own data alone, comp6 other data
    too, such as ImageNet."""

    @property
    def views(self) -> dict[str, object]:
        """What is asked for otherwise than a run says itself, by name."""
        given = {"scales": self.scales, "flip": self.flip, "crf": self.crf}
        given["compat_reference"] = self.compat_reference or None
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class SeedsCall(Background):
    """How seed directories are scored."""

    background_oracle: bool = False
    """Try constant scores of the background from 0.01 to 1, and tell the one with the highest mean
    IoU: what a choice by the true label maps would gain."""
    train_list: str | None = None
    """List of training images, such as `train`, or a file, that seeds are scored on; `train_aug`
    where it is there, else `train`, where unset."""

    def __post_init__(self) -> None:
        """Refuse two ways at once.

        Raises:
            UsageError: A value is out of its range, or two ways are given.
        """
        super().__post_init__()
        if self.background_oracle and self.has_background:
            flags = "--background-oracle and --background-power or --background-score"
            raise UsageError("exclude each other", where=flags)

    @property
    def has_background(self) -> bool:
        """Whether a score of the background is given."""
        return self.background_power is not None or self.background_score is not None

    @property
    def about_seeds(self) -> bool:
        """Whether something is asked that class activation maps alone answer."""
        return self.background_oracle or self.has_background


@dataclass(frozen=True, kw_only=True)
class PeopleCall(Checked):
    """How features of people are ranked."""

    heading: ClassVar[str] = "People"

    unmatched: Literal["skip", "zero"] = "skip"
    """What a query counts for whose person is in the gallery by no other camera: nothing, or 0."""
    multi_query: bool = False
    """Take the mean feature of all query images of a person by a camera for one query."""

    @property
    def about_people(self) -> tuple[str, ...]:
        """Options that are given and say how people are ranked."""
        given = {"--unmatched": self.unmatched != "skip", "--multi-query": self.multi_query}
        return tuple(flag for flag, is_given in given.items() if is_given)


@dataclass(frozen=True, kw_only=True)
class EvaluateCall(AskCall, LabelMapCall, SeedsCall, PeopleCall):
    """How networks, features and seeds are scored besides."""

    heading: ClassVar[str] = "Options"

    frames: Annotated[int | None, Option(least=1)] = None
    """Frames of a clip; the run's own where unset. Networks with temporal attention take no
    others."""
    temporal_edits: Path | None = None
    """Edits of training clips, as `attncli edit-temporal` writes them: the classes they are of and
    all others get figures of their own."""
    again: bool = False
    """Evaluate what is there already of the same weights, data and options, too."""

    def __post_init__(self) -> None:
        """Refuse to pack what the server does not take.

        Raises:
            UsageError: A value is out of its range, or two exclude each other.
        """
        super().__post_init__()
        if self.pack is not None and (self.split != "test" or len(self.runs) != 1):
            remedy = "name one run and --split test"
            raise UsageError("packs one run on the test split", where="--pack", remedy=remedy)
        if self.pack is not None and not self.pack.name.endswith(ARCHIVES):
            raise UsageError(f"must end in {' or '.join(ARCHIVES)}", where="--pack")
