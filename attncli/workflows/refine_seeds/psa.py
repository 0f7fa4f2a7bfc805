"""Refine class activation maps by PSA: scores walk to where a network says they belong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from attncli.config.refine_seeds import PsaSeedsCall, PsaSeedsConfig
from attncli.data.images.reading import read_rgb
from attncli.data.images.seeds import Scored, read_scores, require_shown, write_scored
from attncli.data.samples import ImageSample
from attncli.files.seeds import SeedDirectory, open_seeds, require_unscored_background
from attncli.methods.ssdd.pairs import Graph
from attncli.methods.ssdd.random_walk import Walk, walk_image
from attncli.reporting import Outcome, Reporter
from attncli.workflows.refine_seeds.network_stage import NetworkStage
from attncli.workflows.refine_seeds.refinement import (
    open_split,
    planned,
    refine,
    settled,
)
from attncli.workflows.runs.network import open_run, weights_of


@dataclass(frozen=True)
class PsaStage(NetworkStage):
    """A random walk of scores, by the affinities of a network."""

    name: ClassVar[str] = "psa"

    config: PsaSeedsConfig
    """How scores walk, and the background's score."""
    inputs: Mapping[str, SeedDirectory]
    """The class activation maps."""

    def write(self, network: Any, sample: ImageSample, out: Path, device: torch.device) -> None:
        """Write the seed of one image."""
        image, cams = read_rgb(sample.path), self.inputs["cams"]
        size_hw = (image.shape[0], image.shape[1])
        scored = read_scores(cams, sample.id, size_hw=size_hw, background=self.config)
        require_shown(scored, sample, cams)
        walked = walk_image(network, image, scored.scores, self._walk, device=device)
        write_scored(out, sample.id, Scored(scored.classes, walked.clip(0, 1)))

    @property
    def _walk(self) -> Walk:
        of_run = self.run.config
        graph = Graph(radius=of_run.radius, compat_reference=of_run.compat_reference)
        return Walk(graph, self.config.affinity_power, self.config.log2_steps)


def refine_by_psa(
    config: PsaSeedsConfig,
    call: PsaSeedsCall,
    *,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
    reporter: Reporter,
) -> Outcome:
    """Write what a random walk makes of class activation maps.

    Args:
        config: Which network and maps, and how they walk.
        call: Which images, and where to.
        dry_run: Say what would be done, and touch nothing.
        overwrite: Replace what is there.
        resume: Leave the images that have a seed there alone.
        reporter: Shows progress.

    Returns:
        One row, and the images that could not be read.

    Raises:
        UsageError: A setting cannot be met.
        AttncliError: Run, maps or dataset cannot be used, or `out` cannot be written.
    """
    config = settled(config)
    dataset, run = open_split(call), open_run(config.run, "psa")
    cams = open_seeds(config.cams, classes=dataset.classes, split=call.split)
    if config.is_given:
        require_unscored_background(cams)
    stage = PsaStage(config, {"cams": cams}, run, weights_of(run, config.checkpoint))
    if dry_run:
        return planned(stage, call, dataset, overwrite=overwrite, resume=resume)
    done = refine(stage, call, dataset, overwrite=overwrite, resume=resume, reporter=reporter)
    return Outcome() if done is None else done.outcome
