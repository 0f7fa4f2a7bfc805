import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.convlstm import (
    Classifier,
    ConvLstmBackbone,
    framewise,
    grids,
    to_channels_last,
)
from attncli.errors import AttncliError
from attncli.layers.convlstm import ConvLstm, EnhancedConvLstm


def classifier(channels: int, grid_hw: tuple[int, int] | None, **options) -> Classifier:
    options = {"n_classes": 2, "dropout": 0.0, "scores_at": "last", **options}
    return Classifier(channels, grid_hw, **options)


def backbone(in_channels: int = 3) -> ConvLstmBackbone:
    torch.manual_seed(0)
    layers = [
        ConvLstm(4, 4, peephole="channel"),
        EnhancedConvLstm(4, 8, peephole="none", groups=4),
        ConvLstm(8, 6, peephole="none"),
    ]
    last = classifier(6, None)
    return ConvLstmBackbone(in_channels, 4, kernel_size=3, layers=layers, classifier=last).eval()


def frames(b: int = 2, t: int = 3, side_px: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (b, 3, t, side_px, side_px)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


# One channel of 1x2 cells: (1, 2) in the first frame, (3, 4) in the second. By hand, with rows
# (1, 2) and (3, 4) of weights: 5.5 and 10.5 in the first frame, 11.5 and 24.5 in the second.
@pytest.mark.parametrize(
    ("scores_at", "expected"), [("last", [[11.5, 24.5]]), ("mean", [[8.5, 17.5]])]
)
def test_scores_are_of_the_last_frame_or_the_mean_of_all(scores_at, expected):
    model = classifier(1, (1, 2), scores_at=scores_at)
    model.linear.weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    model.linear.bias.data = torch.tensor([0.5, -0.5])
    features = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 1, 2, 1, 2)
    torch.testing.assert_close(model(features), torch.tensor(expected))


def test_every_cell_of_every_channel_has_a_weight_of_its_own():
    model = classifier(2, (2, 3), n_classes=12)
    model.linear.weight.data = torch.eye(12)
    model.linear.bias.data.zero_()
    features = torch.arange(12.0).view(1, 2, 1, 2, 3)
    assert model(features).tolist() == [list(range(12))]


def test_without_a_grid_the_mean_over_cells_is_classified():
    model = classifier(2, None)
    model.linear.weight.data = torch.tensor([[1.0, 0.0], [1.0, 10.0]])
    model.linear.bias.data.zero_()
    features = torch.tensor([[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 1.0, 1.0]]).view(1, 2, 1, 2, 2)
    # The means are 3 and 0.5.
    torch.testing.assert_close(model(features), torch.tensor([[3.0, 8.0]]))
    torch.testing.assert_close(model(features.repeat(1, 1, 1, 2, 3)), model(features))


def test_features_of_another_grid_are_refused_with_both_sizes():
    model = classifier(1, (2, 3))
    with pytest.raises(AttncliError) as raised:
        model(torch.zeros(1, 1, 1, 3, 2))  # as many cells, but others
    assert str(raised.value) == (
        "features have 3x2 cells, not 2x3; use faces of the size it was trained with, or"
        " train with --head mean"
    )


def test_dropout_acts_in_training_alone():
    model = classifier(1, (4, 4), n_classes=16, dropout=0.5).train()
    model.linear.weight.data = torch.eye(16)
    model.linear.bias.data.zero_()
    features = torch.ones(1, 1, 1, 4, 4)
    torch.manual_seed(0)
    assert set(model(features).flatten().tolist()) == {0.0, 2.0}
    assert set(model.eval()(features).flatten().tolist()) == {1.0}


@pytest.mark.parametrize("in_channels", [1, 3])
def test_features_are_those_of_the_layers_with_pooling_between_them(in_channels):
    model = backbone(in_channels)
    x = (frames().float() / 255 - 0.5) / 0.25
    clips = []
    for clip in x[:, :in_channels].transpose(1, 2):  # by hand, of one frame at a time
        stem = functional.conv2d(clip, model.stem.conv.weight[:, :, 0], padding=1)
        # A batch normalisation that saw nothing has mean 0 and variance 1.
        clips.append((stem / math.sqrt(1 + model.stem.norm.eps)).relu())
    maps = torch.stack(clips)
    for number, layer in enumerate(model.layers):
        if number:
            maps = maps.unflatten(-1, (-1, 2)).unflatten(-3, (-1, 2)).amax((-1, -3))
        maps, _ = layer(maps.contiguous())
    found = model.extract(frames())
    assert found.shape == (2, 6, 3, 4, 4)
    torch.testing.assert_close(found, maps.transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_scores_are_the_classifiers_of_the_features():
    model = backbone()
    outputs = model(frames())
    hidden = model.extract(frames())[:, :, -1].mean((2, 3))
    torch.testing.assert_close(outputs.scores, model.classifier.linear(hidden))
    assert outputs.attention_scores is outputs.spatial_attention is None


def test_a_stream_hands_on_one_state_a_layer_at_the_layers_own_size():
    model = backbone()
    _, states = model.stream(frames(), None)
    shapes = [tuple(state.hidden.shape) for state in states]
    assert shapes == [(2, 4, 16, 16), (2, 8, 8, 8), (2, 6, 4, 4)]
    features, _ = model.stream(frames(t=1), states)
    assert not torch.allclose(features, model.extract(frames(t=1)))


@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_framewise_convolution_keeps_the_grid_and_sees_one_frame(size):
    convolution = framewise(2, 3, size)
    x = torch.rand(2, 2, 4, 6, 5)
    found = convolution(x)
    for t in range(4):
        kernel = convolution.weight[:, :, 0]
        alone = functional.conv2d(x[:, :, t], kernel, padding=size // 2)
        torch.testing.assert_close(found[:, :, t], alone)
    assert convolution.bias is None


def test_a_framewise_convolution_begins_with_the_spread_that_keeps_what_relu_halves():
    torch.manual_seed(0)
    weight = framewise(64, 64, 3).weight
    # He's rule: a variance of 2 over the 64 * 3 * 3 values that a value goes out to.
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=1e-3)


def test_odd_sides_are_halved_as_pooling_halves_them():
    assert grids(50, 4) == [(50, 50), (25, 25), (12, 12), (6, 6)]
    side = torch.zeros(1, 1, 50, 50)
    for rows, columns in grids(50, 4):
        assert side.shape[2:] == (rows, columns)
        side = functional.max_pool2d(side, 2)
    assert grids(8, 0) == []


def test_weights_of_convolutions_become_channels_last_and_keep_their_values():
    model = nn.ModuleList([nn.Conv2d(2, 3, 3), nn.Conv3d(2, 3, 3), nn.Linear(2, 3)])
    before = [weight.detach().clone() for weight in model.parameters()]
    to_channels_last(model)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert not model[0].weight.is_contiguous()
    assert model[1].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert model[2].weight.is_contiguous()
    for weight, own in zip(model.parameters(), before, strict=True):
        assert torch.equal(weight, own)
