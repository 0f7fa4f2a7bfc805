"""Images as training and evaluation take them: read, resized, cut, batched.

A training image depends on the seed, the epoch and its row in the dataset alone, never on the
process that reads it or the batch it is in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torch.utils.data import default_collate
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from attncli.batches import ImageBatch
from attncli.config.images import ImageConfig
from attncli.data.images.color import ColorJitter
from attncli.data.images.geometry import ImageView
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.reading import read_rgb
from attncli.data.images.seed_maps import SeedMaps
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.source import SeededReader, in_turn
from attncli.errors import AttncliError, Failure
from attncli.files.label_maps import IGNORE_LABEL

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
    label_maps: Mapping[str, UInt8[Tensor, "_ _"]] = field(default_factory=dict)
    """Label of each pixel, or of each small square of them, by where it is known from."""
    small_image: UInt8[Tensor, "hs ws 3"] | None = None
    """The image without changed colours, a pixel a label; None where nobody asks for it."""


class ImageReader(SeededReader):
    """The images of a dataset: crops of one size in training, else whole, each a batch of its own.

    Settings may ask for whole images of one size instead (`ImageConfig.whole_hw`), which go
    together in tests too.

    Args:
        dataset: The images.
        config: How training images are cut.
        training: Whether to cut as in training, or to take images as they are.
        label_maps: Whether to read the label maps that images have.
        seeds: What training images are read with besides, and at what size.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        config: ImageConfig,
        *,
        training: bool,
        label_maps: bool = False,
        seeds: SeedMaps | None = None,
    ) -> None:
        super().__init__(training=training, seed=config.seed)
        self.samples = dataset.samples
        self.config = config
        self.label_maps = label_maps
        self.seeds = seeds if training else None
        self._n_classes = len(dataset.classes)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> ReadImage | Failure:
        """Return an image, or the `Failure` that kept it from being read."""
        sample = self.samples[row]
        try:
            read = self._read(sample, row)
            return self._drawn(read) if self.training else self._whole(read)
        except AttncliError as error:
            return Failure(id=sample.id, path=str(sample.path), error=str(error))

    def batches(self, rows: Sequence[int], size: int) -> list[list[int]]:
        """Return `size` images a batch where all are of one size; others alone."""
        alike = self.training or self.config.whole_hw is not None
        return in_turn(rows, size if alike else 1)

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
            small_images=_small_images(read),
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
        return ReadImage(torch.from_numpy(image), row, {TRUTH: torch.from_numpy(labels)})

    def _whole(self, read: ReadImage) -> ReadImage:
        """Return an image as tests see it."""
        if self.config.whole_hw is None:
            return read
        view = ImageView.whole(self.config.whole_hw)
        resized = view.resize(read.image.permute(2, 0, 1)).permute(1, 2, 0).contiguous()
        maps = {name: view.apply_to_label_map(labels) for name, labels in read.label_maps.items()}
        return replace(read, image=resized, label_maps=maps)

    def _drawn(self, read: ReadImage) -> ReadImage:
        """Return what a training sample shows of an image, with colours changed."""
        size_hw = (read.image.shape[0], read.image.shape[1])
        view = ImageView.draw(self.config, size_hw, self.generator(read.row, Purpose.VIEW))
        jitter = ColorJitter.draw(self.config, self.generator(read.row, Purpose.COLOR))
        resized = view.resize(read.image.permute(2, 0, 1)).permute(1, 2, 0).contiguous()
        colored = torch.from_numpy(jitter.apply(resized.numpy()))
        maps = {name: view.apply_to_label_map(labels) for name, labels in read.label_maps.items()}
        small = None
        if self.seeds is not None:
            maps |= self.seeds.read(self.samples[read.row].id, size_hw, view)
            small = _small(view.cut(resized.permute(2, 0, 1)), self.seeds.stride)
        cut = view.cut(colored.permute(2, 0, 1)).permute(1, 2, 0).contiguous()
        return ReadImage(image=cut, row=read.row, label_maps=maps, small_image=small)

    def _labels(self, row: int) -> Bool[Tensor, " k"]:
        labels = torch.zeros(self._n_classes, dtype=torch.bool)
        labels[sorted(self.samples[row].labels or ())] = True
        return labels

    def _empty(self, failures: tuple[Failure, ...]) -> ImageBatch:
        rows, columns = self.config.crop_hw
        maps, small = {}, None
        if self.seeds is not None:
            stride = self.seeds.stride
            small = torch.empty(0, 3, rows // stride, columns // stride, dtype=torch.uint8)
            maps = dict.fromkeys(self.seeds.directories, small[:, 0])
        return ImageBatch(
            images=torch.empty(0, 3, rows, columns, dtype=torch.uint8),
            labels=torch.empty(0, self._n_classes, dtype=torch.bool),
            rows=torch.empty(0, dtype=torch.int64),
            label_maps=maps,
            small_images=small,
            failures=failures,
        )


def _small(image: UInt8[Tensor, "3 s s"], stride: int) -> UInt8[Tensor, "sl sl 3"]:
    """Return a crop made small without smoothing, as its scores are."""
    side = image.shape[1] // stride
    small = transforms.resize(image, [side, side], InterpolationMode.BILINEAR, antialias=False)
    return small.permute(1, 2, 0).contiguous()


def _small_images(read: Sequence[ReadImage]) -> UInt8[Tensor, "b 3 sl sl"] | None:
    small = [item.small_image for item in read if item.small_image is not None]
    return default_collate(small).permute(0, 3, 1, 2) if small else None


def _label_maps(read: Sequence[ReadImage]) -> dict[str, UInt8[Tensor, "b _ _"]]:
    """Return the label maps of a batch by name; of images without one every pixel is ignored."""
    shapes = {name: labels.shape for item in read for name, labels in item.label_maps.items()}
    unknown = {
        name: torch.full(shape, IGNORE_LABEL, dtype=torch.uint8) for name, shape in shapes.items()
    }
    return {
        name: default_collate([item.label_maps.get(name, unknown[name]) for item in read])
        for name in shapes
    }
