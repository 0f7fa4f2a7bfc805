"""Recurrent layers over the frames of clips: ConvLSTM, and Enhanced ConvLSTM.

Equations 1 and 2 of R. Miyoshi, N. Nagata, M. Hashimoto, "Internal Structure Analysis of
Video-based Facial Expression Recognition by Recurrent Attention Module", which are those of X. Shi
et al. (NIPS 2015) and of R. Miyoshi et al. (MIRU 2020). Equation 2 prints one sign for all
products: here those with a weight W are convolutions, those between gates are element by element.

    i_t = sigma(W_xi * x_t + W_hi * h_t-1 + W_ci . c_t-1 + b_i)
    f_t = sigma(W_xf * x_t + W_hf * h_t-1 + W_cf . c_t-1 + b_f)
    c_t = f_t c_t-1 + i_t tanh(W_xc * x_t + W_hc * h_t-1 + b_c)
    o_t = sigma(W_xo * x_t + W_ho * h_t-1 + W_co . c_t + b_o)
    h_t = o_t tanh(c_t)                                                                  (ConvLSTM)

    m_t = tanh(W_xm * x_t + W_hm * h_t-2 + b_m)                       (printed as s with a tilde)
    s_t = sigma(W_xs * x_t + W_hs * h_t-2 + b_s)
    h_t = GroupNorm(o_t tanh(c_t) + s_t m_t + W_xr * x_t)                       (Enhanced ConvLSTM)

States before the first frame are zero: what they would add is not computed. All four gates come
from one convolution a step, of input and hidden state side by side: on a CPU a training step takes
less time so than with one convolution of the input of all frames, whose large result has to go
through memory twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attncli.config.ram import Peephole
from attncli.errors import AttncliError
from attncli.layers.gates import gated


@dataclass(frozen=True)
class ConvLstmState:
    """What a layer remembers after a frame, to go on with at the next."""

    hidden: Float[Tensor, "b c h w"]
    """Hidden state h_t, of the precision of the convolutions."""
    cell: Float[Tensor, "b c h w"]
    """Cell state c_t, of at least 32 bits."""
    earlier_hidden: Float[Tensor, "b c h w"] | None = None
    """Hidden state h_t-1 of an Enhanced ConvLSTM; None after the first frame, where it is zero."""


class ConvLstm(nn.Module):
    """A ConvLSTM, equation 1.

    Args:
        in_channels: Channels of x_t.
        hidden_channels: Channels of h_t and c_t.
        kernel_size: Rows and columns of every kernel, odd.
        peephole: How gates see the cell state: weighed cell by cell (`hadamard`, equation 1), by a
            weight a channel, by a convolution (equation 2), or not at all.
        grid_hw: Rows and columns of the frames; needed where every cell has weights of its own.

    Raises:
        ValueError: Peepholes of every cell without a grid.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        *,
        kernel_size: int = 3,
        peephole: Peephole,
        grid_hw: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.memory = Memory(in_channels, hidden_channels, kernel_size, peephole, grid_hw)

    def forward(
        self, x: Float[Tensor, "b t c h w"], state: ConvLstmState | None = None
    ) -> tuple[Float[Tensor, "b t c2 h w"], ConvLstmState]:
        """Return the hidden state of every frame, and what to go on with after the last.

        Args:
            x: At least one frame; best with memory in the order b, t, h, w, c, as the result has.
            state: What an earlier call returned besides; None begins anew.

        Raises:
            AttncliError: The frames are of another size than the peepholes.
            ValueError: There is no frame.
        """
        return _run(self._step, x, state)

    def _step(self, x: Float[Tensor, "b c h w"], state: ConvLstmState | None) -> ConvLstmState:
        output_gate, cell = self.memory(x, state)
        return ConvLstmState(gated(output_gate, cell).to(output_gate.dtype), cell)


