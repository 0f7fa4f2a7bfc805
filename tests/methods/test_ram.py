from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.convlstm import ConvLstmBackbone
from attncli.config.ram import (
    ConvLstmConfig,
    ConvLstmRamConfig,
    EnhancedConvLstmConfig,
    EnhancedConvLstmRamConfig,
)
from attncli.errors import AttncliError
from attncli.methods.ram import (
    RamNetwork,
    RecurrentConvolution,
    build_convlstm,
    build_convlstm_ram,
)
from tests.support.batches import clip_batch
from tests.support.networks import build as build_network
from tests.support.networks import settle_norms
from tests.support.settings import tiny

CLASSES = 7

Build = Callable[..., nn.Module]


@pytest.fixture
def build() -> Build:
    """Return a function that builds a small network of a method, in evaluation."""

    def make(name: str, *, dtype: torch.dtype = torch.float32, **settings: object) -> nn.Module:
        model = build_network(name, tiny(name, **settings), CLASSES).model
        settle_norms(model, clips())
        return model.to(dtype).eval()

    return make


def clips(b: int = 2, t: int = 5, side_px: int = 16) -> Tensor:
    """Return clips of random bytes, grey."""
    generator = torch.Generator().manual_seed(1)
    grey = torch.randint(
        0, 256, (b, 1, t, side_px, side_px), dtype=torch.uint8, generator=generator
    )
    return grey.expand(-1, 3, -1, -1, -1).contiguous(memory_format=torch.channels_last_3d)


def normed(x: Tensor, norm: nn.BatchNorm3d) -> Tensor:
    """Return batch normalisation of one frame's maps as its formula has it."""
    shape = (-1, 1, 1)
    scaled = (x - norm.running_mean.view(shape)) / (norm.running_var.view(shape) + norm.eps).sqrt()
    return scaled * norm.weight.view(shape) + norm.bias.view(shape)


