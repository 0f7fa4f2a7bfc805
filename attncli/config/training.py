"""Settings every trained method shares: optimisation, precision, seeds, data loading."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from attncli.config.fields import Option, flag_of
from attncli.errors import UsageError

Precision = Literal["fp32", "bf16", "fp16"]
Optimizer = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "cosine", "step"]
Sampling = Literal["dense", "uniform", "uniform-floor"]
Logger = Literal["tensorboard", "wandb"]
Flip = Literal["auto", "none", "plain", "swap-labels"]

LARGEST_SEED = 2**63 - 1
"""Largest seed every generator takes: a signed integer of 64 bits."""
LARGEST_CLIP = 100_000
"""Largest number of frames, stride or side in pixels of a clip; beyond it is a slip of the hand."""
CLIP_SIZES = (
    *("frames", "frame_stride", "crop_px"),
    *("short_side_min_px", "short_side_max_px", "short_side_val_px"),
)
"""Settings that `LARGEST_CLIP` bounds."""
CUT_OF_CLIPS = ("sampling", "frames", "frame_stride", "short_videos", "crop", "crop_px")
"""Settings of the clips that a network answers well only as it was trained."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What any `attncli train METHOD` can be told."""

    data: Path
    """Dataset directory in its native layout, or a CSV/JSONL manifest."""
    layout: str = "auto"
    """Layout of the dataset; `auto` recognises it from what is in the directory."""
    limit: int | None = None
    """Number of samples of each split to use, for a quick trial; all where unset. They are spread
    over the classes, and `--seed` does not change which. For re-identification whole people are
    taken up to this number of images; for facial expressions it is the number in all folds."""
    classes: tuple[str, ...] = ()
    """Classes to use, for a quick trial; all where unset."""
    init: Path | None = None
    """Run directory or checkpoint whose weights to start from."""
    epochs: int = 50
    """Passes over the training clips."""
    batch_size: int = 16
    """Clips in a step, over all processes and accumulated parts together."""
    accumulate: int = 1
    """Parts a batch is split into to save memory; gradients are summed over them, but batch
    normalisation sees the clips of one part, over all processes: 8 of 64 with 8 parts."""
    optimizer: Optimizer = "adam"
    """Optimisation algorithm."""
    lr: float = 1e-4
    """Learning rate at the start, after any warm-up."""
    weight_decay: float = 0.0
    """Weight decay; never applied to biases and normalisation."""
    momentum: float = 0.9
    """Momentum of sgd."""
    schedule: Schedule = "constant"
    """Course of the learning rate: constant, cosine to zero, or divided by 10 at milestones."""
    milestones: Annotated[tuple[int, ...], Option(may_be_empty=True)] = ()
    """Epochs after which `--schedule step` divides the learning rate by 10."""
    warmup_epochs: float = 0.0
    """Epochs over which the learning rate first rises from zero."""
    clip_grad_norm: float | None = None
    """Largest total gradient norm; gradients are not clipped where unset."""
    eval_every: int = 1
    """Epochs between validations; the last epoch is always validated."""
    checkpoint_every: int | None = None
    """Steps between checkpoints besides those at each epoch's end."""
    logger: Logger = "tensorboard"
    """Who is given losses of steps and figures of epochs: TensorBoard, in `tensorboard/` of the
    run, or Weights & Biases, which needs the extra `wandb`. `log.csv` is written in any case."""
    seed: int = 0
    """Seed of weights, order of clips, clip sampling, augmentation and dropout."""
    deterministic: bool = False
    """Use only algorithms that give the same bits on every run of a GPU; slower."""
    workers: Annotated[int | None, Option(short="-j")] = None
    """Processes that read clips; one a free core where unset, 0 reads in the main process."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""
    precision: Precision = "fp32"
    """Arithmetic of the forward pass; bf16 and fp16 are mixed precision."""
    compile: bool = False
    """Compile the model with torch.compile."""

    def __post_init__(self) -> None:
        """Refuse values no run can use.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        require(self.limit is None or self.limit >= 1, "limit", "must be at least 1")
        require(
            len(set(self.classes)) == len(self.classes),
            "classes",
            "must not name the same one twice",
        )
        for name in ("epochs", "batch_size", "accumulate", "eval_every"):
            require(getattr(self, name) >= 1, name, "must be at least 1")
        require(
            self.checkpoint_every is None or self.checkpoint_every >= 1,
            "checkpoint_every",
            "must be at least 1",
        )
        rule = f"must divide --batch-size, {self.batch_size}, which {self.accumulate} does not"
        require(self.batch_size % self.accumulate == 0, "accumulate", rule)
        require(0 < self.lr < math.inf, "lr", "must be positive and finite")
        for name in ("weight_decay", "warmup_epochs"):
            require(0 <= getattr(self, name) < math.inf, name, "must be finite, not negative")
        require(0 <= self.momentum < 1, "momentum", "must be in [0, 1)")
        require(self.workers is None or self.workers >= 0, "workers", "must not be negative")
        require(0 <= self.seed <= LARGEST_SEED, "seed", "must be in [0, 2**63 - 1]")
        require(
            self.clip_grad_norm is None or self.clip_grad_norm > 0,
            "clip_grad_norm",
            "must be positive",
        )
        require(
            bool(self.milestones) == (self.schedule == "step"),
            "milestones",
            "must be given with --schedule step, and only then",
        )

    @classmethod
    def implied(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return defaults that follow from settings that were given; those go before them."""
        return {} if given.get("schedule", cls.schedule) == "step" else {"milestones": ()}

    def without_published_weights(self) -> "TrainConfig":
        """Return settings that build the same network and fetch nothing, for weights to come."""
        return self

    @property
    def choice(self) -> Mapping[str, str | int]:
        """What is used of the data where that is not all, as rows say it."""
        said: dict[str, str | int] = {} if self.limit is None else {"limit": self.limit}
        return said | ({"only_classes": ",".join(self.classes)} if self.classes else {})

    @property
    def parts(self) -> Sequence["TrainConfig"]:
        """Settings of the runs that a run consists of, such as its folds; none of a single one."""
        return ()

    @property
    def cut(self) -> Mapping[str, Any]:
        """How samples are cut that a network answers well only as it was trained, by setting."""
        return {}


@dataclass(frozen=True, kw_only=True)
class ClipConfig(TrainConfig):
    """What training on video clips can be told besides."""

    split_number: int = 1
    """Which of the dataset's train/test partitions to use (UCF101 has 1, 2 and 3)."""
    frames: int = 16
    """Frames of a clip."""
    sampling: Sampling = "dense"
    """`dense` takes every frame-stride-th frame; `uniform` one of each of as many equal parts of
    the whole video as a clip has frames; `uniform-floor` cuts the parts to whole frames."""
    frame_stride: int = 4
    """Distance in frames between two frames of a clip, in dense sampling: 2 takes every second
    one, so that a clip spans frames x frame-stride."""
    short_videos: Literal["loop", "clamp", "error"] = "loop"
    """A video shorter than a clip's span is looped, held at its last frame, or an error."""
    val_start: Literal["centre", "random"] = "centre"
    """Where a validation clip of dense sampling starts; Object-ABN's paper draws it at random."""
    crop: Literal["short-side", "area"] = "short-side"
    """A training crop has the short side resized to a drawn length, or covers a drawn area."""
    crop_area_min: float = 0.08
    """Smallest share of the frame that a training crop of `--crop area` covers."""
    crop_px: int = 224
    """Side of the square the clip is cropped to, in pixels."""
    short_side_min_px: int = 256
    """Smallest short side a training clip is resized to before it is cropped."""
    short_side_max_px: int = 320
    """Largest short side a training clip is resized to before it is cropped."""
    short_side_val_px: int = 256
    """Short side a validation clip is resized to before its centre is cropped."""
    flip: Flip = "auto"
    """Mirror half the training clips left to right: `none`, all alike (`plain`), or with the label
    of the mirrored class (`swap-labels`); `auto` is plain, or none where classes name a side."""

    def __post_init__(self) -> None:
        """Refuse clips that cannot be cut.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.split_number >= 1, "split_number", "must be at least 1")
        for name in CLIP_SIZES:
            within = 1 <= getattr(self, name) <= LARGEST_CLIP
            require(within, name, f"must be in [1, {LARGEST_CLIP}]")
        if self.sampling != "dense":
            require(self.frame_stride == 1, "frame_stride", "must be 1 without --sampling dense")
            require(self.val_start == "centre", "val_start", "needs --sampling dense")
        require(0 < self.crop_area_min <= 1, "crop_area_min", "must be in (0, 1]")
        require(
            self.crop == "area" or self.crop_px <= self.short_side_min_px,
            "short_side_min_px",
            f"must be at least --crop-px, {self.crop_px}",
        )
        require(
            self.short_side_min_px <= self.short_side_max_px,
            "short_side_min_px",
            f"must be at most --short-side-max-px, {self.short_side_max_px}",
        )
        require(
            self.crop_px <= self.short_side_val_px,
            "short_side_val_px",
            f"must be at least --crop-px, {self.crop_px}",
        )

    @property
    def clip_shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns of a clip."""
        return self.frames, self.crop_px, self.crop_px

    @property
    def cut(self) -> Mapping[str, Any]:
        """How clips are cut that a network answers well only as it was trained, by setting."""
        return {name: getattr(self, name) for name in CUT_OF_CLIPS}

    @classmethod
    def implied(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return defaults that follow from settings that were given; those go before them."""
        is_dense = given.get("sampling", cls.sampling) == "dense"
        return {**super().implied(given), **({} if is_dense else {"frame_stride": 1})}


def require(holds: bool, name: str, rule: str) -> None:
    """Raise a `UsageError` that names option `name` unless its rule holds."""
    if not holds:
        raise UsageError(rule, where=flag_of(name))
