"""Refine seeds by static SSDD: knowledge and advice become one, by what a network foresees."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool

from attncli.config.refine_seeds import SsddSeedsCall, SsddSeedsConfig
from attncli.config.seeds import Background
from attncli.data.images.reading import read_rgb
from attncli.data.images.seeds import Scored, read_scores, require_shown, write_scored
from attncli.data.samples import ImageDataset, ImageSample
from attncli.errors import AttncliError, UsageError
from attncli.files.differences import SUFFIX, Differences, write_differences
from attncli.files.score_maps import SUFFIX as SCORES
from attncli.files.seeds import SeedDirectory, open_seeds
from attncli.methods.ssdd.difference import Biases
from attncli.methods.ssdd.refining import Rules, refine_image
from attncli.reporting import Outcome, Reporter
from attncli.workflows.refine_seeds.network_stage import NetworkStage
from attncli.workflows.refine_seeds.refinement import (
    Refined,
    open_split,
    planned,
    refine,
    settled,
)
from attncli.workflows.refine_seeds.ssdd_report import write_report
from attncli.workflows.runs.network import open_run, require_same_classes, weights_of


@dataclass(frozen=True)
class SsddStage(NetworkStage):
    """Difference detection by a network."""

    name: ClassVar[str] = "ssdd"

    config: SsddSeedsConfig
    """How knowledge and advice become one."""
    inputs: Mapping[str, SeedDirectory]
    """`knowledge` and `advice`."""

    def write(self, network: Any, sample: ImageSample, out: Path, device: torch.device) -> None:
        """Write the seed of one image, and what was foreseen of it."""
        shown = self._shown(sample)
        image = read_rgb(sample.path)
        size_hw = (image.shape[0], image.shape[1])
        knowledge, advice = (self._read(name, sample, size_hw) for name in self.inputs)
        made = refine_image(network, image, knowledge, advice, shown, self.rules, device=device)
        foreseen = Differences(made.knowledge_difference, made.advice_difference, made.segmented)
        write_differences(out, sample.id, foreseen)
        write_scored(out, sample.id, made.scored)

    def _read(self, name: str, sample: ImageSample, size_hw: tuple[int, int]) -> Scored:
        seeds = self.inputs[name]
        scored = read_scores(seeds, sample.id, size_hw=size_hw, background=Background())
        require_shown(scored, sample, seeds)
        return scored

    def _shown(self, sample: ImageSample) -> Bool[np.ndarray, " k"]:
        if sample.labels is None:
            what = f"image {sample.id} has no labels, which say what classes could shrink"
            raise AttncliError(what, where=sample.path, remedy="label it, or leave it out")
        shown = np.zeros(len(self.run.classes), dtype=bool)
        shown[sorted(sample.labels)] = True
        return shown

    @property
    def rules(self) -> Rules:
        """How knowledge and advice become one."""
        config = self.config
        biases = Biases(config.advice_bias, config.background_bias, config.class_bias)
        return Rules(biases, config.shrink_below, config.flip)


def refine_by_ssdd(
    config: SsddSeedsConfig,
    call: SsddSeedsCall,
    *,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
    reporter: Reporter,
) -> Outcome:
    """Write what difference detection makes of knowledge and advice, and report on it.

    Args:
        config: Which network and seeds, and how they become one.
        call: Which images, and where to.
        dry_run: Say what would be done, and touch nothing.
        overwrite: Replace what is there.
        resume: Leave the images that have a seed there alone.
        reporter: Shows progress.

    Returns:
        One row with the report's figures, and the images that could not be read.

    Raises:
        UsageError: A setting cannot be met.
        AttncliError: Run, seeds or dataset cannot be used, or `out` cannot be written.
    """
    config = settled(config)
    _require_labels(call)
    dataset, run = open_split(call), open_run(config.run, "ssdd")
    require_same_classes(run, dataset.classes, dataset.root)
    _require_own_files(dataset)
    inputs = {
        name: open_seeds(getattr(config, name), classes=dataset.classes, split=call.split)
        for name in ("knowledge", "advice")
    }
    stage = SsddStage(config, inputs, run, weights_of(run, config.checkpoint))
    if dry_run:
        return planned(stage, call, dataset, overwrite=overwrite, resume=resume)
    done = refine(stage, call, dataset, overwrite=overwrite, resume=resume, reporter=reporter)
    return Outcome() if done is None else _reported(done, stage, reporter)


def _reported(done: Refined, stage: SsddStage, reporter: Reporter) -> Outcome:
    failed = {failure.id for failure in done.failures}
    samples = [sample for sample in done.dataset.samples if sample.id not in failed]
    inputs = {**stage.inputs, "refined": done.seeds}
    figures = write_report(samples, inputs, stage.run.config, reporter)
    return replace(done, row=done.row | figures).outcome


def _require_labels(call: SsddSeedsCall) -> None:
    if call.split != "train":
        what = "has no image labels, which say what classes could shrink"
        raise UsageError(what, where=f"--split {call.split}", remedy="leave it out")


def _require_own_files(dataset: ImageDataset) -> None:
    """Refuse images of which one's scores would have the name of the other's differences."""
    ids, ending = {sample.id for sample in dataset.samples}, SUFFIX.removesuffix(SCORES)
    for image_id in sorted(ids):
        if f"{image_id}{ending}" in ids:
            what = f"images {image_id} and {image_id}{ending} would share a file of the seeds"
            raise AttncliError(what, where=dataset.root, remedy="rename one of them")
