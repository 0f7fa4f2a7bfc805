"""Settings of `attncli refine-seeds import`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.errors import UsageError

Kind = Literal["cam", "walk", "crf", "label-maps"]


@dataclass(frozen=True, kw_only=True)
class ImportConfig(Checked):
    """What is imported; kept beside the seeds."""

    source: Annotated[Path, ARGUMENT]
    """Directory with a file an image: ID.npy, or ID.png of label maps."""
    data: Path
    """Dataset of the images: directory or manifest."""
    kind: Kind
    """What the files hold: class activation maps of PSA or IRN (`cam`), whose keys count the
    classes from 0, scores after PSA's random walk (`walk`) or a CRF (`crf`), whose key 0 is the
    background, or `label-maps`, palette or grey PNGs."""
    split: Literal["train", "val", "all"] = "train"
    """List of images whose files are read."""
    layout: str = "auto"
    """Layout of the dataset; `auto` recognises it."""
    train_list: str | None = None
    """List of training images in ImageSets/Segmentation of VOC2012, or a file; `train_aug` where it
    is there, else `train`, where unset."""
    labels: str = "auto"
    """Where image labels of VOC2012 are from: `annotations` (XML), `label-maps`, a CSV file, or
    `auto`; scores of classes that an image does not show are refused."""
    allow_pickle: bool = False
    """Read files that are pickled, as dictionaries of arrays are. They can make arrays, tensors,
    lists, dictionaries, numbers and texts; whatever else they ask for is refused."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: Label maps are said to be pickled, or a text is empty.
        """
        super().__post_init__()
        if self.kind == "label-maps" and self.allow_pickle:
            raise UsageError("is for scores, not for label maps", where="--allow-pickle")
        for name in ("labels", "train_list"):
            if getattr(self, name) == "":
                flag = f"--{name.replace('_', '-')}"
                raise UsageError("must not be empty", where=flag)


@dataclass(frozen=True, kw_only=True)
class ImportCall(ImportConfig):
    """What is imported, and where to."""

    out: Annotated[Path, Option(short="-o")] = Path("seeds/imported")
    """Seed directory to write."""
    workers: Annotated[int | None, Option(short="-j", least=1)] = None
    """Images worked on at the same time; one a core where unset."""
