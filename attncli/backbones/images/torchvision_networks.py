"""ResNets and ShuffleNets of torchvision, cut into stages.

ResNet: He et al., CVPR 2016; ResNeXt: Xie et al., CVPR 2017; wide ResNet: Zagoruyko and Komodakis,
BMVC 2016; ShuffleNet V2: Ma et al., ECCV 2018. What only leads to ImageNet's classes is left out:
`fc`, and ShuffleNet's pointwise convolution before it, which torchvision calls `conv5`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import ResNet, ShuffleNetV2, get_model, get_model_weights

from attncli.backbones.images.backbone import (
    PUBLISHED_STRIDES,
    ROLES,
    ImageBackbone,
    OutputStride,
    strides,
)
from attncli.backbones.images.dilation import dilate_stage
from attncli.backbones.images.normalization import Normalization

NAMES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
)
SHUFFLENET_HEAD = ("conv5", "fc")
RESNET_HEAD = ("fc",)


class StagedBackbone(ImageBackbone):
    """A network whose stages follow one another.

    Args:
        stages: What leads from each role's grid to the next, in the order of `ROLES`.
        normalization: What its weights were trained with.
        channels: Channels that come out of each stage.
        output_stride: Pixels a cell of the coarsest grid is to stand for.
    """

    def __init__(
        self,
        stages: Sequence[nn.Module],
        normalization: Normalization,
        *,
        channels: Sequence[int],
        output_stride: OutputStride,
    ) -> None:
        super().__init__(normalization, channels=channels, output_stride=output_stride)
        self.stages = nn.ModuleDict(dict(zip(ROLES, stages, strict=True)))
        dilation = 1
        asked = strides(output_stride)
        for stage, stride, published in zip(stages, asked, PUBLISHED_STRIDES, strict=True):
            if stride < published:
                dilation = dilate_stage(stage, dilation)

    def stage_outputs(self, x: Float[Tensor, "b 3 h w"]) -> Iterator[Float[Tensor, "b _ _ _"]]:
        """Yield what comes out of each stage for normalised images, in the order of `ROLES`."""
        for stage in self.stages.values():
            x = stage(x)
            yield x


def blank_network(name: str) -> nn.Module:
    """Return one of `NAMES`, whole, with random weights."""
    return cast(nn.Module, get_model(name, weights=None))


def head_of(name: str) -> tuple[str, ...]:
    """Return what torchvision calls the layers of a network that its backbone has not."""
    return SHUFFLENET_HEAD if name.startswith("shufflenet") else RESNET_HEAD


def published_weights(name: str) -> tuple[str, Normalization]:
    """Return where a network's first ImageNet weights are, and how they were trained to see."""
    weights: Any = get_model_weights(name)["IMAGENET1K_V1"]
    transforms = weights.transforms()
    normalization = Normalization(mean=tuple(transforms.mean), std=tuple(transforms.std))
    return weights.url, normalization


def cut(
    network: nn.Module, normalization: Normalization, *, output_stride: OutputStride
) -> StagedBackbone:
    """Return the backbone of one of torchvision's networks, whose layers it takes over."""
    parts: Mapping[str, nn.Module] = dict(network.named_children())
    if isinstance(network, ShuffleNetV2):
        stem: tuple[str, ...] = ("conv1", "maxpool")
        later = ("stage2", "stage3", "stage4")
        channels = network._stage_out_channels[:-1]
    else:
        stem = ("conv1", "bn1", "relu", "maxpool", "layer1")
        later = ("layer2", "layer3", "layer4")
        channels = [
            cast(ResNet, network).fc.in_features // 2**halvings for halvings in (3, 2, 1, 0)
        ]
    first = nn.Sequential(*(parts[name] for name in stem))
    stages = [first, *(parts[name] for name in later)]
    return StagedBackbone(stages, normalization, channels=channels, output_stride=output_stride)
