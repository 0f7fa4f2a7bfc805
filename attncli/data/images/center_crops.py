"""Images as classifiers are tested with: resized by their short side, and the square in the middle.

Networks of people see whole images instead, all resized to one size.

An image is decoded once for all networks, and resized once for those that take it alike.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from attncli.data.images.geometry import ImageView
from attncli.data.images.reading import read_rgb
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure

Interpolation = Literal["bilinear", "bicubic"]
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class CenterCrop:
    """The square in the middle of an image whose short side has a certain length."""

    resize_px: int
    """What the short side is resized to, in pixels."""
    crop_px: int
    """Side of the square, at most that."""
    interpolation: Interpolation
    """How the image is resized; always smoothed where it is made smaller."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns of what comes out."""
        return self.crop_px, self.crop_px

    @property
    def about(self) -> dict[str, Any]:
        """What is written of it beside features."""
        return asdict(self)

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[Tensor, "3 s s"]:
        """Return the square; only what is in it is computed, however long the image is."""
        height, width = image.shape[:2]
        short = min(height, width)
        box = []
        for side in (width, height):
            resized = self.resize_px * side // short
            start = round((resized - self.crop_px) / 2)
            box += [start * side / resized, min(side, (start + self.crop_px) * side / resized)]
        left, right, top, bottom = box
        square = Image.fromarray(image).resize(
            (self.crop_px, self.crop_px),
            _FILTERS[self.interpolation],
            box=(left, top, right, bottom),
        )
        return torch.from_numpy(np.array(square)).permute(2, 0, 1)


@dataclass(frozen=True)
class WholeImage:
    """A whole image, resized whatever its aspect is."""

    size_hw: tuple[int, int]
    """Rows and columns of what comes out."""

    @property
    def about(self) -> dict[str, Any]:
        """What is written of it beside features."""
        return {"whole_hw": list(self.size_hw), "interpolation": "bilinear"}

    def __call__(self, image: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[Tensor, "3 h w"]:
        """Return the image, as networks of people are trained and tested with."""
        return ImageView.whole(self.size_hw).resize(torch.from_numpy(image).permute(2, 0, 1))


Cut = CenterCrop | WholeImage
"""What a network sees of an image."""


class Crops(NamedTuple):
    """What is seen of some images that follow each other in a dataset."""

    first: int
    """Row of the first one."""
    images: tuple[Tensor, ...]
    """What is seen (b, 3, h, w) in RGB values 0-255, for each way of cutting; black where an image
    could not be read."""
    is_read: Bool[Tensor, " b"]
    """Whether an image could be read."""
    failures: tuple[Failure, ...]
    """Those that could not."""


class CropReader:
    """Reads squares of images by their rows.

    Args:
        samples: The images.
        cuts: Ways of cutting; each image is cut in all of them.
    """

    def __init__(self, samples: Sequence[ImageSample], cuts: Sequence[Cut]) -> None:
        self.samples = samples
        self.cuts = cuts

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> tuple[int, list[Tensor] | Failure]:
        """Return a row with its squares, or with the `Failure` that kept them from being read."""
        sample = self.samples[row]
        try:
            image = read_rgb(sample.path)
        except AttncliError as error:
            return row, Failure(sample.id, str(sample.path), str(error))
        return row, [cut(image) for cut in self.cuts]

    def collate(self, items: Sequence[tuple[int, list[Tensor] | Failure]]) -> Crops:
        """Return images that follow each other as one batch, a place for each."""
        squares = [None if isinstance(item, Failure) else item for _, item in items]
        images = tuple(
            torch.stack(
                [_black(cut.size_hw) if one is None else one[number] for one in squares]
            ).contiguous(memory_format=torch.channels_last)
            for number, cut in enumerate(self.cuts)
        )
        is_read = torch.tensor([one is not None for one in squares])
        failures = tuple(item for _, item in items if isinstance(item, Failure))
        return Crops(items[0][0], images, is_read, failures)


def load_crops(
    reader: CropReader, batches: Iterable[Sequence[int]], *, workers: int, pin: bool = False
) -> Iterable[Crops]:
    """Return what yields the images of `batches`, one batch after the other.

    Args:
        reader: Reads them.
        batches: Rows of each, which follow each other.
        workers: Processes that read; 0 reads in this one.
        pin: Whether batches are put where a GPU can fetch them by itself.
    """
    loader: DataLoader[Any] = DataLoader(
        cast("Dataset[Any]", reader),
        batch_sampler=[list(rows) for rows in batches],
        num_workers=workers,
        collate_fn=reader.collate,
        pin_memory=pin,
        # Else the workers' seed is drawn from torch's global generator.
        generator=torch.Generator(),
    )
    return cast("Iterable[Crops]", loader)


def _black(size_hw: tuple[int, int]) -> UInt8[Tensor, "3 h w"]:
    return torch.zeros(3, *size_hw, dtype=torch.uint8)
