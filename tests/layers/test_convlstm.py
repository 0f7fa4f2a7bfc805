import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from attncli.config.ram import Peephole
from attncli.errors import AttncliError
from attncli.layers.convlstm import ConvLstm, ConvLstmState, EnhancedConvLstm, WeighedPeepholes

Layer = ConvLstm | EnhancedConvLstm
KINDS = (ConvLstm, EnhancedConvLstm)
PEEPHOLES = get_args(Peephole)
GRID = (3, 5)

every_kind = pytest.mark.parametrize("kind", KINDS)
every_peephole = pytest.mark.parametrize("peephole", PEEPHOLES)


def new_layer(kind: type[Layer], peephole: Peephole, **changed: int) -> Layer:
    sizes = {"in_channels": 2, "hidden_channels": 4, "kernel_size": 3} | changed
    if kind is EnhancedConvLstm:
        sizes = {"groups": 2} | sizes
    return kind(peephole=peephole, grid_hw=GRID, **sizes)


def drawn(layer: Layer) -> Layer:
    """Draw every parameter, those that begin at zero too."""
    torch.manual_seed(0)
    layer.double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.6)
    return layer


def clips(frames: int = 5, *, channels: int = 2, grid: tuple[int, int] = GRID) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, frames, channels, *grid, dtype=torch.float64, generator=generator)


def weights_of_gate(convolution: nn.Module, gate: int, inputs: int, hidden: int) -> dict:
    rows = slice(gate * hidden, (gate + 1) * hidden)
    return {
        "x": convolution.weight[rows, :inputs],
        "h": convolution.weight[rows, inputs:],
        "b": convolution.bias[rows],
    }


def peephole_terms(layer: Layer, hidden: int) -> list[Callable[[Tensor], Tensor]]:
    """Return what i, f and o see of a cell state, written out from the equations."""
    peepholes = layer.memory.peepholes
    if peepholes is None:
        return [torch.zeros_like] * 3
    if isinstance(peepholes, WeighedPeepholes):
        # Equation 1: a product for every cell (hadamard) or every channel.
        return [lambda c, w=w: weigh(c, w) for w in peepholes.weight]
    previous = peepholes.of_previous.weight
    kernels = [previous[:hidden], previous[hidden:], peepholes.of_current.weight]
    return [lambda c, k=k: convolve(c, k) for k in kernels]


def weigh(cell: Tensor, weight: Tensor) -> Tensor:
    return torch.einsum("bchw,chw->bchw", cell, weight.expand(cell.shape[1:]))


def convolve(x: Tensor, kernel: Tensor) -> Tensor:
    """Convolve as a sum over taps, without torch's convolution."""
    reach = kernel.shape[-1] // 2
    rows, columns = x.shape[-2:]
    padded = functional.pad(x, (reach,) * 4)
    total = 0
    for dy in range(kernel.shape[-2]):
        for dx in range(kernel.shape[-1]):
            seen = padded[..., dy : dy + rows, dx : dx + columns]
            total = total + torch.einsum("bihw,oi->bohw", seen, kernel[..., dy, dx])
    return total


def normalized(x: Tensor, norm: nn.GroupNorm) -> Tensor:
    result = torch.empty_like(x)
    size = x.shape[1] // norm.num_groups
    for clip in range(len(x)):
        for first in range(0, x.shape[1], size):
            group = x[clip, first : first + size]
            variance = ((group - group.mean()) ** 2).mean()
            result[clip, first : first + size] = (group - group.mean()) / (variance + 1e-5).sqrt()
    return result * norm.weight[:, None, None] + norm.bias[:, None, None]