class EnhancedConvLstm(nn.Module):
    """An Enhanced ConvLSTM, equation 2: gates on the state two steps back, and a way past them.

    Args:
        in_channels: Channels of x_t.
        hidden_channels: Channels of h_t and c_t.
        kernel_size: Rows and columns of every kernel, odd; that of W_xr, which brings x_t to the
            channels of h_t, is the same (the paper gives none).
        peephole: As of `ConvLstm`.
        grid_hw: As of `ConvLstm`.
        groups: Groups of channels that are normalised together; must divide `hidden_channels`.

    Raises:
        ValueError: Peepholes of every cell without a grid, or groups of unequal sizes.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        *,
        kernel_size: int = 3,
        peephole: Peephole,
        grid_hw: tuple[int, int] | None = None,
        groups: int = 8,
    ) -> None:
        super().__init__()
        self.memory = Memory(in_channels, hidden_channels, kernel_size, peephole, grid_hw)
        self.temporal = JoinedConvolution(in_channels, hidden_channels, 2, kernel_size)
        self.skip = _keeping_grid(in_channels, hidden_channels, kernel_size, bias=False)
        nn.init.xavier_uniform_(self.skip.weight)
        self.norm = nn.GroupNorm(groups, hidden_channels)

    def forward(
        self, x: Float[Tensor, "b t c h w"], state: ConvLstmState | None = None
    ) -> tuple[Float[Tensor, "b t c2 h w"], ConvLstmState]:
        """Return what `ConvLstm.forward` does; arguments and errors as there."""
        return _run(self._step, x, state)

    def _step(self, x: Float[Tensor, "b c h w"], state: ConvLstmState | None) -> ConvLstmState:
        two_back, last = (None, None) if state is None else (state.earlier_hidden, state.hidden)
        output_gate, cell = self.memory(x, state)
        modulation, skip_gate = self.temporal(x, two_back).chunk(2, dim=1)
        total = gated(output_gate, cell) + gated(skip_gate, modulation) + self.skip(x)
        hidden = _channels_last(self.norm(total).to(output_gate.dtype))
        return ConvLstmState(hidden, cell, earlier_hidden=last)


class JoinedConvolution(nn.Conv2d):
    """Convolutions of several gates, of input and hidden state side by side, that keep the grid.

    The rows of its weight are the gates in turn, the columns the input and then the hidden state.
    At the start those of the input are drawn by Glorot's rule, those of the state orthogonal, each
    gate by itself, and the biases are zero: our choice, the papers give none.

    Args:
        in_channels: Channels of the input.
        hidden_channels: Channels of the hidden state, and of each gate.
        gates: Number of gates.
        kernel_size: Rows and columns of the kernel, odd.
    """

    bias: nn.Parameter

    def __init__(
        self, in_channels: int, hidden_channels: int, gates: int, kernel_size: int
    ) -> None:
        super().__init__(
            in_channels + hidden_channels,
            gates * hidden_channels,
            kernel_size,
            padding=kernel_size // 2,
        )
        self.input_channels = in_channels
        self.weight.data = _channels_last(self.weight.data)
        for gate in self.weight.detach().chunk(gates):
            nn.init.xavier_uniform_(gate[:, :in_channels])
            gate[:, in_channels:] = nn.init.orthogonal_(torch.empty(gate[:, in_channels:].shape))
        nn.init.zeros_(self.bias)

    def forward(  # type: ignore[override]
        self, x: Float[Tensor, "b c h w"], hidden: Float[Tensor, "b c2 h w"] | None
    ) -> Float[Tensor, "b gates h w"]:
        """Return what every gate sums up, before its activation; no hidden state is a zero one."""
        if hidden is not None:
            return super().forward(torch.cat([x, hidden], dim=1))
        of_input = self.weight[:, : self.input_channels]
        return functional.conv2d(x, of_input, self.bias, padding=self.padding)


class Memory(nn.Module):
    """What equations 1 and 2 share: the gates i, f and o, and the cell state c.

    The gates of its convolution are i, f, c and o, in this order; b_f is 1 at the start, so that
    the cell begins by keeping what it holds (our choice).

    Args:
        in_channels: Channels of x_t.
        hidden_channels: Channels of h_t and c_t.
        kernel_size: Rows and columns of every kernel, odd.
        peephole: How gates see the cell state.
        grid_hw: Rows and columns of the frames, for peepholes of every cell.

    Raises:
        ValueError: The peepholes are of every cell, and no grid is given.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        kernel_size: int,
        peephole: Peephole,
        grid_hw: tuple[int, int] | None,
    ) -> None:
        super().__init__()
        self.gates = JoinedConvolution(in_channels, hidden_channels, 4, kernel_size)
        nn.init.ones_(self.gates.bias.detach().chunk(4)[1])
        self.peepholes = _new_peepholes(peephole, hidden_channels, kernel_size, grid_hw)

    def forward(
        self, x: Float[Tensor, "b c h w"], state: ConvLstmState | None
    ) -> tuple[Float[Tensor, "b c2 h w"], Float[Tensor, "b c2 h w"]]:
        """Return the output gate o_t before its activation, and the cell state c_t.

        Args:
            x: Input x_t.
            state: Hidden state h_t-1 and cell state c_t-1; None is zero.

        Raises:
            AttncliError: The frames are of another size than the peepholes.
        """
        peepholes = self.peepholes
        if isinstance(peepholes, WeighedPeepholes):
            peepholes.check(x)
        hidden = None if state is None else state.hidden
        write, keep, candidate, output = self.gates(x, hidden).chunk(4, dim=1)
        if state is None:
            cell = gated(write, candidate)
        else:
            if peepholes is not None:
                of_write, of_keep = peepholes.before(state.cell)
                write, keep = write + of_write.to(write.dtype), keep + of_keep.to(keep.dtype)
            kept = keep.to(state.cell.dtype).sigmoid()
            cell = torch.addcmul(gated(write, candidate), kept, state.cell)
        if peepholes is not None:
            output = output + peepholes.after(cell).to(output.dtype)
        return output, cell


