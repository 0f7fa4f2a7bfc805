"""Refine seeds by a dense CRF, which lets their borders follow those of the image."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.config.refine_seeds import CrfSeedsCall, CrfSeedsConfig
from attncli.data.images.crf_seeds import refine_all
from attncli.data.samples import ImageSample
from attncli.errors import Failure
from attncli.files.seeds import SeedDirectory, open_seeds, require_unscored_background
from attncli.reporting import Outcome, Reporter
from attncli.training.distributed import World
from attncli.workflows.refine_seeds.refinement import open_split, planned, refine, settled


@dataclass(frozen=True)
class CrfStage:
    """A dense CRF over the classes that a seed scores."""

    name: ClassVar[str] = "crf"
    parents: ClassVar[Mapping[str, str]] = {}

    config: CrfSeedsConfig
    """The CRF, and the background's score."""
    inputs: Mapping[str, SeedDirectory]
    """The seeds."""

    def refine(
        self, samples: Sequence[ImageSample], out: Path, *, workers: int, world: World
    ) -> Iterator[Failure | None]:
        """Write the seed of each image, in processes side by side."""
        is_of_torch = self.config.crf_backend == "torch"  # it computes with all cores, or a GPU
        return refine_all(
            samples,
            self.inputs["seeds"],
            out,
            background=self.config,
            crf=self.config,
            workers=1 if is_of_torch else max(1, workers // world.size),
            device=world.device,
        )


def refine_by_crf(
    config: CrfSeedsConfig,
    call: CrfSeedsCall,
    *,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
    reporter: Reporter,
) -> Outcome:
    """Write what a dense CRF makes of seeds.

    Args:
        config: The CRF, and which seeds.
        call: Which images, and where to.
        dry_run: Say what would be done, and touch nothing.
        overwrite: Replace what is there.
        resume: Leave the images that have a seed there alone.
        reporter: Shows progress.

    Returns:
        One row, and the images that could not be read.

    Raises:
        UsageError: A setting cannot be met.
        AttncliError: Seeds or dataset cannot be used, or `out` cannot be written.
    """
    config = settled(config)
    dataset = open_split(call)
    seeds = open_seeds(config.seeds, classes=dataset.classes, split=call.split)
    if config.is_given:
        require_unscored_background(seeds)
    stage = CrfStage(config, {"seeds": seeds})
    if dry_run:
        return planned(stage, call, dataset, overwrite=overwrite, resume=resume)
    done = refine(stage, call, dataset, overwrite=overwrite, resume=resume, reporter=reporter)
    return Outcome() if done is None else done.outcome