def by_the_paper(
    layer: Layer, x: Tensor, state: ConvLstmState | None = None
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return h_t of all frames, and lists of h_t and c_t that begin with those of the state."""
    inputs, hidden = x.shape[2], len(layer.memory.gates.bias) // 4
    i, f, c, o = (weights_of_gate(layer.memory.gates, n, inputs, hidden) for n in range(4))
    see_i, see_f, see_o = peephole_terms(layer, hidden)

    def driven(gate: dict, frame: Tensor, state: Tensor) -> Tensor:
        return convolve(frame, gate["x"]) + convolve(state, gate["h"]) + gate["b"][:, None, None]

    zero = x.new_zeros(len(x), hidden, *x.shape[-2:])
    h, cells = [zero, zero], [zero]  # h[-1] is h_t-1, h[-2] is h_t-2
    if state is not None:
        two_back = zero if state.earlier_hidden is None else state.earlier_hidden
        h, cells = [two_back, state.hidden], [state.cell]
    for frame in x.unbind(1):
        i_t = torch.sigmoid(driven(i, frame, h[-1]) + see_i(cells[-1]))
        f_t = torch.sigmoid(driven(f, frame, h[-1]) + see_f(cells[-1]))
        c_t = f_t * cells[-1] + i_t * torch.tanh(driven(c, frame, h[-1]))
        o_t = torch.sigmoid(driven(o, frame, h[-1]) + see_o(c_t))
        h_t = o_t * torch.tanh(c_t)
        if isinstance(layer, EnhancedConvLstm):
            m, s = (weights_of_gate(layer.temporal, n, inputs, hidden) for n in range(2))
            m_t = torch.tanh(driven(m, frame, h[-2]))
            s_t = torch.sigmoid(driven(s, frame, h[-2]))
            h_t = normalized(h_t + s_t * m_t + convolve(frame, layer.skip.weight), layer.norm)
        h.append(h_t)
        cells.append(c_t)
    return torch.stack(h[2:], dim=1), h, cells


def assert_same_state(state: ConvLstmState, other: ConvLstmState) -> None:
    for name in ("hidden", "cell", "earlier_hidden"):
        torch.testing.assert_close(getattr(state, name), getattr(other, name))


@every_kind
@every_peephole
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_states_are_those_of_the_equations(
    kind: type[Layer], peephole: Peephole, kernel_size: int
) -> None:
    layer = drawn(new_layer(kind, peephole, kernel_size=kernel_size))
    x = clips()
    with torch.no_grad():
        outputs, state = layer(x)
        expected, h, cells = by_the_paper(layer, x)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(state.hidden, h[-1])
    torch.testing.assert_close(state.cell, cells[-1])
    if kind is EnhancedConvLstm:
        torch.testing.assert_close(state.earlier_hidden, h[-2])


@every_kind
@every_peephole
def test_gradients_are_those_of_the_equations(kind: type[Layer], peephole: Peephole) -> None:
    layer = drawn(new_layer(kind, peephole))
    gradients = []
    for run in (lambda x: layer(x)[0], lambda x: by_the_paper(layer, x)[0]):
        layer.zero_grad()
        x = clips().requires_grad_()
        (run(x) * torch.arange(x.shape[1])[:, None, None, None]).sum().backward()
        gradients.append([x.grad, *(p.grad.clone() for p in layer.parameters())])
    for ours, expected in zip(*gradients, strict=True):
        assert expected.abs().max() > 1e-6
        torch.testing.assert_close(ours, expected)


@every_kind
@every_peephole
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("loss_of", ["hidden states", "cell state", "both"])
def test_gradients_of_states_are_those_of_the_equations(
    kind: type[Layer], peephole: Peephole, with_state: bool, loss_of: str
) -> None:
    layer = drawn(new_layer(kind, peephole))
    found = []
    for by_layer in (True, False):
        x, *before = (t.requires_grad_() for t in (clips(), *clips(3, channels=4).unbind(1)))
        hidden, cell, earlier = before
        state = ConvLstmState(hidden, cell, earlier if kind is EnhancedConvLstm else None)
        given_state = state if with_state else None
        if by_layer:
            hiddens, after = layer(x, given_state)
            last = after.cell
        else:
            hiddens, _, cells = by_the_paper(layer, x, given_state)
            last = cells[-1]
        weighed = (hiddens * torch.linspace(-1, 2, hiddens.numel()).view_as(hiddens)).sum()
        losses = {"hidden states": weighed, "cell state": last.square().sum()}
        losses["both"] = sum(losses.values())
        wanted = [x, *layer.parameters(), *(before if with_state else [])]
        found.append(torch.autograd.grad(losses[loss_of], wanted, allow_unused=True))
    for ours, expected in zip(*found, strict=True):
        if expected is None:
            assert ours is None or not ours.any()
        else:
            torch.testing.assert_close(ours, expected)
    of_x = found[1][0]
    assert of_x.abs().max() > 1e-6


@every_kind
@every_peephole
def test_gradients_are_those_of_differences(kind: type[Layer], peephole: Peephole) -> None:
    layer = drawn(new_layer(kind, peephole, in_channels=1, hidden_channels=2))
    names = [name for name, _ in layer.named_parameters()]

    def run(x: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        swapped = dict(zip(names, parameters, strict=True))
        outputs, state = torch.func.functional_call(layer, swapped, (x,))
        return outputs, state.cell

    x = clips(3, channels=1).requires_grad_()
    parameters = tuple(p.detach().clone().requires_grad_() for p in layer.parameters())
    assert torch.autograd.gradcheck(run, (x, *parameters), fast_mode=True)


def exact(values: list) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_one_cell_by_hand() -> None:
    layer = ConvLstm(1, 1, kernel_size=1, peephole="hadamard", grid_hw=(1, 1)).double()
    with torch.no_grad():  # i, f, c, o: of x, of h, bias; peepholes of i, f, o
        layer.memory.gates.weight.copy_(
            exact([[1, 0.5], [-1, 0.25], [2, -0.5], [0.5, 1]])[..., None, None]
        )
        layer.memory.gates.bias.copy_(exact([0.1, 0.2, 0.3, 0.4]))
        layer.memory.peepholes.weight.copy_(exact([0.7, -0.6, 0.9]).view(3, 1, 1, 1))
        outputs, state = layer(exact([0.5, -1]).view(1, 2, 1, 1, 1))
    c1 = logistic(0.6) * math.tanh(1.3)
    h1 = logistic(0.65 + 0.9 * c1) * math.tanh(c1)
    i2 = logistic(-1 + 0.5 * h1 + 0.7 * c1 + 0.1)
    f2 = logistic(1 + 0.25 * h1 - 0.6 * c1 + 0.2)
    c2 = f2 * c1 + i2 * math.tanh(-2 - 0.5 * h1 + 0.3)
    h2 = logistic(-0.5 + h1 + 0.9 * c2 + 0.4) * math.tanh(c2)
    assert outputs.flatten().tolist() == pytest.approx([h1, h2])
    assert state.cell.item() == pytest.approx(c2)
    # sigma(0.6) = 0.6457, tanh(1.3) = 0.8617.
    assert c1 == pytest.approx(0.5564, abs=1e-4)


def test_two_channels_of_an_enhanced_cell_by_hand() -> None:
    # Normalised over two channels a and b, (a - b) / 2 over its size: all that counts is the sign.
    layer = EnhancedConvLstm(1, 2, kernel_size=1, peephole="none", groups=1).double()
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        layer.norm.weight.fill_(1)
        layer.temporal.bias[:2] = exact([0.02, 0.01])  # m, of both channels
        layer.temporal.bias[2:] = 100.0  # s is one
        layer.norm.bias.copy_(exact([10, 20]))
        outputs, _ = layer(torch.zeros(1, 1, 1, 1, 1, dtype=torch.float64))
    half = (math.tanh(0.02) - math.tanh(0.01)) / 2
    expected = half / math.sqrt(half**2 + 1e-5)
    assert outputs.flatten().tolist() == pytest.approx([10 + expected, 20 - expected])


@every_kind
@every_peephole
@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(1, 6)))
def test_a_stream_gives_what_the_whole_gives(
    kind: type[Layer], peephole: Peephole, cuts: set[int]
) -> None:
    layer = drawn(new_layer(kind, peephole))
    x = clips(7)
    bounds = [0, *sorted(cuts), 7]
    with torch.no_grad():
        whole, last = layer(x)
        state, pieces = None, []
        for begin, end in itertools.pairwise(bounds):
            piece, state = layer(x[:, begin:end], state)
            pieces.append(piece)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)
    assert_same_state(state, last)


@every_kind
@every_peephole
def test_no_state_is_a_state_of_zeros(kind: type[Layer], peephole: Peephole) -> None:
    layer = drawn(new_layer(kind, peephole))
    zero = torch.zeros(2, 4, *GRID, dtype=torch.float64)
    given_zeros = ConvLstmState(zero, zero, zero if kind is EnhancedConvLstm else None)
    with torch.no_grad():
        torch.testing.assert_close(layer(clips())[0], layer(clips(), given_zeros)[0])


def test_a_state_counts() -> None:
    layer = drawn(new_layer(EnhancedConvLstm, "hadamard"))
    with torch.no_grad():
        _, state = layer(clips(3))
        expected, _ = layer(clips(1), state)
        for name in ("hidden", "cell", "earlier_hidden"):
            other = replace(state, **{name: getattr(state, name) + 1})
            assert (layer(clips(1), other)[0] - expected).abs().max() > 1e-3


@every_kind
@pytest.mark.parametrize("grid", [(5, 3), (1, 1), (6, 10)])
def test_frames_of_another_size_are_refused_by_name(
    kind: type[Layer], grid: tuple[int, int]
) -> None:
    message = rf"3x5 cells do not fit features of {grid[0]}x{grid[1]}; .*another --peephole"
    with pytest.raises(AttncliError, match=message):
        new_layer(kind, "hadamard").double()(clips(grid=grid))


@every_kind
@pytest.mark.parametrize("peephole", ["channel", "convolution", "none"])
def test_other_peepholes_take_frames_of_any_size(kind: type[Layer], peephole: Peephole) -> None:
    outputs, _ = new_layer(kind, peephole).double()(clips(grid=(4, 2)))
    assert outputs.shape == (2, 5, 4, 4, 2)


@every_kind
def test_peepholes_of_every_cell_need_a_grid(kind: type[Layer]) -> None:
    with pytest.raises(ValueError, match="grid_hw"):
        kind(8, 8, peephole="hadamard")


@every_kind
def test_clips_without_frames_are_refused(kind: type[Layer]) -> None:
    with pytest.raises(ValueError, match="without frames"):
        new_layer(kind, "none").double()(clips(0))


def test_peepholes_have_the_weights_of_their_kind() -> None:
    shapes = {
        "hadamard": [(3, 4, *GRID)],
        "channel": [(3, 4, 1, 1)],
        "convolution": [(8, 4, 3, 3), (4, 4, 3, 3)],
    }
    for peephole, expected in shapes.items():
        peepholes = new_layer(ConvLstm, peephole).memory.peepholes
        assert [tuple(weight.shape) for weight in peepholes.parameters()] == expected
    assert new_layer(ConvLstm, "none").memory.peepholes is None


@every_kind
@every_peephole
def test_autocast_is_close_and_keeps_the_cell_in_32_bits(
    kind: type[Layer], peephole: Peephole
) -> None:
    layer = drawn(new_layer(kind, peephole)).float()
    x = clips().float()
    with torch.no_grad():
        expected, expected_state = layer(x)
        with torch.autocast("cpu", torch.bfloat16):
            outputs, state = layer(x)
            streamed, _ = layer(x[:, :1], state)
    assert outputs.dtype == state.hidden.dtype == streamed.dtype == torch.bfloat16
    assert state.cell.dtype == torch.float32
    assert not torch.equal(state.cell, state.cell.bfloat16().float())
    assert (outputs.float() - expected).abs().max() < 0.1
    assert (state.cell - expected_state.cell).abs().max() < 0.1


@every_kind
@every_peephole
def test_gradients_under_autocast_are_close(kind: type[Layer], peephole: Peephole) -> None:
    layer = drawn(new_layer(kind, peephole)).float()
    gradients = []
    for enabled in (False, True):
        layer.zero_grad()
        x = clips().float().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs = layer(x)[0]
        outputs.float().square().sum().backward()
        gradients.append([x.grad, *(p.grad.clone() for p in layer.parameters())])
    for full, half in zip(*gradients, strict=True):
        assert half.dtype == torch.float32
        torch.testing.assert_close(half, full, rtol=0, atol=0.1 * full.abs().max().item() + 1e-3)


@pytest.mark.parametrize("magnitude", [1e-4, 1.0, 30.0])
def test_32_bits_are_precise(magnitude: float) -> None:
    layer = drawn(new_layer(ConvLstm, "none"))
    with torch.no_grad():
        expected = layer(clips() * magnitude)[0]
        outputs = layer.float()((clips() * magnitude).float())[0]
    torch.testing.assert_close(outputs.double(), expected, rtol=1e-5, atol=1e-5)


@every_kind
@pytest.mark.parametrize("peephole", ["convolution", "none"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_results_and_gradients_are_channels_last(
    kind: type[Layer], peephole: Peephole, channels_last: bool
) -> None:
    layer = new_layer(kind, peephole).double()
    x = clips()
    if channels_last:
        x = x.movedim(2, -1).contiguous().movedim(-1, 2)
    outputs, state = layer(x.requires_grad_())
    outputs.retain_grad()
    outputs.sum().backward()
    for tensor in (outputs, *([x.grad] if channels_last else [])):
        assert tensor.movedim(2, -1).is_contiguous()
    assert state.hidden.is_contiguous(memory_format=torch.channels_last)
    weight = layer.memory.gates.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_normalised_groups_have_mean_0_and_deviation_1() -> None:
    torch.manual_seed(0)
    layer = EnhancedConvLstm(3, 16, peephole="convolution", groups=4)
    with torch.no_grad():
        outputs, _ = layer(torch.randn(2, 3, 3, 6, 6))
    groups = outputs.unflatten(2, (4, 4)).flatten(3)
    torch.testing.assert_close(groups.mean(-1), torch.zeros(2, 3, 4), rtol=0, atol=1e-5)
    deviation = groups.std(-1, correction=0)
    torch.testing.assert_close(deviation, torch.ones(2, 3, 4), rtol=0, atol=1e-3)


def test_groups_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="divisible"):
        EnhancedConvLstm(3, 12, peephole="none")


@every_kind
@every_peephole
def test_layers_begin_as_documented(kind: type[Layer], peephole: Peephole) -> None:
    torch.manual_seed(0)
    layer = new_layer(kind, peephole, in_channels=20, hidden_channels=30)
    assert layer.memory.gates.bias.tolist() == [0.0] * 30 + [1.0] * 30 + [0.0] * 60
    bound = math.sqrt(6 / ((20 + 30) * 9))  # Glorot's, of one gate
    for gate in layer.memory.gates.weight.detach().chunk(4):
        assert 0.95 * bound < gate[:, :20].abs().max() <= bound
        rows = gate[:, 20:].flatten(1)
        torch.testing.assert_close(rows @ rows.T, torch.eye(30), rtol=0, atol=1e-5)
    if layer.memory.peepholes is not None:
        assert all(not p.any() for p in layer.memory.peepholes.parameters())
    if kind is EnhancedConvLstm:
        assert not layer.temporal.bias.any()
        assert layer.skip.bias is None
        assert 0.95 * bound < layer.skip.weight.abs().max() <= bound


def test_convolved_peepholes_of_one_cell_are_those_of_a_channel() -> None:
    torch.manual_seed(0)
    layers = [
        ConvLstm(2, 3, kernel_size=1, peephole=peephole).double()
        for peephole in ("channel", "convolution")
    ]
    by_channel, convolved = (layer.memory for layer in layers)
    with torch.no_grad():
        weights = by_channel.peepholes.weight.normal_()
        diagonals = torch.diag_embed(weights.flatten(1))[..., None, None]
        convolved.peepholes.of_previous.weight.copy_(diagonals[:2].flatten(0, 1))
        convolved.peepholes.of_current.weight.copy_(diagonals[2])
        convolved.gates.load_state_dict(by_channel.gates.state_dict())
    x = torch.randn(2, 4, 2, 3, 5, dtype=torch.float64, requires_grad=True)
    state = ConvLstmState(*torch.randn(2, 2, 3, 3, 5, dtype=torch.float64))
    results = []
    for layer in layers:
        hiddens, last = layer(x, state)
        of_x = torch.autograd.grad(hiddens.square().sum() + last.cell.sum(), x)[0]
        results.append([hiddens, last.hidden, last.cell, of_x])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)
