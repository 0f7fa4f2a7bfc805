"""Image labels: which classes each image shows, and where a network sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from attncli.batches import ImageBatch
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.files.hashes import sha256_of
from attncli.files.predictions import Predictions, write_predictions
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import SCORE_MAPS, write_description
from attncli.files.tables import write_table
from attncli.metrics.multi_label import ClassFigures, class_figures
from attncli.reporting import Row

SCALES = (0.5, 1.0, 1.5, 2.0)
"""Sizes in which an image is looked at, and mirrored too (PSA)."""
THRESHOLD = 0.5
"""Probability from which on an image is said to show a class."""
SMALLEST = 1e-5
"""Added to the maximum that a map is divided by (PSA's code)."""

Share = tuple[Int64[np.ndarray, " _"], Float32[np.ndarray, "_ k"], Path | None]
"""What one process knows: rows, class scores, and where the score maps are."""


@runtime_checkable
class CamLike(Protocol):
    """A network whose class scores are means of maps."""

    def __call__(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b k"]:
        """Return class scores (logits)."""
        ...

    def class_maps(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b k hf wf"]:
        """Return the maps."""
        ...


@dataclass(frozen=True)
class Seen:
    """What a network says of a batch of images."""

    scores: Float[Tensor, "b k"]
    """Class scores (logits) of the images in their own size."""
    maps: Sequence[tuple[Int64[np.ndarray, " p"], Float32[np.ndarray, "p h w"]]]
    """Classes present in each image, and their maps in [0, 1]; empty where nobody asks for them."""


class ImageLabels:
    """What is made of images with any number of classes each.

    Args:
        asked: The images.
    """

    logged: ClassVar[tuple[str, ...]] = ("map", "f1")
    best: ClassVar[str | None] = "map"

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._rows: list[int] = []
        self._scores: list[Float32[np.ndarray, " k"]] = []

    def __enter__(self) -> "ImageLabels":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def ask(self, network: CamLike, batch: ImageBatch) -> Seen:
        """Return class scores, and the maps of the classes present where they are kept.

        Of an image whose labels are not known, or may not be, those classes count as present that
        it is said to show.
        """
        scores = network(batch.images)
        if self.asked.keep is None:
            return Seen(scores, ())
        said = scores.float().sigmoid() >= THRESHOLD
        rows = batch.rows.tolist()
        known = [self.asked.may_know and self.asked.samples[row].is_labelled for row in rows]
        present = torch.where(torch.tensor(known, device=said.device)[:, None], batch.labels, said)
        maps = [
            (classes.nonzero().flatten().cpu().numpy(), activation_maps(network, image, classes))
            for image, classes in zip(batch.images, present, strict=True)
        ]
        return Seen(scores, maps)

    def add(self, batch: ImageBatch, outputs: Seen) -> None:
        """Keep scores in memory, and maps on disk.

        Raises:
            AttncliError: Scores are not finite, where weights are named that have to answer so.
        """
        scores = outputs.scores.float().cpu().numpy()
        if self.asked.weights is not None and not np.isfinite(scores).all():
            raise AttncliError(
                "these weights give class scores that are not finite",
                where=self.asked.weights,
                remedy="try --precision fp32 or another --checkpoint",
            )
        rows = batch.rows.tolist()
        self._rows += rows
        self._scores += [*scores]
        if self.asked.keep is not None:
            for row, (classes, maps) in zip(rows, outputs.maps, strict=True):
                id_ = self.asked.samples[row].id
                write_score_maps(self.asked.keep, id_, classes + 1, maps)

    def share(self) -> Share:
        """Return the class scores of this process, and where its score maps are."""
        n_classes = len(self.asked.classes)
        scores = np.stack(self._scores) if self._scores else np.empty((0, n_classes), np.float32)
        return np.array(self._rows, dtype=np.int64), scores, self.asked.keep

    def figures(self, shares: Sequence[Share]) -> Mapping[str, float]:
        """Return `map` and `f1` in percent, means over the classes that images show."""
        rows, probabilities = _joined(shares)
        found = self._class_figures(rows, np.nan_to_num(probabilities))
        means = {"map": _mean_percent(found.average_precision), "f1": _mean_percent(found.f1)}
        return {name: mean for name, mean in means.items() if mean is not None}

    def write(self, shares: Sequence[Share], failures: Sequence[Failure], out: Path) -> Row:
        """Write score maps, predictions and the figures of each class."""
        rows, probabilities = _joined(shares)
        self._gather_maps([kept for _, _, kept in shares if kept is not None], rows, out)
        write_predictions(out / "predictions.csv", self._predictions(rows, probabilities))
        found = self._class_figures(rows, probabilities)
        _write_classes(out / "classes.csv", self.asked.classes, found)
        return {
            "images": len(rows),
            "failed": len(failures),
            "unlabelled": sum(not self.asked.samples[row].is_labelled for row in rows),
            "map": _mean_percent(found.average_precision),
            "f1": _mean_percent(found.f1),
        }

    def _class_figures(
        self, rows: Int64[np.ndarray, " n"], probabilities: Float32[np.ndarray, "n k"]
    ) -> ClassFigures:
        """Return the figures over the images whose labels are known."""
        known = np.array([self.asked.samples[row].is_labelled for row in rows], dtype=bool)
        return class_figures(probabilities[known], self._shown(rows[known]), threshold=THRESHOLD)

    def _shown(self, rows: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, "n k"]:
        shown = np.zeros((len(rows), len(self.asked.classes)), dtype=bool)
        for line, row in zip(shown, rows, strict=True):
            line[sorted(self.asked.samples[row].labels or ())] = True
        return shown

    def _predictions(
        self, rows: Int64[np.ndarray, " n"], probabilities: Float32[np.ndarray, "n k"]
    ) -> Predictions:
        classes = self.asked.classes
        said = probabilities >= THRESHOLD
        return Predictions(
            ids=[self.asked.samples[row].id for row in rows],
            labels=[_names(classes, line) for line in self._shown(rows)],
            predicted=[_names(classes, line) for line in said],
            classes=classes,
            probabilities=probabilities,
        )

    def _gather_maps(self, parts: Sequence[Path], rows: Int64[np.ndarray, " n"], out: Path) -> None:
        """Move the score maps of all processes to one place, and say what they are."""
        directory = out / SCORE_MAPS
        directory.mkdir()
        for part in parts:
            for path in sorted(part.rglob("*.npz")):
                place = directory / path.relative_to(part)
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
        weights = self.asked.weights
        write_description(
            directory,
            stage="cam",
            parameters={"scales": list(SCALES), "flip": True},
            classes=self.asked.classes,
            ids=[self.asked.samples[row].id for row in rows],
            parents={} if weights is None else {"weights": sha256_of(weights)},
        )


def activation_maps(
    network: CamLike, image: UInt8[Tensor, "3 h w"], present: Bool[Tensor, " k"]
) -> Float32[np.ndarray, "p h w"]:
    """Return the class activation maps of the classes present in an image, in [0, 1].

    The image is looked at in several sizes, and mirrored; what is positive is brought to the
    image's size, summed, and divided by its maximum (PSA, section 3.1 and its code).

    Args:
        network: Makes the maps.
        image: RGB values 0-255.
        present: Which classes to return the maps of.
    """
    height, width = image.shape[1:]
    total = torch.zeros(int(present.sum()), height, width, device=image.device)
    if not len(total):
        return total.cpu().numpy()
    for scale in SCALES:
        size_hw = [max(1, round(height * scale)), max(1, round(width * scale))]
        # Bicubic as Pillow does it, where the tensor is on a CPU.
        scaled = transforms.resize(image, size_hw, InterpolationMode.BICUBIC, antialias=True)
        for looked_at in (scaled, scaled.flip(2)):
            batch = looked_at[None].contiguous(memory_format=torch.channels_last)
            maps = functional.relu(network.class_maps(batch)[:, present].float())
            shown = functional.interpolate(maps, (height, width), mode="bilinear")[0]
            total += shown.flip(2) if looked_at is not scaled else shown
    largest = total.amax((1, 2), keepdim=True)
    return (total / (largest + SMALLEST)).cpu().numpy()


def _joined(
    shares: Sequence[Share],
) -> tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, "n k"]]:
    """Return rows and probabilities of all processes, in the order of the dataset."""
    rows = np.concatenate([part for part, _, _ in shares])
    scores = torch.from_numpy(np.concatenate([part for _, part, _ in shares]))
    order = np.argsort(rows)
    return rows[order], scores.sigmoid().numpy()[order]


def _names(classes: Sequence[str], shown: Bool[np.ndarray, " k"]) -> str:
    return ";".join(name for name, is_shown in zip(classes, shown, strict=True) if is_shown)


def _mean_percent(values: Float[np.ndarray, " k"]) -> float | None:
    known = values[~np.isnan(values)]
    return 100 * float(known.mean()) if len(known) else None


def _write_classes(path: Path, classes: Sequence[str], found: ClassFigures) -> None:
    columns = {
        "average_precision": found.average_precision,
        "f1": found.f1,
        "precision": found.precision,
        "recall": found.recall,
    }
    lines = [
        [name, images, *("" if np.isnan(v) else 100 * v for v in values)]
        for name, images, *values in zip(
            classes, found.images.tolist(), *columns.values(), strict=True
        )
    ]
    write_table(path, ("class", "images", *columns), lines)
