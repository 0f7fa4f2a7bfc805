import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from attncli.backbones.x3d import build_x3d
from attncli.layers.attention import (
    ClassMapBranch,
    acting_map,
    attend,
    new_convolution,
    new_sum,
    stage_at_stride_1,
)
from attncli.layers.fusion import FusedConvolution, fuse_for_inference
from attncli.types import AttentionEdit


@pytest.mark.parametrize(
    ("mechanism", "product"),
    [("product", lambda f, m: f * m), ("residual", lambda f, m: f * (1 + m))],
)
@pytest.mark.parametrize("per_frame", [False, True])
def test_features_are_weighed_cell_by_cell_or_frame_by_frame(
    mechanism: str, product: Callable[[float, float], float], per_frame: bool
) -> None:
    features = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    attention = torch.rand(2, 4, *((1, 1) if per_frame else (5, 6)), dtype=torch.float64)
    attended = attend(features, attention, mechanism=mechanism)
    for b, c, t, h, w in ((0, 0, 0, 0, 0), (1, 2, 3, 4, 5), (1, 0, 2, 1, 3)):
        m = attention[b, t, 0 if per_frame else h, 0 if per_frame else w].item()
        expected = product(features[b, c, t, h, w].item(), m)
        assert attended[b, c, t, h, w].item() == pytest.approx(expected)


def test_features_keep_their_precision() -> None:
    features = torch.randn(1, 2, 3, 4, 4, dtype=torch.bfloat16)
    assert attend(features, torch.rand(1, 3, 4, 4), mechanism="residual").dtype == torch.bfloat16


def test_a_map_is_inverted_only_when_it_is_asked_for() -> None:
    attention = torch.tensor([0.0, 0.25, 1.0]).view(1, 1, 1, 3)
    assert acting_map(attention, None) is attention
    assert acting_map(attention, AttentionEdit(temporal=torch.ones(1, 1))) is attention
    inverted = acting_map(attention, AttentionEdit(invert_spatial=True))
    assert inverted.flatten().tolist() == [1.0, 0.75, 0.0]


def test_a_stage_at_stride_1_samples_to_the_same_values_as_the_stage() -> None:
    # At stride 1 the first block computes every cell, of which the stage keeps every second.
    torch.manual_seed(0)
    stage = build_x3d("m", n_classes=2, width_factor=0.5, depth_factor=0.2).next_stage.eval()
    block, whole = stage.res_blocks[0], stage_at_stride_1(stage).res_blocks[0]
    block.branch2.norm_b[1] = whole.branch2.norm_b[1] = nn.Identity()
    x = torch.randn(1, stage.in_channels, 2, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(whole(x)[..., ::2, ::2], block(x))
    assert block.branch2.conv_b.stride == (1, 2, 2)


def random_statistics(model: nn.Module) -> nn.Module:
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm3d):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    return model


class Tripled(ClassMapBranch):
    """A branch of the simplest kind."""

    def forward(self, features: Tensor) -> Tensor:
        return 3 * self.class_maps(features)


def test_class_maps_are_rectified_and_the_same_when_fused() -> None:
    torch.manual_seed(0)
    branch = Tripled(nn.Conv3d(3, 4, 3, padding=1), channels=4, n_classes=5)
    model = random_statistics(nn.Sequential(branch)).eval()
    features = torch.randn(2, 3, 2, 4, 4)
    fused = fuse_for_inference(model)
    with torch.no_grad():
        expected = model(features)
        torch.testing.assert_close(fused(features), expected)
    assert 0 == expected.min() < expected.max()
    assert isinstance(fused[0].to_classes, FusedConvolution)
    assert isinstance(model[0].norm, nn.BatchNorm3d)


@pytest.mark.parametrize("size", [1, 3])
def test_a_new_convolution_keeps_the_grid_and_the_variance_of_gradients(size: int) -> None:
    convolution = new_convolution(100, 50, size=size)
    assert convolution.bias is None
    assert convolution(torch.randn(1, 100, 3, 4, 5)).shape == (1, 50, 3, 4, 5)
    # Kaiming, fan out: variance 2 / (out channels x kernel volume).
    expected = math.sqrt(2 / (50 * size**3))
    assert convolution.weight.std().item() == pytest.approx(expected, rel=0.03)


def test_a_new_sum_adds_the_halves_of_its_channels() -> None:
    halves = torch.randn(2, 2, 3, 4, 5, 6)
    joined = torch.cat([halves[0], halves[1]], dim=1)
    torch.testing.assert_close(new_sum(3)(joined), halves.sum(0))