class WeighedPeepholes(nn.Module):
    """Peepholes that weigh the cell state: a weight each for i, f and o, zero at the start.

    Args:
        channels: Channels of the cell state.
        grid_hw: Rows and columns it has, each with weights of its own; None shares a channel's.
    """

    def __init__(self, channels: int, grid_hw: tuple[int, int] | None) -> None:
        super().__init__()
        self.grid_hw = grid_hw
        weight = torch.zeros(3, channels, *(grid_hw or (1, 1)))
        self.weight = nn.Parameter(_channels_last(weight))

    def check(self, x: Float[Tensor, "... h w"]) -> None:
        """Refuse frames that the weights do not fit.

        Raises:
            AttncliError: They have other rows or columns.
        """
        if self.grid_hw is None or x.shape[-2:] == self.grid_hw:
            return
        rows, columns = x.shape[-2:]
        raise AttncliError(
            f"peephole weights of {self.grid_hw[0]}x{self.grid_hw[1]} cells do not fit features of "
            f"{rows}x{columns}",
            remedy="use frames of the size it was trained with, or another --peephole",
        )

    def before(
        self, cell: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        """Return what i_t and f_t see of the cell state c_t-1."""
        return self.weight[0] * cell, self.weight[1] * cell

    def after(self, cell: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return what o_t sees of the cell state c_t."""
        return self.weight[2] * cell


class ConvolvedPeepholes(nn.Module):
    """Peepholes that are convolutions of the cell state, zero at the start.

    Args:
        channels: Channels of the cell state.
        kernel_size: Rows and columns of the kernels, odd.
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.of_previous = _keeping_grid(channels, 2 * channels, kernel_size, bias=False)
        self.of_current = _keeping_grid(channels, channels, kernel_size, bias=False)
        nn.init.zeros_(self.of_previous.weight)
        nn.init.zeros_(self.of_current.weight)

    def before(
        self, cell: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
        """Return what i_t and f_t see of the cell state c_t-1."""
        of_write, of_keep = self.of_previous(cell).chunk(2, dim=1)
        return of_write, of_keep

    def after(self, cell: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return what o_t sees of the cell state c_t."""
        return self.of_current(cell)


def _new_peepholes(
    kind: Peephole, channels: int, kernel_size: int, grid_hw: tuple[int, int] | None
) -> WeighedPeepholes | ConvolvedPeepholes | None:
    if kind == "none":
        return None
    if kind == "convolution":
        return ConvolvedPeepholes(channels, kernel_size)
    if kind == "channel":
        return WeighedPeepholes(channels, None)
    if grid_hw is None:
        raise ValueError("hadamard peepholes need grid_hw, the rows and columns of the frames")
    return WeighedPeepholes(channels, grid_hw)


def _keeping_grid(in_channels: int, out_channels: int, size: int, *, bias: bool) -> nn.Conv2d:
    convolution = nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=bias)
    return convolution.to(memory_format=torch.channels_last)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _run(
    step: Callable[[Tensor, ConvLstmState | None], ConvLstmState],
    x: Float[Tensor, "b t c h w"],
    state: ConvLstmState | None,
) -> tuple[Float[Tensor, "b t c2 h w"], ConvLstmState]:
    """Return the hidden states of a step for every frame, and the state after the last."""
    outputs = []
    for frame in _frames(x):
        state = step(frame, state)
        outputs.append(state.hidden)
    if state is None or not outputs:
        raise ValueError("clips without frames")
    return _clips(outputs), state


# Frames are taken apart and put together as b, h, w, c: of four axes in torch's order, stacked
# along a fifth, both the result and the gradient would be copied out of channels-last memory.


def _frames(x: Float[Tensor, "b t c h w"]) -> Iterator[Float[Tensor, "b c h w"]]:
    frames: Sequence[Tensor] = x.movedim(2, -1).unbind(1)
    return (_channels_last(frame.movedim(-1, 1)) for frame in frames)


def _clips(frames: Sequence[Float[Tensor, "b c h w"]]) -> Float[Tensor, "b t c h w"]:
    return torch.stack([frame.movedim(1, -1) for frame in frames], dim=1).movedim(-1, 2)
