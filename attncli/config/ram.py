"""Settings of RAM and its baselines; what the paper leaves open has a default of our choice."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from attncli.config.training import LARGEST_SEED, Flip, Schedule, TrainConfig, require

FaceCrop = Literal["auto", "landmarks", "detector", "centre", "none"]
Peephole = Literal["hadamard", "channel", "convolution", "none"]

LARGEST_SIZE = 10_000
"""Largest number of frames, channels or pixels; beyond it is a slip of the hand."""
N_LAYERS = 4
"""Recurrent layers of every network here."""
N_POOLINGS = 3
"""Times the grid is halved on the way to the last of them."""


@dataclass(frozen=True, kw_only=True)
class SequenceConfig(TrainConfig):
    """What training on image sequences of people, tested on people never seen, can be told."""

    folds: int = 10
    """Parts the people are divided into; each part is tested by a network trained on the others."""
    fold: int | None = None
    """Train and test this fold alone, from 1; all folds in turn where unset."""
    folds_seed: int = 0
    """Seed by which people are dealt out to the folds, so that all methods share them."""
    folds_file: Path | None = None
    """Table of an earlier run (`folds.csv`) whose folds to take instead."""
    parallel_folds: int | None = None
    """Folds that are trained side by side, each in a process; one a GPU where unset."""
    eval_every: int = 40
    """Epochs between validations; the last epoch is always validated."""
    workers: int | None = 0
    """Processes that cut clips; 0 cuts them in the main process, which holds all sequences in
    memory."""
    frames: int = 8
    """Frames of a clip."""
    clip_step: int = 2
    """Frames from the start of a clip to that of the next: clips of 8 overlap by 6. They are
    counted back from the end of a sequence, so that the last one ends at the apex."""
    clips: Literal["all", "tail"] = "all"
    """Clips of a sequence: all, or only the one that ends at its last frame, the apex."""
    padding: Literal["first", "last", "error"] = "first"
    """What fills up the clip of a shorter sequence: its first frame before it, its last after it;
    or such a sequence is an error."""
    color: Literal["grey", "rgb"] = "grey"
    """Whether faces are seen in grey or in colour."""
    face_crop: FaceCrop = "auto"
    """Where the face is, in all frames of a sequence alike: by the `landmarks` of its first frame,
    a `detector`, or the `centre` of the frame; `auto` takes the first of them that there is, and
    of CK+48, whose pictures are faces, the whole frame (`none`)."""
    face_px: int = 96
    """Side of the square that faces are resized to, in pixels."""
    margin_px: int = 8
    """Training clips are cut at random from faces so many pixels larger."""
    flip: Flip = "auto"
    """Mirror half the training clips left to right: `none`, all alike (`plain`), or with the label
    of the mirrored class (`swap-labels`); `auto` is plain, or none where classes name a side."""

    def __post_init__(self) -> None:
        """Refuse sequences that cannot be cut, and folds that cannot be made.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.folds >= 2, "folds", "must be at least 2")
        in_range = self.fold is None or 1 <= self.fold <= self.folds
        require(in_range, "fold", f"must be in [1, {self.folds}]")
        require(0 <= self.folds_seed <= LARGEST_SEED, "folds_seed", "must be in [0, 2**63 - 1]")
        require(
            self.parallel_folds is None or self.parallel_folds >= 1,
            "parallel_folds",
            "must be at least 1",
        )
        for name in ("frames", "clip_step", "face_px"):
            within = 1 <= getattr(self, name) <= LARGEST_SIZE
            require(within, name, f"must be in [1, {LARGEST_SIZE}]")
        require(0 <= self.margin_px <= LARGEST_SIZE, "margin_px", "must not be negative")

    @property
    def clip_shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns of a clip."""
        return self.frames, self.face_px, self.face_px

    @property
    def parts(self) -> "Sequence[SequenceConfig]":
        """Settings of each fold; none of a fold."""
        if self.fold is not None:
            return ()
        return [replace(self, fold=fold) for fold in range(1, self.folds + 1)]

    @property
    def cut(self) -> Mapping[str, Any]:
        """How clips are cut that a network answers well only as it was trained, by setting."""
        return {"frames": self.frames}


@dataclass(frozen=True, kw_only=True)
class ConvLstmConfig(SequenceConfig):
    """ConvLSTM on faces, trained by cross entropy alone."""

    heading: ClassVar[str] = "RAM"

    epochs: int = 40
    """Passes over the training clips."""
    lr: float = 1e-3
    """Learning rate at the start, after any warm-up."""
    schedule: Schedule = "cosine"
    """Course of the learning rate: constant, cosine to zero, or divided by 10 at milestones."""
    clip_grad_norm: float | None = 5.0
    """Largest total gradient norm; `inf` clips nothing."""
    widths: tuple[int, ...] = (32, 32, 64, 64, 128)
    """Channels of the first convolution and of the four recurrent layers after it."""
    kernel_size: int = 3
    """Rows and columns of the kernels of the first convolution, the recurrent layers and RAM's
    recurrence, odd."""
    peephole: Peephole = "hadamard"
    """How gates see the cell state: weighed cell by cell (eq. 1; fixes --face-px), by a weight a
    channel, by a convolution (eq. 2), or not at all."""
    head: Literal["flatten", "mean"] = "flatten"
    """What the last fully connected layer sees: every cell of the features, or their means."""
    scores_at: Literal["last", "mean"] = "last"
    """Which frames a clip's class scores are of: its last, or the mean over all."""
    dropout: float = 0.5
    """Probability with which the head drops a feature."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        has_all = len(self.widths) == N_LAYERS + 1
        require(has_all, "widths", f"must be {N_LAYERS + 1} numbers of channels")
        within = all(1 <= width <= LARGEST_SIZE for width in self.widths)
        require(within, "widths", f"must be in [1, {LARGEST_SIZE}]")
        require(
            self.kernel_size % 2 == 1 and 1 <= self.kernel_size <= LARGEST_SIZE,
            "kernel_size",
            "must be odd and positive",
        )
        smallest = 2**N_POOLINGS
        require(self.face_px >= smallest, "face_px", f"must be at least {smallest}")
        require(0 <= self.dropout < 1, "dropout", "must be in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class EnhancedConvLstmConfig(ConvLstmConfig):
    """Enhanced ConvLSTM on faces, trained by cross entropy alone."""

    peephole: Peephole = "convolution"
    """How gates see the cell state: weighed cell by cell (eq. 1; fixes --face-px), by a weight a
    channel, by a convolution (eq. 2), or not at all."""
    groups: int = 8
    """Groups of channels that are normalised together; must divide the widths of the layers."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.groups >= 1, "groups", "must be at least 1")
        divides = all(width % self.groups == 0 for width in self.widths[1:])
        widths = ", ".join(map(str, self.widths[1:]))
        rule = f"must divide all --widths but the first ({widths}), which {self.groups} does not"
        require(divides, "groups", rule)


@dataclass(frozen=True, kw_only=True)
class RamConfig(ConvLstmConfig):
    """The Recurrent Attention Module."""

    ram_state: Literal["plain", "convlstm"] = "plain"
    """What the module remembers: its hidden features alone, or as a ConvLSTM cell."""
    lambda_att: float = 1.0
    """Weight of the module's class loss; the paper adds both alike."""

    def __post_init__(self) -> None:
        """Refuse weights that make no loss.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(0 <= self.lambda_att < math.inf, "lambda_att", "must be finite, not negative")


@dataclass(frozen=True, kw_only=True)
class ConvLstmRamConfig(RamConfig):
    """ConvLSTM with RAM."""


@dataclass(frozen=True, kw_only=True)
class EnhancedConvLstmRamConfig(EnhancedConvLstmConfig, RamConfig):
    """Enhanced ConvLSTM with RAM."""
