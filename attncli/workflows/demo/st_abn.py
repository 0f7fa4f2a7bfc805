"""ST-ABN's pipeline on toy videos, with human knowledge that a simulated annotator gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.workflows.demo.running import Demo, training_length
from attncli.workflows.demo.steps import Arguments

PRETRAINING_SEED = 1
"""Seed of the toy videos that stand in for Kinetics; those of the pipeline have seed 0."""
OTHERS = 4
"""Most bodies that act beside the one that counts; twice those of pretraining, to be mistaken for
it more often."""
SMALL_RESNET3D = (
    *("--depth", "18", "--width-factor", "0.25", "--frames", "16", "--crop", "short-side"),
    *("--crop-px", "64", "--short-side-min-px", "68", "--short-side-max-px", "76"),
    *("--short-side-val-px", "72", "--flip", "swap-labels"),
)
OPTIMIZATION = (
    # The gradient of temporal attention is small: in the few hundred steps that there are, SGD at
    # any rate the rest can bear leaves it where it began, alike for all clips.
    *("--optimizer", "adam", "--batch-size", "16", "--schedule", "cosine", "--warmup-epochs", "1"),
    *("--clip-grad-norm", "5", "--dropout", "0.2"),
)
TRAINING_LR = "2e-3"
TUNING_LR = "1e-3"
PUBLISHED = (
    *("top1", "top5", "top1_edited_classes", "top1_other_classes"),
    *("top1_inverted", "top5_inverted"),
)
"""Figures of the paper's tables 1 to 3."""
WEAKEST_CLASSES = 3
"""The paper edits clips of 8 of its 174 classes, those it recognises worst."""


@dataclass(frozen=True)
class StAbnDemo(Demo):
    """The paper's tables 1 to 3, and how far temporal attention keeps to the action."""

    seeds: int = 1
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int = 96
    """Toy videos of each class."""
    pretraining_epochs: int = 24
    """Epochs on other toy videos, before the models part."""
    epochs: int = 6
    """Epochs each of the models is then trained."""
    tuning_epochs: int = 4
    """Epochs of fine-tuning on edits."""

    systems = ("resnet3d", "st-abn", "st-abn+epochs", "st-abn+edits")
    figures = (*PUBLISHED, "inside", "outside")
    published: ClassVar = {  # Something-Something v2, 3D ResNet-50, 32 frames; tables 1 to 3
        "resnet3d": {"top1": 51.4, "top5": 80.1},
        "st-abn": dict(zip(PUBLISHED, (58.62, 85.45, 20.50, 59.76, 27.12, 52.68), strict=True)),
        "st-abn+edits": dict(
            zip(PUBLISHED, (60.65, 86.93, 26.32, 61.68, 20.09, 43.35), strict=True)
        ),
    }

    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""
        seeds = range(self.seeds)
        data = [
            self.toy_data("ssv2", self.out / "pretraining", PRETRAINING_SEED),
            self.toy_data("ssv2", self._videos, 0, "--others", str(OTHERS)),
        ]
        return [
            data,
            [self._pretraining()],
            [self._training(system, seed) for seed in seeds for system in self.systems[:2]],
            [self._selection(seed) for seed in seeds],
            [self._annotation(seed) for seed in seeds],
            [self._tuning(system, seed) for seed in seeds for system in self.systems[2:]],
            *([command] for command in self._scoring()),
        ]

    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""
        return command[0] in ("eval", "invert-spatial") or command[1] == "compare"

    @property
    def _videos(self) -> Path:
        return self.out / "ssv2"

    @property
    def _pretrained(self) -> Path:
        return self.out / "runs" / "pretrained"

    @property
    def _truth(self) -> Arguments:
        return ["--truth", str(self._videos / "active.csv")]

    def _edits(self, seed: int) -> Path:
        return self.out / "edits" / f"seed{seed}"

    def _pretraining(self) -> Arguments:
        data = ["--data", str(self.out / "pretraining"), "--weights", "none", "--lr", TRAINING_LR]
        settings = [*SMALL_RESNET3D, *OPTIMIZATION, *training_length(self.pretraining_epochs)]
        out = ["-o", str(self._pretrained), *self.resumption]
        return ["train", "resnet3d", *data, *settings, *out]

    def _training(self, system: str, seed: int) -> Arguments:
        weights = ["--weights", str(self._pretrained / "model.safetensors"), "--lr", TRAINING_LR]
        return self._run(system, seed, system, [*weights, *training_length(self.epochs)])

    def _tuning(self, system: str, seed: int) -> Arguments:
        """Return the fine-tuning on edits, or the same one without their loss."""
        start = ["--init", str(self.run("st-abn", seed)), "--weights", "none", "--lr", TUNING_LR]
        edits = ["--temporal-edits", str(self._edits(seed) / "edits.csv")]
        weight = [] if system == "st-abn+edits" else ["--gamma-t", "0"]
        length = training_length(self.tuning_epochs)
        return self._run("st-abn", seed, system, [*start, *edits, *weight, *length])

    def _run(self, method: str, seed: int, system: str, settings: Arguments) -> Arguments:
        data = ["--data", str(self._videos), *SMALL_RESNET3D, *OPTIMIZATION]
        out = ["--seed", str(seed), "-o", str(self.run(system, seed)), *self.resumption]
        return ["train", method, *data, *settings, *out]

    def _selection(self, seed: int) -> Arguments:
        run, classes = str(self.run("st-abn", seed)), str(WEAKEST_CLASSES)
        out = ["-o", str(self._edits(seed)), *self.resumption]
        return ["edit-temporal", "select", run, "--weakest-classes", classes, *out]

    def _annotation(self, seed: int) -> Arguments:
        return ["edit-temporal", "oracle", str(self._edits(seed)), *self._truth, "--overwrite"]

    def _scoring(self) -> list[Arguments]:
        runs = [[str(self.run(name, seed)) for name in self.systems] for seed in range(self.seeds)]
        branches = [run for own in runs for run in own[1:]]
        figure = ["--clips", "3", "--overwrite", "-o", str(self.out / "fig5.png")]
        edits = [
            ["--temporal-edits", str(self._edits(seed) / "edits.csv")] for seed in range(self.seeds)
        ]
        return [
            *(["eval", *own, *edited] for own, edited in zip(runs, edits, strict=True)),
            ["invert-spatial", *branches],
            ["edit-temporal", "compare", *branches, *self._truth],
            ["visualize", runs[0][1], runs[0][3], *figure],
        ]
