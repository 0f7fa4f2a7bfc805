from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from attncli.backbones.images.normalization import NORMALIZATIONS
from attncli.backbones.images.wide_resnet38 import (
    HEADS,
    WideResNet38,
    require_available,
    wide_resnet38_backbone,
)
from attncli.errors import AttncliError, UsageError

ROLES = ("conv2", "conv3", "conv4", "conv5")


def network(width: int = 2) -> WideResNet38:
    """Return a narrow network in evaluation, no two of whose norms are alike."""
    torch.manual_seed(0)
    model = WideResNet38(width)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(std=0.3)
    return model.eval()


def images(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (2, 3, height, width), dtype=torch.uint8, generator=generator)


def normalised(x: torch.Tensor) -> torch.Tensor:
    mean, std = (
        torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    return (x / 255 - mean) / std


def naive(state: dict[str, torch.Tensor], x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the features by role, from a table of the published network's layers."""

    def rectified(y, name):
        statistics = (state[f"{name}.running_{key}"] for key in ("mean", "var"))
        scale, shift = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.relu(functional.batch_norm(y, *statistics, scale, shift))

    def conv(y, name, stride=1, dilation=1):
        weight = state[f"{name}.weight"]
        padding = dilation * (weight.shape[2] // 2)
        return functional.conv2d(y, weight, None, stride, padding, dilation)

    table = [("b2", 2, 1, 1), ("b2_1", 1, 1, 1), ("b2_2", 1, 1, 1)]
    table += [("b3", 2, 1, 1), ("b3_1", 1, 1, 1), ("b3_2", 1, 1, 1)]
    table += [("b4", 2, 1, 1), *((f"b4_{i}", 1, 1, 1) for i in range(1, 6))]
    table += [("b5", 1, 1, 2), ("b5_1", 1, 2, 2), ("b5_2", 1, 2, 2)]
    inputs = {}
    y = conv(x, "conv1a")
    for name, stride, first, second in table:
        z = inputs[name] = rectified(y, f"{name}.bn_branch2a")
        key = f"{name}.conv_branch1"
        y = conv(z, key, stride) if f"{key}.weight" in state else y
        z = rectified(conv(z, f"{name}.conv_branch2a", stride, first), f"{name}.bn_branch2b1")
        y = y + conv(z, f"{name}.conv_branch2b1", 1, second)
    for name in ("b6", "b7"):
        z = inputs[name] = rectified(y, f"{name}.bn_branch2a")
        y = conv(z, f"{name}.conv_branch1")
        z = rectified(conv(z, f"{name}.conv_branch2a"), f"{name}.bn_branch2b1")
        z = rectified(conv(z, f"{name}.conv_branch2b1", 1, 4), f"{name}.bn_branch2b2")
        y = y + conv(z, f"{name}.conv_branch2b2")
    low = functional.avg_pool2d(inputs["b3"], 2)
    return dict(zip(ROLES, (low, inputs["b5"], inputs["b6"], rectified(y, "bn7")), strict=True))


def test_features_are_those_of_the_published_layers():
    model, x = network(), images(64, 48)
    backbone = wide_resnet38_backbone(model, None).eval()
    expected = naive(model.state_dict(), normalised(x))
    with torch.no_grad():
        got = backbone.features(x)
    assert list(got) == list(ROLES)
    for role in ROLES:
        torch.testing.assert_close(got[role], expected[role], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size_hw", [(37, 53), (8, 8), (1, 1), (7, 100)])
def test_a_grid_has_a_row_for_every_4_or_8_begun(size_hw):
    with torch.no_grad():
        features = wide_resnet38_backbone(network(), None).eval().features(images(*size_hw))
    for role, side in zip(ROLES, (4, 8, 8, 8), strict=True):
        assert features[role].shape[2:] == tuple(-(-pixels // side) for pixels in size_hw)
        assert features[role].isfinite().all()


def test_low_features_at_a_border_are_the_mean_of_what_there_is():
    model = network()
    backbone = wide_resnet38_backbone(model, None).eval()
    with torch.no_grad():
        fine = model(normalised(images(6, 4)))[0]
        low = backbone.features(images(6, 4))["conv2"]
    assert fine.shape[2:] == (3, 2)
    torch.testing.assert_close(low[:, :, 1, 0], fine[:, :, 2].mean(2), rtol=1e-4, atol=1e-5)


def test_the_published_network_has_its_channels_and_parameters():
    with torch.device("meta"):
        backbone = wide_resnet38_backbone(WideResNet38(), None).eval()
        features = backbone.features(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    assert backbone.channels == dict(zip(ROLES, (128, 512, 1024, 4096), strict=True))
    assert {role: value.shape[1] for role, value in features.items()} == backbone.channels
    assert sum(weight.numel() for weight in backbone.parameters()) == 105_070_912
    assert backbone.output_stride == 8


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("conv1a.weight", (64, 3, 3, 3)),
        ("b2.conv_branch1.weight", (128, 64, 1, 1)),
        ("b4_5.conv_branch2b1.weight", (512, 512, 3, 3)),
        ("b5.conv_branch2a.weight", (512, 512, 3, 3)),
        ("b5.conv_branch2b1.weight", (1024, 512, 3, 3)),
        ("b6.conv_branch2a.weight", (512, 1024, 1, 1)),
        ("b6.conv_branch2b1.weight", (1024, 512, 3, 3)),
        ("b6.conv_branch2b2.weight", (2048, 1024, 1, 1)),
        ("b7.bn_branch2b2.running_var", (2048,)),
        ("b7.conv_branch1.weight", (4096, 2048, 1, 1)),
        ("bn7.bias", (4096,)),
    ],
)
def test_layers_have_the_names_and_shapes_of_psas_weights(key, shape):
    with torch.device("meta"):
        state = WideResNet38().state_dict()
    assert tuple(state[key].shape) == shape
    assert len([k for k in state if not k.endswith("num_batches_tracked")]) == 191
    assert {k.split(".")[0] for k in state}.isdisjoint(HEADS)


def test_colours_are_seen_as_imagenets_unless_otherwise_said():
    as_published = wide_resnet38_backbone(network(), None)
    assert as_published.normalize.mean.tolist() == pytest.approx([0.485, 0.456, 0.406])
    other = wide_resnet38_backbone(network(), NORMALIZATIONS["half"])
    assert other.normalize.mean.tolist() == [0.5] * 3


def test_the_first_convolution_never_learns_and_all_others_do():
    backbone = wide_resnet38_backbone(network(), None).train()
    backbone.features(images(16, 16))["conv5"].square().sum().backward()
    still = {name for name, weight in backbone.named_parameters() if weight.grad is None}
    assert still == {"network.conv1a.weight"}


def test_the_first_stage_to_freeze_is_psas():
    backbone = wide_resnet38_backbone(network(), None)
    backbone.freeze_stages(1)
    frozen = {n.split(".")[1] for n, w in backbone.named_parameters() if not w.requires_grad}
    # The low features are what b3 makes of its input first.
    assert frozen == {"conv1a", "b2", "b2_1", "b2_2", "b3"}
    of_b3 = {
        n
        for n, w in backbone.named_parameters()
        if n.startswith("network.b3.") and not w.requires_grad
    }
    assert of_b3 == {"network.b3.bn_branch2a.weight", "network.b3.bn_branch2a.bias"}


def test_dropout_acts_in_training_though_norms_are_frozen():
    backbone = wide_resnet38_backbone(network(), None)
    backbone.freeze_norms()
    with torch.no_grad():
        first, second = (backbone.train().features(images(16, 16)) for _ in range(2))
        assert torch.equal(first["conv4"], second["conv4"])
        assert not torch.equal(first["conv5"], second["conv5"])
        first, second = (backbone.eval().features(images(16, 16)) for _ in range(2))
        assert torch.equal(first["conv5"], second["conv5"])
    assert (backbone.network.b6.dropout.p, backbone.network.b7.dropout.p) == (0.3, 0.5)


@pytest.mark.parametrize(
    ("weights", "stride", "problem"),
    [
        ("none", 16, "--output-stride: .*8, not of 16; use --output-stride 8"),
        (
            "imagenet",
            8,
            r"--weights: .* cannot be downloaded; .*res38_cls\.pth of PSA .*--weights none",
        ),
    ],
)
def test_what_there_is_not_is_refused(weights, stride, problem):
    with pytest.raises(UsageError, match=problem):
        require_available(weights, stride)


def test_a_file_of_mxnet_is_refused_with_another_to_use():
    with pytest.raises(AttncliError, match=r"0001\.params: .*MXNet.*res38_cls\.pth"):
        require_available("ilsvrc-cls_rna-a1_cls1000_ep-0001.params", 8)


def test_files_of_torch_pass(tmp_path: Path):
    require_available(str(tmp_path / "res38_cls.pth"), 8)
    require_available("none", 8)
