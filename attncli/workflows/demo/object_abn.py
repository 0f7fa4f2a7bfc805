"""Object-ABN's pipeline on toy videos, as in the paper from pretrained weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.workflows.demo.running import Demo, training_length
from attncli.workflows.demo.steps import Arguments

PRETRAINING_SEED = 1
"""Seed of the toy videos that stand in for Kinetics; those of the pipeline have seed 0."""
SMALL_X3D = (
    *("--width-factor", "0.67", "--depth-factor", "1.0"),
    *("--frames", "8", "--frame-stride", "4", "--crop-px", "112"),
    *("--short-side-min-px", "112", "--short-side-max-px", "128", "--short-side-val-px", "112"),
)
OPTIMIZATION = (
    *("--batch-size", "8", "--schedule", "cosine", "--warmup-epochs", "1"),
    *("--clip-grad-norm", "5"),
)


@dataclass(frozen=True)
class ObjectAbnDemo(Demo):
    """The paper's table 1."""

    seeds: int = 1
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int = 32
    """Toy videos of each class."""
    pretraining_epochs: int = 14
    """Epochs on other toy videos, before the three models part."""
    epochs: int = 18
    """Epochs each of the three models is then trained."""

    systems = ("x3d", "abn", "object-abn")
    figures = ("top1", "top5", "entropy", "mask_iou")
    published: ClassVar = {  # UCF101; the paper gives no X3D without attention
        "abn": {"top1": 93.96, "top5": 99.15, "entropy": 3.064},
        "object-abn": {"top1": 93.62, "top5": 99.26, "entropy": 2.026},
    }

    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""
        data = [
            self.toy_data("ucf101", self.out / "pretraining", PRETRAINING_SEED),
            self.toy_data("ucf101", self._videos, 0),
        ]
        training = [
            self._training(name, seed) for seed in range(self.seeds) for name in self.systems
        ]
        scoring = [[command] for command in self._scoring()]
        return [data, [self._pretraining(), self._segmentation()], training, *scoring]

    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""
        return command[0] in ("eval", "entropy")

    @property
    def _videos(self) -> Path:
        return self.out / "ucf101"

    @property
    def _masks(self) -> Path:
        return self.out / "masks"

    @property
    def _pretrained(self) -> Path:
        return self.out / "runs" / "pretrained"

    def _segmentation(self) -> Arguments:
        options = ["--backend", "motion", "-o", str(self._masks), *self.resumption]
        return ["segment", str(self._videos), *options]

    def _pretraining(self) -> Arguments:
        data = ["--data", str(self.out / "pretraining"), "--weights", "none", "--lr", "4e-3"]
        settings = [*SMALL_X3D, *OPTIMIZATION, *training_length(self.pretraining_epochs)]
        out = ["-o", str(self._pretrained), *self.resumption]
        return ["train", "x3d", *data, *settings, *out]

    def _training(self, system: str, seed: int) -> Arguments:
        masks = ["--masks", str(self._masks)] if system == "object-abn" else []
        data = ["--data", str(self._videos), *masks]
        # The map's last normalisation moves by about lr a step: from its even start to a sharp map
        # it takes the many steps of the paper, or a higher rate.
        weights = ["--weights", str(self._pretrained / "model.safetensors"), "--lr", "6e-3"]
        length = training_length(self.epochs)
        settings = [*SMALL_X3D, *OPTIMIZATION, *length, "--seed", str(seed)]
        out = ["-o", str(self.run(system, seed)), *self.resumption]
        return ["train", system, *data, *weights, *settings, *out]

    def _scoring(self) -> list[Arguments]:
        runs = [
            str(self.run(system, seed)) for seed in range(self.seeds) for system in self.systems
        ]
        branches = [run for run in runs if not run.endswith("x3d")]
        truth = str(self._videos / "masks")
        figure = ["--clips", "4", "--overwrite", "-o", str(self.out / "fig2.png")]
        return [
            ["eval", *runs],
            ["entropy", *branches, "--bins", "10", "--masks", truth],
            ["visualize", *branches[:2], *figure],
        ]
