"""X3D (Feichtenhofer, CVPR 2020), cut after its fourth stage for an attention branch.

State-dicts have pytorchvideo's keys, so the weights published there load.
"""

from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Literal, cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.backbones.weights import load_state, read_state
from attncli.backbones.x3d_blocks import Head, Stage, Stem, round_width
from attncli.files.downloads import published_file
from attncli.layers.frames import NormalizeFrames
from attncli.types import BranchOutputs

Size = Literal["xs", "s", "m", "l"]

WIDTHS = (12, 12, 24, 48, 96)
DEPTHS = (1, 2, 5, 3)
DEPTH_FACTORS: dict[Size, float] = {"xs": 2.2, "s": 2.2, "m": 2.2, "l": 5.0}
PUBLISHED = "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/X3D_{size}.pyth"


class X3D(nn.Module):
    """X3D for clips of any length and size.

    Args:
        size: Member of the family, whose published weights fit at their width and depth.
        stem: First layers.
        stages: res2, res3, res4 and res5.
        head: Last layers.
    """

    def __init__(self, size: Size, *, stem: Stem, stages: list[Stage], head: Head) -> None:
        super().__init__()
        self.size: Size = size
        self.normalize = NormalizeFrames(mean=(0.45, 0.45, 0.45), std=(0.225, 0.225, 0.225))
        self.blocks = nn.Sequential(stem, *stages, head)

    @property
    def extractor(self) -> nn.Sequential:
        """The feature extractor: stem to res4, a sixteenth of the frame's height and width."""
        return self.blocks[:4]

    @property
    def next_stage(self) -> Stage:
        """res5, the first part of the perception branch."""
        return cast(Stage, self.blocks[4])

    @property
    def head(self) -> Head:
        """The second part of the perception branch, from features to class scores."""
        return cast(Head, self.blocks[5])

    def extract(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hf wf"]:
        """Return the features of a clip after res4.

        Args:
            frames: RGB values 0-255.
        """
        return self.extractor(self.normalize(frames))

    def perceive(self, features: Float[Tensor, "b c t hf wf"]) -> Float[Tensor, "b k"]:
        """Return the class scores (logits) of features like those of `extract`."""
        return self.head(self.next_stage(features))

    def forward(self, frames: UInt8[Tensor, "b 3 t h w"]) -> BranchOutputs:
        """Return the class scores of each clip.

        Args:
            frames: RGB values 0-255.
        """
        return BranchOutputs(scores=self.perceive(self.extract(frames)))


def build_x3d(
    size: Size,
    *,
    n_classes: int,
    width_factor: float = 2.0,
    depth_factor: float | None = None,
    dropout: float = 0.5,
) -> X3D:
    """Return X3D with random weights drawn from torch's default generator.

    Args:
        size: Member of the family; xs, s and m are the same network at different clip sizes.
        n_classes: Number of classes.
        width_factor: Channels of the stem over 12; the published networks have 2.
        depth_factor: Blocks of the stages over 1, 2, 5, 3; the size's published depth if None.
        dropout: Probability with which the head drops a feature.
    """
    factor = DEPTH_FACTORS[size] if depth_factor is None else depth_factor
    widths = [round_width(width * width_factor) for width in WIDTHS]
    stages = [
        Stage(before, after, depth=ceil(depth * factor))
        for (before, after), depth in zip(pairwise(widths), DEPTHS, strict=True)
    ]
    head = Head(widths[-1], stages[-1].inner, n_classes=n_classes, dropout=dropout)
    model = X3D(size, stem=Stem(widths[0]), stages=stages, head=head)
    model.apply(_initialize)
    return model.to(memory_format=torch.channels_last_3d)


def load_weights(model: X3D, weights: str) -> tuple[str, ...]:
    """Put initial weights into `model`.

    Args:
        model: Network whose weights are overwritten.
        weights: `kinetics400` (published for the model's size, downloaded once), the path of a
            state-dict, or `none`.

    Returns:
        The keys left at random: those of the classifier where class counts differ, or none.

    Raises:
        AttncliError: The weights cannot be had, or are not of this architecture.
    """
    if weights == "none":
        return ()
    published = PUBLISHED.format(size=model.size.upper())
    path = published_file(published) if weights == "kinetics400" else Path(weights)
    return load_state(model, read_state(path), where=path, classifier="blocks.5.proj.")


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
