"""3D ResNet, the slow pathway of SlowFast (Feichtenhofer et al., ICCV 2019), cut after res4.

State-dicts have pytorchvideo's keys, so the weights published there load; those of torchvision's
2-D ResNets are inflated. All of them get frames normalised by the mean and standard deviation of
ImageNet, though pytorchvideo's were trained with 0.45 and 0.225 for all three colours.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal, cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.backbones.resnet3d_blocks import EXPANSION, Head, Stage, Stem
from attncli.backbones.weights import load_state, read_state
from attncli.errors import UsageError
from attncli.files.downloads import published_file
from attncli.layers.frames import NormalizeFrames
from attncli.types import BranchOutputs

Depth = Literal["18", "50", "101"]

WIDTH = 64
DEPTHS: dict[Depth, tuple[int, ...]] = {
    "18": (2, 2, 2, 2),
    "50": (3, 4, 6, 3),
    "101": (3, 4, 23, 3),
}
"""Blocks of res2 to res5."""
STRIDES = (1, 2, 2, 2)
KERNEL_FRAMES = (1, 1, 3, 3)
"""Frames that the first convolution of each block spans in res2 to res5."""
KINETICS400 = "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/SLOW_8x8_R50.pyth"
CLASSIFIER = "blocks.5.proj"
BLOCK_NAMES = {
    **{f"conv{i}": f"branch2.conv_{letter}" for i, letter in enumerate("abc", start=1)},
    **{f"bn{i}": f"branch2.norm_{letter}" for i, letter in enumerate("abc", start=1)},
    "downsample.0": "branch1_conv",
    "downsample.1": "branch1_norm",
}
"""What torchvision and pytorchvideo call the layers of a block."""
OTHER_NAMES = {"conv1": "blocks.0.conv", "bn1": "blocks.0.norm", "fc": CLASSIFIER}
"""What they call the layers before and after the blocks."""


class Resnet3d(nn.Module):
    """3D ResNet for clips of any length and size.

    Args:
        depth: Number of layers, whose published weights fit at their width.
        is_full_width: Whether the network is as wide as the published ones.
        stem: First layers.
        stages: res2, res3, res4 and res5.
        head: Last layers.
    """

    def __init__(
        self, depth: Depth, *, is_full_width: bool, stem: Stem, stages: list[Stage], head: Head
    ) -> None:
        super().__init__()
        self.depth: Depth = depth
        self.is_full_width = is_full_width
        self.normalize = NormalizeFrames(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
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


def build_resnet3d(
    depth: Depth,
    *,
    n_classes: int,
    width_factor: float = 1.0,
    dropout: float = 0.5,
    checkpoint_gradients: bool = False,
) -> Resnet3d:
    """Return a 3D ResNet with random weights drawn from torch's default generator.

    Args:
        depth: Number of layers. 50 and 101 have bottlenecks, whose first convolution spans three
            frames in res4 and res5 (3x1x1); so does that of the basic blocks of 18 (3x3x3).
        n_classes: Number of classes.
        width_factor: Channels of every stage over the published ones.
        dropout: Probability with which the head drops a feature.
        checkpoint_gradients: Whether activations within a block are computed twice, not kept.
    """
    width = max(1, round(WIDTH * width_factor))
    expansion = 1 if depth == "18" else EXPANSION
    widths = [width, *(width * expansion * 2**i for i in range(len(STRIDES)))]
    stages = [
        Stage(
            before,
            after,
            depth=n_blocks,
            is_bottleneck=depth != "18",
            frames=frames,
            stride=stride,
            checkpoint_gradients=checkpoint_gradients,
        )
        for (before, after), n_blocks, frames, stride in zip(
            pairwise(widths), DEPTHS[depth], KERNEL_FRAMES, STRIDES, strict=True
        )
    ]
    stem = Stem(width, checkpoint_gradients=checkpoint_gradients)
    head = Head(widths[-1], n_classes=n_classes, dropout=dropout)
    model = Resnet3d(depth, is_full_width=width == WIDTH, stem=stem, stages=stages, head=head)
    model.apply(_initialize)
    return model.to(memory_format=torch.channels_last_3d)


def load_weights(model: Resnet3d, weights: str) -> tuple[str, ...]:
    """Put initial weights into `model`.

    Args:
        model: Network whose weights are overwritten.
        weights: `imagenet` (torchvision's 2-D ResNet of the model's depth, inflated) or
            `kinetics400` (pytorchvideo's, of depth 50), downloaded once; the path of a state-dict,
            which is inflated if it is of a 2-D ResNet; or `none`.

    Returns:
        The keys left at random: those of the classifier where class counts differ, or none.

    Raises:
        UsageError: None of that name are published for the model's depth or width.
        AttncliError: The weights cannot be had, or are not of this architecture.
    """
    if weights == "none":
        return ()
    is_published = weights in ("imagenet", "kinetics400")
    path = published_file(_address(model, weights)) if is_published else Path(weights)
    state = read_state(path)
    if "conv1.weight" in state:
        state = inflate(state, model)
    return load_state(model, state, where=path, classifier=CLASSIFIER)


def inflate(state: Mapping[str, Tensor], model: Resnet3d) -> dict[str, Tensor]:
    """Return the weights of a 2-D ResNet as those of a 3-D one.

    The weights of a convolution are repeated over the frames it spans and divided by their number;
    all else is copied. So the 3-D network answers a clip of one repeated image as the 2-D network
    answers the image, but for its first and last frames: what a convolution spans beyond them is
    zero, so that it sums two thirds of what the 2-D one does. Each such convolution carries the
    difference a frame further: 6 frames from either border in res4 of depth 50, 9 in res5.

    Args:
        state: State-dict with torchvision's keys; others stay as they are.
        model: Network that tells how many frames each convolution spans.
    """
    own = model.state_dict()
    inflated = {}
    for theirs, value in state.items():
        key = _translate(theirs)
        inflated[key] = value
        if value.ndim == 4 and own.get(key, value).ndim == 5:
            frames = own[key].shape[2]
            inflated[key] = value.unsqueeze(2).repeat(1, 1, frames, 1, 1) / frames
    return inflated


def _address(model: Resnet3d, weights: str) -> str:
    """Return where weights are published for the depth of `model`."""
    fitting = "--width-factor 1" if weights == "imagenet" else "--depth 50 and --width-factor 1"
    if not model.is_full_width or (weights == "kinetics400" and model.depth != "50"):
        raise UsageError(
            f"{weights} is published for {fitting} only",
            where="--weights",
            remedy="pass a file or none",
        )
    if weights == "kinetics400":
        return KINETICS400
    from torchvision.models import get_weight  # takes as long to import as torch itself

    return cast(str, get_weight(f"ResNet{model.depth}_Weights.IMAGENET1K_V1").url)


def _translate(key: str) -> str:
    """Return pytorchvideo's name of one of torchvision's keys; any other key as it is."""
    layer, _, tensor = key.rpartition(".")
    if match := re.fullmatch(r"layer([1-4])\.(\d+)\.(.+)", layer):
        stage, block, name = match.groups()
        name = BLOCK_NAMES.get(name, name)
        return f"blocks.{stage}.res_blocks.{block}.{name}.{tensor}"
    return f"{OTHER_NAMES.get(layer, layer)}.{tensor}"


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
