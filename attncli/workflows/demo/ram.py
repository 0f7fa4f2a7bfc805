"""RAM's pipeline on drawn faces: four models, cross-validated over people."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.workflows.demo.running import Demo, training_length
from attncli.workflows.demo.steps import Arguments

FOLDS = 2
"""The paper has ten; two leave time for all four models."""
SMALL = (
    *("--widths", "8,8,16,16,32", "--face-px", "40", "--margin-px", "4"),
    *("--batch-size", "4", "--lr", "3e-3", "--warmup-epochs", "1"),
    *("--dropout", "0.2"),
)
LENGTH = ("--frames", "8")
"""Short sequences: most clips reach far into the expression, so that each step teaches more."""
SHOWN = "enhanced-convlstm-ram"
"""Of the two with attention, the one in which the paper finds it concentrated."""


@dataclass(frozen=True)
class RamDemo(Demo):
    """The paper's table 1, its confusion matrices, and attention at the apex."""

    seeds: int = 1
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int = 150
    """People that are drawn; the half that a network learns from is about two thirds of CK+'s."""
    epochs: int = 7
    """Epochs Enhanced ConvLSTM is trained in each fold; ConvLSTM twice as many."""

    systems = ("convlstm", "convlstm-ram", "enhanced-convlstm", SHOWN)
    figures = ("accuracy", "accuracy_fold_std", "clip_accuracy", "mcnemar_p")
    published: ClassVar = {  # CK+, ten folds; table 1
        "convlstm": {"accuracy": 86.85},
        "convlstm-ram": {"accuracy": 92.97},
        "enhanced-convlstm": {"accuracy": 90.21},
        "enhanced-convlstm-ram": {"accuracy": 95.11},
    }

    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""
        training = [
            self._training(system, seed) for seed in range(self.seeds) for system in self.systems
        ]
        return [
            [self.toy_data("ckplus", self._faces, 0, *LENGTH)],
            training,
            self._evaluations(),
            [self._figure()],
        ]

    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""
        return command[0] == "eval"

    @property
    def _faces(self) -> Path:
        return self.out / "ckplus"

    def _training(self, system: str, seed: int) -> Arguments:
        data = ["--data", str(self._faces), "--folds", str(FOLDS), "--parallel-folds", "1"]
        settings = [*SMALL, *self._length(system), "--seed", str(seed)]
        out = ["-o", str(self.run(system, seed)), *self.resumption]
        return ["train", system, *data, *settings, *out]

    def _length(self, system: str) -> Arguments:
        if system.startswith("enhanced"):
            return training_length(self.epochs)
        # ConvLSTM begins late to learn, when a cosine would have let the learning rate fall, and
        # two of its steps take as long as one of Enhanced ConvLSTM.
        epochs = 2 * self.epochs
        milestone = str(epochs * 6 // 7)
        return [*training_length(epochs), "--schedule", "step", "--milestones", milestone]

    def _evaluations(self) -> list[Arguments]:
        """Return the evaluations, each model with RAM beside the one without."""
        return [
            ["eval", *(str(self.run(system, seed)) for system in pair)]
            for seed in range(self.seeds)
            for pair in (self.systems[:2], self.systems[2:])
        ]

    def _figure(self) -> Arguments:
        attentive = [str(self.run(system, 0)) for system in (self.systems[1], SHOWN)]
        return ["visualize", *attentive, "--overwrite", "-o", str(self.out / "fig4.png")]
