import weakref
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from attncli.config.ram import Peephole
from attncli.layers.convlstm import ConvLstm, ConvLstmState
from attncli.layers.unrolled_convlstm import unroll

B, T, C_IN, C, H, W = 2, 4, 2, 3, 3, 5
SHAPES = {"hadamard": (3, C, H, W), "channel": (3, C, 1, 1), "none": None}
every_peephole = pytest.mark.parametrize("peephole", SHAPES)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def operands(peephole: str, *, with_state: bool) -> list[Tensor | None]:
    torch.manual_seed(0)
    shape = SHAPES[peephole]
    return [
        drawn(B, T, C_IN, H, W),
        drawn(4 * C, C_IN + C, 3, 3),
        drawn(4 * C),
        drawn(*shape) if shape else None,
        drawn(B, C, H, W) if with_state else None,
        drawn(B, C, H, W) if with_state else None,
    ]


@every_peephole
def test_a_gradient_goes_through_a_stream(peephole: str) -> None:
    gradients = []
    for cut in (None, 1, 3):
        x, *others = operands(peephole, with_state=False)
        first, cell = unroll(x[:, :cut], *others)
        pieces = [first]
        if cut is not None:
            weights, state = others[:3], (first[:, -1], cell)
            pieces.append(unroll(x[:, cut:], *weights, *state)[0])
        torch.cat(pieces, 1).square().sum().backward()
        gradients.append([t.grad for t in (x, *others) if t is not None])
    for cut_gradients in gradients[1:]:
        for a, b in zip(cut_gradients, gradients[0], strict=True):
            torch.testing.assert_close(a, b)


def test_a_gradient_can_be_had_twice() -> None:
    tensors = operands("hadamard", with_state=True)
    leaves = [t for t in tensors if t is not None]
    loss = unroll(*tensors)[0].square().sum()
    first = torch.autograd.grad(loss, leaves, retain_graph=True)
    for a, b in zip(first, torch.autograd.grad(loss, leaves), strict=True):
        assert torch.equal(a, b)


def test_weights_that_are_frozen_get_no_gradient() -> None:
    x, weight, bias, *others = operands("channel", with_state=False)
    hiddens, _ = unroll(x, weight.detach(), bias, *others)
    hiddens.sum().backward()
    assert weight.grad is None
    assert x.grad is not None


@pytest.mark.parametrize("wanted", [False, True])
def test_frames_are_kept_where_a_gradient_is_wanted_alone(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    convolve = nn.functional.conv2d
    made: list[weakref.ref[Tensor]] = []

    def convolve_and_count(*args: object, **options: object) -> Tensor:
        result = convolve(*args, **options)
        made.append(weakref.ref(result))
        return result

    monkeypatch.setattr(nn.functional, "conv2d", convolve_and_count)
    with torch.set_grad_enabled(wanted):
        results = unroll(*operands("hadamard", with_state=False))
    assert results[0].requires_grad == wanted
    assert [gates() is not None for gates in made] == [wanted] * T


def test_weight_gradients_are_summed_in_32_bits_under_autocast() -> None:
    torch.manual_seed(0)
    weight = (0.1 * torch.randn(4, 2, 1, 1)).requires_grad_()
    bias = torch.zeros(4, requires_grad=True)
    x = torch.ones(1, 600, 1, 1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        hiddens, _ = unroll(x, weight, bias, None, None, None)
    hiddens.float().sum().backward()
    full = torch.autograd.grad(unroll(x, weight, bias, None, None, None)[0].sum(), bias)[0]
    # 600 terms of one size, summed in 8 bits of precision, would stop growing at 256 of them.
    torch.testing.assert_close(bias.grad, full, rtol=0.05, atol=0)


def test_convolved_peepholes_of_one_cell_are_those_of_a_channel() -> None:
    """The way frame by frame and the way over whole clips give the same."""
    assert set(get_args(Peephole)) == {*SHAPES, "convolution"}
    torch.manual_seed(0)
    layers = [
        ConvLstm(C_IN, C, kernel_size=1, peephole=peephole).double()
        for peephole in ("channel", "convolution")
    ]
    by_channel, convolved = (layer.memory for layer in layers)
    with torch.no_grad():
        weights = by_channel.peepholes.weight.normal_()
        diagonals = torch.diag_embed(weights.flatten(1))[..., None, None]
        convolved.peepholes.of_previous.weight.copy_(diagonals[:2].flatten(0, 1))
        convolved.peepholes.of_current.weight.copy_(diagonals[2])
        convolved.gates.load_state_dict(by_channel.gates.state_dict())
    x = drawn(B, T, C_IN, H, W)
    state = ConvLstmState(drawn(B, C, H, W), drawn(B, C, H, W))
    results = []
    for layer in layers:
        hiddens, last = layer(x, state)
        of_x = torch.autograd.grad(hiddens.square().sum() + last.cell.sum(), x)[0]
        results.append([hiddens, last.hidden, last.cell, of_x])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)
