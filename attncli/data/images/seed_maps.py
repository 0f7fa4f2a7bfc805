"""The seeds of training images, cut as the images are: one label for each small square of pixels.

Scores, not labels, are mirrored, resized, cut and made small, as SSDD's and PSA's code do: only
then the class of the highest score is the label. What lies outside an image is of no class.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional

from attncli.config.seeds import Background
from attncli.data.images.geometry import ImageView
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.seeds import REMEDY, Scored, labels_of, one_hot, read_labels, read_scores
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.video.frame_folders import image_size_hw
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.seeds import SeedDirectory
from attncli.files.text import parse_json, read_text
from attncli.reporting import Reporter

Shrink = Literal["bilinear", "mean"]
TRUE = "true"
"""Name of the true label maps of images that are learnt from by these."""
FORMAT_VERSION = 1
PARENTS = "seeds.json"
"""File of a run that says by their hashes which seeds it learns from."""
LOOKED_AT = 8
"""Images whose sizes are looked at before anything is begun."""


@dataclass(frozen=True)
class SeedMaps:
    """Seed directories that images are read with, and how large their labels are."""

    directories: Mapping[str, SeedDirectory]
    """The directories by what they are called in batches."""
    stride: int
    """Side in pixels of what a label is of; it divides the side of crops."""
    shrink: Shrink = "bilinear"
    """How scores are made small: interpolated between the nearest (SSDD), or their mean (PSA)."""
    backgrounds: Mapping[str, Background] = field(default_factory=dict)
    """The background's score where a directory has none; the paper's where it is not named."""
    full_masks: Mapping[str, Path] = field(default_factory=dict)
    """True label maps by id, of images that are learnt from by these."""

    def read(
        self, image_id: str, size_hw: tuple[int, int], view: ImageView
    ) -> dict[str, UInt8[Tensor, "_ _"]]:
        """Return the labels of what a view shows of an image, with true ones under `TRUE`.

        Raises:
            AttncliError: A directory has no seed of the image, or one of another size.
        """
        labels = {name: self._labels(name, image_id, size_hw, view) for name in self.directories}
        if image_id in self.full_masks:
            n_classes = len(next(iter(self.directories.values())).classes)
            path = self.full_masks[image_id]
            true = one_hot(read_label_map(path, n_classes=n_classes, size_hw=size_hw))
            labels[TRUE] = self._small(true, view)
        return labels

    def notes(self) -> list[str]:
        """Return which seeds are read."""
        return [f"{name}: {s.path} (stage {s.stage})" for name, s in self.directories.items()]

    def prepare(self, run: Path, *, reporter: Reporter) -> Sequence[Failure]:  # noqa: ARG002
        """Write which seeds are learnt from, or make sure that they are those begun with.

        Raises:
            AttncliError: Seeds of that name were made anew since.
        """
        path = run / PARENTS
        hashes = {name: seeds.sha256 for name, seeds in self.directories.items()}
        parents = {"format_version": FORMAT_VERSION, "seeds_sha256": hashes}
        if not path.is_file():
            write_text(path, json.dumps(parents, indent=2) + "\n")
        elif parse_json(read_text(path, remedy=REMEDY), where=path, remedy=REMEDY) != parents:
            remedy = "train anew with --overwrite"
            raise AttncliError("the run was begun with other seeds", where=path, remedy=remedy)
        return ()

    def facts(self) -> Mapping[str, int]:
        """Return how many images are learnt from by their true label maps, where any is."""
        return {"fully_masked_images": len(self.full_masks)} if self.full_masks else {}

    def _labels(
        self, name: str, image_id: str, size_hw: tuple[int, int], view: ImageView
    ) -> UInt8[Tensor, "_ _"]:
        background = self.backgrounds.get(name, Background())
        seeds = self.directories[name]
        scored = read_scores(seeds, image_id, size_hw=size_hw, background=background)
        return self._small(scored, view)

    def _small(self, scored: Scored, view: ImageView) -> UInt8[Tensor, "_ _"]:
        cut = view.apply_to_scores(torch.from_numpy(scored.scores))
        small = shrunk(cut, cut.shape[1] // self.stride, self.shrink)
        return torch.from_numpy(labels_of(scored.classes, small.numpy()))


def shrunk(
    scores: Float32[Tensor, "k s s"], side: int, shrink: Shrink
) -> Float32[Tensor, "k sl sl"]:
    """Return a square of scores with fewer rows and columns."""
    if shrink == "mean":
        return functional.adaptive_avg_pool2d(scores, side)
    return functional.interpolate(scores[None], (side, side), mode="bilinear")[0]


def require_seeds(
    directories: Mapping[str, SeedDirectory], dataset: ImageDataset
) -> Sequence[ImageSample]:
    """Return the images that a directory has no seed of.

    Raises:
        AttncliError: A directory has a seed of none of them, or those looked at are all of other
            sizes: it was made for other images.
    """
    missing: dict[str, ImageSample] = {}
    for seeds in directories.values():
        absent = [sample for sample in dataset.samples if not seeds.has(sample.id)]
        if len(absent) == len(dataset.samples):
            raise AttncliError(
                f"holds no seed of any of the {len(absent)} images, such as {absent[0].id}",
                where=seeds.path,
                remedy="name seeds of this dataset, or check --data and --train-list",
            )
        missing |= {sample.id: sample for sample in absent}
        _require_sizes(seeds, [sample for sample in dataset.samples if seeds.has(sample.id)])
    return list(missing.values())


def _require_sizes(seeds: SeedDirectory, samples: Sequence[ImageSample]) -> None:
    """Refuse seeds of other sizes than their images; what cannot be read is named later.

    Raises:
        AttncliError: All of a few are; the first one is named.
    """
    others = []
    for sample in samples[:: max(1, len(samples) // LOOKED_AT)][:LOOKED_AT]:
        with suppress(AttncliError, OSError):
            own = read_labels(seeds, sample.id, background=Background()).shape
            wanted = image_size_hw(sample.path)
            if own == wanted:
                return
            others.append((sample, own, wanted))
    if others:
        sample, own, wanted = others[0]
        raise AttncliError(
            f"was made for images of other sizes: the seed of {sample.id} is {own[1]}x{own[0]}"
            f" pixels, the image {wanted[1]}x{wanted[0]}",
            where=seeds.path,
            remedy=REMEDY,
        )