def conv(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return the convolution of one frame's maps, kernels of three axes taken as of two."""
    kernel = weight.squeeze(2) if weight.ndim == 5 else weight
    return functional.conv2d(x[None], kernel, bias, padding=kernel.shape[-1] // 2)[0]


def ram_by_hand(module: nn.Module, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Return class scores y_t and maps M_t of one clip's features, frame by frame."""
    recurrence, scores, maps = module.recurrence, [], []
    a = torch.zeros_like(x[:, 0])
    for x_t in x.unbind(1):
        driven = conv(x_t, recurrence.of_input.weight, recurrence.of_input.bias)
        a = torch.tanh(driven + conv(a, recurrence.of_state.weight))
        z = conv(normed(a, module.norm), module.to_classes.weight)
        z = normed(z, module.class_norm).relu()
        maps.append(torch.sigmoid(normed(conv(z, module.to_map.conv.weight), module.to_map.norm)))
        scores.append(conv(z, module.to_scores.weight).mean((1, 2)))
    return scores, [m[0] for m in maps]


@pytest.mark.parametrize("scores_at", ["last", "mean"])
def test_ram_is_the_attention_branch_with_a_memory(build, scores_at):
    model = build("convlstm-ram", dtype=torch.float64, scores_at=scores_at)
    features = torch.rand(2, 16, 5, 2, 2, dtype=torch.float64)
    outputs = model.answer(features)
    for number, x in enumerate(features):
        scores, maps = ram_by_hand(model.attention_module, x)
        wanted = scores[-1] if scores_at == "last" else torch.stack(scores).mean(0)
        torch.testing.assert_close(outputs.attention_scores[number], wanted)
        found = outputs.spatial_attention[number]
        torch.testing.assert_close(found, torch.stack(maps).to(found.dtype))


@pytest.mark.parametrize("scores_at", ["last", "mean"])
def test_the_classifier_sees_features_times_one_plus_attention(build, scores_at):
    model = build("convlstm-ram", dtype=torch.float64, scores_at=scores_at)
    features = torch.rand(1, 16, 4, 2, 2, dtype=torch.float64)
    outputs = model.answer(features)
    linear, m = model.backbone.classifier.linear, outputs.spatial_attention[0]
    frames = [
        linear.weight @ ((1 + m[t].double()) * features[0, :, t]).flatten() + linear.bias
        for t in range(4)
    ]
    wanted = frames[-1] if scores_at == "last" else torch.stack(frames).mean(0)
    torch.testing.assert_close(outputs.scores[0], wanted)


@pytest.mark.parametrize("ram_state", ["plain", "convlstm"])
def test_ram_streamed_frame_by_frame_answers_as_on_the_whole(build, ram_state):
    module = build("enhanced-convlstm-ram", dtype=torch.float64, ram_state=ram_state)
    module = module.attention_module
    features = torch.rand(2, 16, 6, 2, 2, dtype=torch.float64)
    whole, _ = module(features)
    state, maps, scores = None, [], []
    for t in range(6):
        answer, state = module(features[:, :, t : t + 1], state)
        maps.append(answer.map)
        scores.append(answer.scores)
    torch.testing.assert_close(torch.cat(maps, 1), whole.map)
    torch.testing.assert_close(torch.cat(scores, 1), whole.scores)


@pytest.mark.parametrize("name", ["convlstm", "enhanced-convlstm"])
def test_features_streamed_in_pieces_are_those_of_the_whole(build, name):
    model = build(name, dtype=torch.float64)
    frames = clips(t=7)
    whole = model.extract(frames)
    first, states = model.stream(frames[:, :, :3], None)
    second, states = model.stream(frames[:, :, 3:4], states)
    third, _ = model.stream(frames[:, :, 4:], states)
    torch.testing.assert_close(torch.cat([first, second, third], 2), whole)


def test_attention_of_a_frame_depends_on_frames_before_it_alone(build):
    model = build("convlstm-ram")
    frames = clips(b=1)
    changed = frames.clone()
    changed[:, :, -1] = 255 - changed[:, :, -1]
    before, after = (model(x).spatial_attention for x in (frames, changed))
    torch.testing.assert_close(before[:, :-1], after[:, :-1])
    assert not torch.allclose(before[:, -1], after[:, -1])
    earlier = frames.clone()
    earlier[:, :, 0] = 255 - earlier[:, :, 0]
    assert not torch.allclose(before[:, -1], model(earlier).spatial_attention[:, -1])


def test_features_of_the_papers_size_are_an_eighth():
    model = build_convlstm(ConvLstmConfig(data=Path(), widths=(4, 4, 4, 4, 8)), CLASSES).model
    assert model.extract(clips(b=1, t=2, side_px=96)).shape == (1, 8, 2, 12, 12)


def test_both_class_losses_count(build):
    model = build("convlstm-ram")
    config = ConvLstmRamConfig(data=Path(), lambda_att=0.5, face_px=16)
    criterion = build_convlstm_ram(config, CLASSES).objective.criterion
    batch = clip_batch(frames=clips())
    outputs = model(batch.frames)
    per = functional.cross_entropy(outputs.scores, batch.labels)
    att = functional.cross_entropy(outputs.attention_scores, batch.labels)
    torch.testing.assert_close(criterion(outputs, batch).total, per + 0.5 * att)


@pytest.mark.parametrize("peephole", ["channel", "convolution", "none"])
def test_faces_of_any_size_where_nothing_fixes_it(build, peephole):
    model = build("convlstm-ram", peephole=peephole, head="mean")
    assert model(clips(side_px=24)).spatial_attention.shape == (2, 5, 3, 3)


def test_what_fixes_the_size_says_so(build):
    with pytest.raises(AttncliError, match="--peephole"):
        build("convlstm", head="mean")(clips(side_px=24))
    with pytest.raises(AttncliError, match="--head mean"):
        build("convlstm", peephole="none")(clips(side_px=24))


def test_grey_networks_take_the_first_channel_and_colour_ones_all(build):
    frames = clips()
    colored = frames.clone()
    colored[:, 1:] = 0
    grey, rgb = build("convlstm"), build("convlstm", color="rgb")
    torch.testing.assert_close(grey(colored).scores, grey(frames).scores)
    assert not torch.allclose(rgb(colored).scores, rgb(frames).scores)


def test_the_kinds_of_layers_are_those_asked_for():
    small = {"data": Path(), "widths": (8, 8, 8, 8, 8), "face_px": 16}
    plain = build_convlstm(ConvLstmConfig(**small), CLASSES).model
    enhanced = build_convlstm(EnhancedConvLstmConfig(**small), CLASSES).model
    assert {type(layer).__name__ for layer in plain.layers} == {"ConvLstm"}
    assert {type(layer).__name__ for layer in enhanced.layers} == {"EnhancedConvLstm"}
    ram = build_convlstm_ram(EnhancedConvLstmRamConfig(**small), CLASSES).model
    assert isinstance(ram, RamNetwork)
    assert isinstance(ram.backbone, ConvLstmBackbone)
    assert isinstance(ram.attention_module.recurrence, RecurrentConvolution)
    assert {type(layer).__name__ for layer in ram.backbone.layers} == {"EnhancedConvLstm"}
    cell = build_convlstm_ram(
        replace(EnhancedConvLstmRamConfig(**small), ram_state="convlstm"), CLASSES
    ).model
    recurrence = cell.attention_module.recurrence
    assert type(recurrence).__name__ == "ConvLstm"
    assert recurrence.memory.peepholes is None


def test_kernels_and_dropout_are_those_asked_for(build):
    model = build("convlstm-ram", kernel_size=5, dropout=0.3)
    assert model.attention_module.recurrence.of_state.weight.shape[-2:] == (5, 5)
    assert model.backbone.stem.conv.weight.shape[-2:] == (5, 5)
    assert model.backbone.classifier.dropout.p == 0.3


@pytest.mark.parametrize("ram_state", ["plain", "convlstm"])
def test_what_ram_remembers_is_learned_through_time(build, ram_state):
    module = build("convlstm-ram", ram_state=ram_state).attention_module
    features = torch.rand(1, 16, 4, 2, 2, requires_grad=True)
    module(features)[0].map[:, -1].sum().backward()
    assert features.grad[:, :, 0].abs().max() > 0
