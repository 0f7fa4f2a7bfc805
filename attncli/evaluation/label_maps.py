"""Label maps: which class every pixel of an image is of, as a network tells it without any label.

`eval/SPLIT/` gets `label_maps/ID.png`, a directory like those of seeds, `classes.csv` with the
figures of each class, and `confusion.csv`: pixels of each class (rows) given each class (columns).

An image is looked at in several sizes and mirrored, and the probabilities are averaged at its own
size (SSDD, 4.1: scales 0.5 to 1.5 and mirror images, then a CRF over all classes). The reference
code warps every image to 448x448 first, and puts the sum of the probabilities through another
softmax, which makes them more alike before the CRF; `Views.compat_reference` does the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from attncli.batches import ImageBatch
from attncli.config.crf import CrfConfig
from attncli.config.evaluate import Views
from attncli.data.images.batches import TRUTH
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.files.hashes import sha256_of
from attncli.files.label_maps import SUFFIX, write_label_map
from attncli.files.seeds import write_description
from attncli.files.tables import write_table
from attncli.layers.dense_crf import dense_crf
from attncli.metrics.segmentation import (
    iou_percent,
    mean_iou_percent,
    pixel_accuracy_percent,
    pixel_confusion,
    precision_percent,
    recall_percent,
    undefined_pixels,
)
from attncli.reporting import Row

LABEL_MAPS = "label_maps"
STAGE = "segmentation"
"""What `seeds.toml` of label maps says that made them."""
BACKGROUND = "background"
"""Name of class 0 of label maps."""
REFERENCE_PX = 448
"""Rows and columns that the reference code warps every image to."""

Share = tuple[list[int], Int64[np.ndarray, "n m"], Path | None]
"""What one process knows: rows, the table of pixels, and where the label maps are."""


@runtime_checkable
class Scores(Protocol):
    """What a network answers to images, with other things or alone."""

    @property
    def scores(self) -> Float[Tensor, "b k hs ws"]:
        """Scores (logits) of all classes, the background first, on a grid over each image."""
        ...


@runtime_checkable
class SegmentationLike(Protocol):
    """A network that scores the classes of each part of an image."""

    def __call__(self, images: UInt8[Tensor, "b 3 h w"]) -> Scores:
        """Return class scores."""
        ...


class LabelMaps:
    """What is made of images whose every pixel is told a class.

    Args:
        asked: The images, and how they are looked at.
    """

    logged: ClassVar[tuple[str, ...]] = ("miou",)
    best: ClassVar[str | None] = "miou"

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._n_labels = len(asked.classes) + 1
        self._rows: list[int] = []
        self._counts = np.zeros((self._n_labels, self._n_labels + 1), dtype=np.int64)

    def __enter__(self) -> "LabelMaps":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def ask(self, network: SegmentationLike, batch: ImageBatch) -> list[Float[Tensor, "_ _ _"]]:
        """Return the probabilities of all classes in each pixel; no label of the batch is read."""
        return [label_probabilities(network, image, self.asked.views) for image in batch.images]

    def add(self, batch: ImageBatch, outputs: Sequence[Float[Tensor, "_ _ _"]]) -> None:
        """Count the pixels, and keep the label maps on disk.

        Raises:
            AttncliError: Probabilities are not finite, where weights are named that have to answer
                so.
        """
        truths = batch.label_maps.get(TRUTH)
        for position, (row, probabilities) in enumerate(
            zip(batch.rows.tolist(), outputs, strict=True)
        ):
            labels = self._labels(batch.images[position], probabilities)
            self._rows.append(row)
            if truths is not None:
                truth = truths[position].numpy()
                self._counts += pixel_confusion(truth, labels, n_labels=self._n_labels)
            if self.asked.keep is not None:
                write_label_map(self.asked.keep / f"{self.asked.samples[row].id}{SUFFIX}", labels)

    def share(self) -> Share:
        """Return the table of this process, and where its label maps are."""
        return self._rows, self._counts, self.asked.keep

    def figures(self, shares: Sequence[Share]) -> Mapping[str, float]:
        """Return `miou` in percent; nothing where no image has a true label map."""
        mean = mean_iou_percent(_added(shares))
        return {} if mean is None else {"miou": mean}

    def write(self, shares: Sequence[Share], failures: Sequence[Failure], out: Path) -> Row:
        """Write label maps and the figures of each class."""
        rows = sorted(row for own, _, _ in shares for row in own)
        self._gather([kept for _, _, kept in shares if kept is not None], rows, out / LABEL_MAPS)
        return {
            "images": len(rows),
            "failed": len(failures),
            "unlabelled": sum(self.asked.samples[row].label_map is None for row in rows),
            **write_figures(out, self.asked.classes, _added(shares)),
        }

    def _labels(
        self, image: UInt8[Tensor, "3 h w"], probabilities: Float[Tensor, "k h w"]
    ) -> UInt8[np.ndarray, "h w"]:
        if self.asked.weights is not None and not probabilities.isfinite().all():
            raise AttncliError(
                "these weights give class scores that are not finite",
                where=self.asked.weights,
                remedy="try --precision fp32 or another --checkpoint",
            )
        if self.asked.views.crf:
            probabilities = _refined(image, probabilities)
        return probabilities.argmax(dim=0).to(torch.uint8).cpu().numpy()

    def _gather(self, parts: Sequence[Path], rows: Sequence[int], directory: Path) -> None:
        """Move the label maps of all processes to one place, and say what they are."""
        directory.mkdir()
        for part in parts:
            for path in sorted(part.rglob(f"*{SUFFIX}")):
                place = directory / path.relative_to(part)
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
        weights = self.asked.weights
        write_description(
            directory,
            stage=STAGE,
            parameters={**asdict(self.asked.views), "scales": list(self.asked.views.scales)},
            classes=self.asked.classes,
            ids=[self.asked.samples[row].id for row in rows],
            parents={} if weights is None else {"weights": sha256_of(weights)},
        )


def label_probabilities(
    network: SegmentationLike, image: UInt8[Tensor, "3 h w"], views: Views
) -> Float[Tensor, "k h w"]:
    """Return how likely each pixel of an image is of each class; they sum to 1 in each pixel.

    Of each view the network's softmax is brought to the image's size (bilinear), mirrored back, and
    averaged over the views.

    Args:
        network: Scores classes.
        image: RGB values 0-255.
        views: In which sizes it is looked at, whether mirrored, and whether as the reference code
            does.
    """
    size_hw = image.shape[1:]
    if views.compat_reference:
        image = _resized(image, (REFERENCE_PX, REFERENCE_PX), smooth=False)
    total = reduce(torch.add, _looks(network, image, views))
    if views.compat_reference:
        return _enlarged(total, size_hw).softmax(dim=0)
    return total / (len(views.scales) * (1 + views.flip))


def write_figures(out: Path, classes: Sequence[str], counts: Int64[np.ndarray, "n m"]) -> Row:
    """Write the figures of each class and the table of pixels, and return those of all together.

    Args:
        out: Directory for `classes.csv` and `confusion.csv`.
        classes: Names of the classes, without the background.
        counts: Table of `attncli.metrics.segmentation.pixel_confusion`.

    Returns:
        `miou` and `pixel_accuracy` in percent; `undefined`, the pixels that were given no class;
        `classes`, how many, the background among them, the mean is over.
    """
    names = (BACKGROUND, *classes)
    shares = iou_percent(counts)
    columns = {
        "iou": shares,
        "precision": precision_percent(counts),
        "recall": recall_percent(counts),
    }
    lines = [
        [name, *("" if np.isnan(value) else value for value in values), true, given]
        for name, *values, true, given in zip(
            names, *columns.values(), counts.sum(axis=1), counts.sum(axis=0)[:-1], strict=True
        )
    ]
    write_table(out / "classes.csv", ("class", *columns, "true_pixels", "predicted_pixels"), lines)
    table = [[name, *row] for name, row in zip(names, counts.tolist(), strict=True)]
    write_table(out / "confusion.csv", ("class", *names, "undefined"), table)
    return {
        "miou": mean_iou_percent(counts),
        "undefined": undefined_pixels(counts),
        "pixel_accuracy": pixel_accuracy_percent(counts),
        "classes": int((~np.isnan(shares)).sum()),
    }


def _looks(
    network: SegmentationLike, image: UInt8[Tensor, "3 h w"], views: Views
) -> Iterator[Float[Tensor, "k h w"]]:
    """Yield the probabilities of each view at the image's size."""
    for scale in views.scales:
        height, width = (max(1, round(side * scale)) for side in image.shape[1:])
        scaled = _resized(image, (height, width), smooth=not views.compat_reference)
        for mirrored in (False, True)[: 1 + views.flip]:
            batch = (scaled.flip(2) if mirrored else scaled)[None]
            scores = network(batch.contiguous(memory_format=torch.channels_last)).scores
            shown = _enlarged(scores.float().softmax(dim=1)[0], image.shape[1:])
            yield shown.flip(2) if mirrored else shown


def _resized(
    image: UInt8[Tensor, "3 h w"], size_hw: tuple[int, int], *, smooth: bool
) -> UInt8[Tensor, "3 hs ws"]:
    if image.shape[1:] == size_hw:
        return image
    return transforms.resize(image, list(size_hw), InterpolationMode.BILINEAR, antialias=smooth)


def _enlarged(maps: Float[Tensor, "k hs ws"], size_hw: Sequence[int]) -> Float[Tensor, "k h w"]:
    return functional.interpolate(maps[None], tuple(size_hw), mode="bilinear")[0]


def _refined(
    image: UInt8[Tensor, "3 h w"], probabilities: Float[Tensor, "k h w"]
) -> Float[Tensor, "k h w"]:
    """Return what the paper's CRF makes of probabilities, on the device that they are on."""
    device = probabilities.device
    config = CrfConfig(crf_backend="pydensecrf" if device.type == "cpu" else "torch")
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
    return torch.from_numpy(dense_crf(pixels, probabilities.cpu().numpy(), config, device=device))


def _added(shares: Sequence[Share]) -> Int64[np.ndarray, "n m"]:
    return np.stack([counts for _, counts, _ in shares]).sum(axis=0)
