"""What AffinityNet is taught by: class activation maps, refined by a CRF beside two backgrounds.

J. Ahn, S. Kwak, "Learning Pixel-level Semantic Affinity with Image-level Supervision" (CVPR 2018),
section 3.2. Beside a strong background only sure foreground is left, beside a weak one only sure
background; what is neither teaches nothing. Both are made once, before the first epoch.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch

from attncli.batches import ImageBatch
from attncli.config.seeds import Background
from attncli.config.ssdd import CELL_PX, PsaConfig
from attncli.config.toml import dump
from attncli.data.images.batches import ImageReader
from attncli.data.images.crf_seeds import refine_all
from attncli.data.images.seed_maps import SeedMaps, require_seeds
from attncli.data.images.seeds import labels_of, read_scores
from attncli.data.images.source import ImageSource
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.data.source import Reader
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.outputs import SETTINGS
from attncli.files.seeds import (
    SeedDirectory,
    holds_seeds,
    open_seeds,
    require_unscored_background,
    write_description,
)
from attncli.machine import usable_cores
from attncli.methods.ssdd.affinity import affinity_labels, label_counts, label_shares
from attncli.methods.ssdd.pairs import Graph
from attncli.reporting import Reporter
from attncli.training.distributed import choose_device

LOW, HIGH = "low", "high"
"""What the seeds are called: beside a strong background, and beside a weak one."""
PLACE = "affinity_seeds"
"""Directory of a run that holds both."""


@dataclass(frozen=True)
class AffinitySeeds:
    """The class activation maps of training images, and where what is made of them goes."""

    cams: SeedDirectory
    """Class activation maps."""
    samples: Sequence[ImageSample]
    """Training images."""
    config: PsaConfig
    """How they are refined, and which pairs of cells there are."""

    def notes(self) -> list[str]:
        """Return where the maps are from."""
        return [f"affinities are learnt from {self.cams.path}"]

    def facts(self) -> Mapping[str, int]:
        """Return how many of the images have maps."""
        return {"mapped_images": sum(self.cams.has(sample.id) for sample in self.samples)}

    def prepare(self, run: Path, *, reporter: Reporter) -> Sequence[Failure]:
        """Refine the maps beside both backgrounds, and say what they will teach.

        Raises:
            AttncliError: What is there was made of other maps.
        """
        failures: dict[str, Failure] = {}
        for name, power in self._powers.items():
            for failed in self._refine(run / PLACE / name, power, reporter):
                failures.setdefault(failed.id, failed)
        self._tell_shares(run, set(failures), reporter)
        return list(failures.values())

    def maps(self, run: Path) -> SeedMaps:
        """Return how training images read what `prepare` wrote."""
        opened = {name: open_seeds(run / PLACE / name) for name in self._powers}
        return SeedMaps(opened, CELL_PX, shrink="mean")

    @property
    def _powers(self) -> Mapping[str, float]:
        return {LOW: self.config.low_power, HIGH: self.config.high_power}

    def _refine(self, out: Path, power: float, reporter: Reporter) -> list[Failure]:
        """Write refined maps of the images that have none yet, and return what failed."""
        parents = {"cams": self.cams.sha256}
        if holds_seeds(out) and open_seeds(out).parents != parents:
            remedy = "begin anew with --overwrite"
            raise AttncliError(
                "was made from other class activation maps", where=out, remedy=remedy
            )
        self._describe(out, power, parents)
        background = Background(background_power=power)
        made = open_seeds(out)
        waiting = [sample for sample in self.samples if not made.label_map_path(sample.id).exists()]
        is_of_torch = self.config.crf_backend == "torch"  # it computes with all cores, or a GPU
        processes = usable_cores() if self.config.workers is None else self.config.workers
        done = refine_all(
            waiting,
            self.cams,
            out,
            background=background,
            crf=self.config,
            workers=1 if is_of_torch else max(1, processes),
            device=choose_device(self.config.device) if is_of_torch else "cpu",
        )
        label = f"CRF of maps, background to the power {power:g}"
        shown = reporter.track(done, label=label, total=len(waiting), unit="images")
        return [failed for failed in shown if failed is not None]

    def _describe(self, out: Path, power: float, parents: Mapping[str, str]) -> None:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / SETTINGS, dump(Background(background_power=power)))
        write_description(
            out,
            stage="crf",
            parameters={"background_power": power, "crf_iterations": self.config.crf_iterations},
            classes=self.cams.classes,
            ids=[sample.id for sample in self.samples],
            parents=parents,
        )

    def _tell_shares(self, run: Path, failed: set[str], reporter: Reporter) -> None:
        """Say how many cells and pairs there are of each kind, and warn of kinds that lack."""
        counts: Counter[str] = Counter()
        graph = Graph(radius=self.config.radius, compat_reference=self.config.compat_reference)
        maps = self.maps(run)
        read = [sample.id for sample in self.samples if sample.id not in failed]
        for image_id in reporter.track(read, label="count pairs", unit="images"):
            labels = [_cells(maps.directories[name], image_id) for name in (LOW, HIGH)]
            counts += label_counts(affinity_labels(*labels), graph)
        shares = label_shares(counts)
        told = ", ".join(
            f"{kind.replace('_', ' ')} {share:.1f} %" for kind, share in shares.items()
        )
        reporter.note(f"pairs of cells to learn from: {told}")
        lacking = [kind for kind, share in shares.items() if not share and "ignored" not in kind]
        for kind in lacking:
            reporter.warn(f"the maps hold no {kind.replace('_', ' ')}: nothing is learnt from them")


def _cells(seeds: SeedDirectory, image_id: str) -> torch.Tensor:
    """Return the label of each cell of a whole image."""
    scored = read_scores(seeds, image_id, background=Background())
    scores = torch.from_numpy(scored.scores)[None]
    cells = torch.nn.functional.avg_pool2d(scores, CELL_PX, ceil_mode=True, count_include_pad=False)
    return torch.from_numpy(labels_of(scored.classes, cells[0].numpy()))[None]


@dataclass(frozen=True)
class AffinitySource(ImageSource):
    """Images with what teaches affinities, and for validation with their label maps."""

    labelled: ClassVar[tuple[Split, ...]] = ("train",)
    fixed_classes: ClassVar[str] = "cannot be used, as maps and label maps hold all classes"

    config: PsaConfig
    """Which dataset and maps, and how they are cut."""
    run: Path = field(default=Path(), kw_only=True)
    """The run, which holds what is made of the maps."""

    @classmethod
    def of_run(cls, config: Any, run: Path, data: Path | None = None) -> "AffinitySource":
        """Return the run's own images, or those of other data in whatever layout they are."""
        of_images = ImageSource.of_run(config, run, data)
        return cls(of_images.config, run=run)  # type: ignore[arg-type]

    def guidance(self, dataset: ImageDataset) -> AffinitySeeds:
        """Return the class activation maps that the settings name.

        Raises:
            AttncliError: There are none of these images, or they are of other classes.
        """
        cams = open_seeds(self.config.cams, classes=dataset.classes)
        require_unscored_background(cams)
        require_seeds({"cams": cams}, dataset)
        return AffinitySeeds(cams, dataset.samples, self.config)

    def reader(
        self, dataset: ImageDataset, *, training: bool, guidance: AffinitySeeds | None = None
    ) -> Reader[ImageBatch]:
        """Return what reads crops with their affinity labels, else images with label maps."""
        seeds = None if guidance is None else guidance.maps(self.run)
        return ImageReader(
            dataset, self.config, training=training, label_maps=not training, seeds=seeds
        )
