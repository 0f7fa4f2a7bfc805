"""Images as training and evaluation take them: read, resized, cut, batched.

A training image depends on the seed, the epoch and its row in the dataset alone, never on the
process that reads it or the batch it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torch.utils.data import default_collate

from attncli.batches import ImageBatch
from attncli.config.images import ImageConfig
from attncli.data.images.color import ColorJitter
from attncli.data.images.geometry import ImageView
from attncli.data.images.label_maps import IGNORE_LABEL, read_label_map
from attncli.data.images.reading import read_rgb
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.source import SeededReader, in_turn
from attncli.errors import AttncliError, Failure

TRUTH = "truth"
"""Name of the label maps that the dataset has of its images."""


class Purpose(IntEnum):
    """What random numbers are drawn for; each has a stream of its own."""

    VIEW = 0
    COLOR = 1


@dataclass(frozen=True)
class ReadImage:
    """One image, ready to be batched."""

    image: UInt8[Tensor, "h w 3"]
    """RGB values 0-255."""
    row: int
    """Position in the dataset."""
    label_map: UInt8[Tensor, "h w"] | None = None
    """True label of each pixel; None where there is none or nobody asks for it."""


class ImageReader(SeededReader):
    """The images of a dataset: crops of one size in training, else whole, each a batch of its own.

    Args:
        dataset: The images.
        config: How training images are cut.
        training: Whether to cut as in training, or to take images as they are.
        label_maps: Whether to read the label maps that images have.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        config: ImageConfig,
        *,
        training: bool,
        label_maps: bool = False,
    ) -> None:
        super().__init__(training=training, seed=config.seed)
        self.samples = dataset.samples
        self.config = config
        self.label_maps = label_maps
        self._n_classes = len(dataset.classes)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> ReadImage | Failure:
        """Return an image, or the `Failure` that kept it from being read."""
        sample = self.samples[row]
        try:
            read = self._read(sample, row)
        except AttncliError as error:
            return Failure(id=sample.id, path=str(sample.path), error=str(error))
        return self._drawn(read) if self.training else read

    def batches(self, rows: Sequence[int], size: int) -> list[list[int]]:
        """Return `size` training images a batch; others, whose sizes differ, alone."""
        return in_turn(rows, size if self.training else 1)

    def collate(self, items: Sequence[ReadImage | Failure]) -> ImageBatch:
        """Return images of one size as a batch with the failures beside them; all may have failed.

        Images whose labels are not known show no class; the dataset says which they are. Label maps
        are there where at least one image has one; those of the others ignore every pixel. In a
        worker process the large tensors are put where the main process can see them.
        """
        read = [item for item in items if isinstance(item, ReadImage)]
        failures = tuple(item for item in items if isinstance(item, Failure))
        if not read:
            return self._empty(failures)
        return ImageBatch(
            images=default_collate([item.image for item in read]).permute(0, 3, 1, 2),
            labels=torch.stack([self._labels(item.row) for item in read]),
            rows=torch.tensor([item.row for item in read]),
            label_maps=_label_maps(read),
            failures=failures,
        )

    def nothing(self) -> ImageBatch:
        """Return a batch without images."""
        return self._empty(())

    def _read(self, sample: ImageSample, row: int) -> ReadImage:
        image = read_rgb(sample.path)
        if not self.label_maps or sample.label_map is None:
            return ReadImage(torch.from_numpy(image), row)
        labels = read_label_map(
            sample.label_map, n_classes=self._n_classes, size_hw=image.shape[:2]
        )
        return ReadImage(torch.from_numpy(image), row, torch.from_numpy(labels))

    def _drawn(self, read: ReadImage) -> ReadImage:
        """Return what a training sample shows of an image, with colours changed."""
        height, width, _ = read.image.shape
        view = ImageView.draw(self.config, (height, width), self.generator(read.row, Purpose.VIEW))
        jitter = ColorJitter.draw(self.config, self.generator(read.row, Purpose.COLOR))
        resized = view.resize(read.image.permute(2, 0, 1)).permute(1, 2, 0).contiguous()
        colored = torch.from_numpy(jitter.apply(resized.numpy()))
        labels = read.label_map
        return ReadImage(
            image=view.cut(colored.permute(2, 0, 1)).permute(1, 2, 0).contiguous(),
            row=read.row,
            label_map=None if labels is None else view.apply_to_label_map(labels),
        )

    def _labels(self, row: int) -> Bool[Tensor, " k"]:
        labels = torch.zeros(self._n_classes, dtype=torch.bool)
        labels[sorted(self.samples[row].labels or ())] = True
        return labels

    def _empty(self, failures: tuple[Failure, ...]) -> ImageBatch:
        side = self.config.crop_px
        return ImageBatch(
            images=torch.empty(0, 3, side, side, dtype=torch.uint8),
            labels=torch.empty(0, self._n_classes, dtype=torch.bool),
            rows=torch.empty(0, dtype=torch.int64),
            failures=failures,
        )


def _label_maps(read: Sequence[ReadImage]) -> dict[str, UInt8[Tensor, "b h w"]]:
    if all(item.label_map is None for item in read):
        return {}
    unknown = torch.full(read[0].image.shape[:2], IGNORE_LABEL, dtype=torch.uint8)
    maps = [unknown if item.label_map is None else item.label_map for item in read]
    return {TRUTH: default_collate(maps)}
