"""A ConvLSTM over whole clips as one operation, its gradient written out.

Equation 1 of `layers.convlstm`, frame after frame. Where autograd keeps and fetches every term of
every frame by itself, here gates are activated where the convolution left them, hidden states are
written where the result wants them, and one buffer serves the gradients of all frames' gates.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from attncli.layers.gates import tanh_

aten = torch.ops.aten


def unroll(
    x: Float[Tensor, "b t c h w"],
    weight: Float[Tensor, "gates c_and_c2 k k"],
    bias: Float[Tensor, " gates"],
    peepholes: Float[Tensor, "3 c2 #h #w"] | None,
    hidden: Float[Tensor, "b c2 h w"] | None,
    cell: Float[Tensor, "b c2 h w"] | None,
) -> tuple[Float[Tensor, "b t c2 h w"], Float[Tensor, "b c2 h w"]]:
    """Return the hidden state of every frame, and the cell state after the last.

    Args:
        x: At least one frame.
        weight: Kernels of the gates i, f, c and o, for the input and then for the hidden state.
        bias: Bias of each gate.
        peepholes: Weights of the cell state in i, f and o, if any.
        hidden: Hidden state before the first frame; None is zero.
        cell: Cell state before it, of at least 32 bits; None is zero, and goes with no `hidden`.

    Raises:
        ValueError: There is no frame.
    """
    if not x.shape[1]:
        raise ValueError("clips without frames")
    device = x.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
        hidden = None if hidden is None else hidden.to(dtype)
    return _Unrolled.apply(x, weight, bias, peepholes, hidden, cell)


@dataclass(frozen=True)
class _Frame:
    """What the gradient of a frame needs."""

    seen: Tensor
    """Input and hidden state before, side by side, as the convolution saw them."""
    gates: Tensor
    """Gates i, f, c and o after their activation."""
    before: Tensor | None
    """Cell state before, c_t-1."""
    cell: Tensor
    """Cell state c_t."""
    content: Tensor
    """tanh(c_t)."""

    def through_gates(
        self,
        of_hidden: Tensor,
        of_cell: Tensor | None,
        peepholes: Tensor | None,
        *,
        of_gates: Tensor,
    ) -> Tensor | None:
        """Return the gradient of the cell state before, from those of h_t and c_t.

        The gradients of the gates before their activation are written to `of_gates`.
        """
        write, keep, candidate, output = self.gates.chunk(4, dim=1)
        of_write, of_keep, of_candidate, of_output = of_gates.chunk(4, dim=1)
        _through(aten.sigmoid_backward, output, of_hidden, self.content, to=of_output)
        through_content = torch.empty_like(self.content)
        _through(aten.tanh_backward, self.content, of_hidden, output, to=through_content)
        of_cell = through_content if of_cell is None else through_content.add_(of_cell)
        if peepholes is not None:
            of_cell.addcmul_(peepholes[2], of_output)
        _through(aten.sigmoid_backward, write, of_cell, candidate, to=of_write)
        _through(aten.tanh_backward, candidate, of_cell, write, to=of_candidate)
        if self.before is None:
            of_keep.zero_()
            return None
        _through(aten.sigmoid_backward, keep, of_cell, self.before, to=of_keep)
        of_before = of_cell.mul_(keep)
        if peepholes is not None:
            of_before.addcmul_(peepholes[0], of_write).addcmul_(peepholes[1], of_keep)
        return of_before

    def add_to_peepholes(self, of_peepholes: Tensor, of_gates: Tensor) -> None:
        """Add the gradients of the peepholes from those of the gates before their activation."""
        of_write, of_keep, _, of_output = of_gates.chunk(4, dim=1)
        terms = (self.before, of_write), (self.before, of_keep), (self.cell, of_output)
        for total, (state, gradient) in zip(of_peepholes, terms, strict=True):
            if state is not None:
                total += (state * gradient).sum_to_size(total.shape)


class _Unrolled(torch.autograd.Function):
    """`unroll` without autocast."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        peepholes: Tensor | None,
        hidden: Tensor | None,
        cell: Tensor | None,
    ) -> tuple[Tensor, Tensor | None]:
        hiddens = _empty_clips(x, x.shape, weight.shape[0] // 4)
        kept: list[Tensor | None] = []
        for frame, place in zip(x.unbind(1), hiddens.unbind(1), strict=True):
            seen = _side_by_side(frame, hidden)
            kernels = weight[:, : seen.shape[1]]
            gates = functional.conv2d(seen, kernels, bias, padding=_padding(weight))
            gates = gates.to(torch.promote_types(gates.dtype, torch.float32))
            before, cell = cell, _remember(gates, peepholes, cell)
            content = tanh_(cell.clone())
            hidden = torch.mul(gates.chunk(4, dim=1)[3], content, out=place)
            if any(ctx.needs_input_grad):
                kept += seen, gates, before, cell, content
        ctx.save_for_backward(weight, peepholes, *kept)
        ctx.x_shape = x.shape
        # Zeros would come in torch's own order of memory, and bring everything after them into it.
        ctx.set_materialize_grads(False)
        return hiddens, cell

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_hiddens: Tensor | None, of_cell: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        weight, peepholes, *kept = ctx.saved_tensors
        frames = [_Frame(*kept[start : start + 5]) for start in range(0, len(kept), 5)]
        of_x = _empty_clips(frames[0].seen, ctx.x_shape, ctx.x_shape[2])
        if of_hiddens is None:
            of_hiddens = _empty_clips(of_x, ctx.x_shape, weight.shape[0] // 4).zero_()
        of_gates = torch.empty_like(frames[0].gates)
        of_weight = torch.zeros_like(weight, dtype=of_gates.dtype)
        of_bias = of_gates.new_zeros(len(weight))
        of_peepholes = None if peepholes is None else torch.zeros_like(peepholes)
        of_hidden = None
        places = zip(frames, of_hiddens.unbind(1), of_x.unbind(1), strict=True)
        for frame, of_output, place in reversed(list(places)):
            of_cell = frame.through_gates(
                of_output if of_hidden is None else of_output + of_hidden,
                of_cell,
                peepholes,
                of_gates=of_gates,
            )
            if of_peepholes is not None:
                frame.add_to_peepholes(of_peepholes, of_gates)
            of_bias += of_gates.sum((0, 2, 3))
            width = frame.seen.shape[1]
            of_seen, of_kernels = _through_convolution(of_gates, frame.seen, weight[:, :width])
            of_weight[:, :width] += of_kernels
            place.copy_(of_seen[:, : place.shape[1]])
            of_hidden = of_seen[:, place.shape[1] :]
        of_state = (None, None) if of_cell is None else (of_hidden, of_cell)
        return of_x, of_weight, of_bias, of_peepholes, *of_state


def _remember(gates: Tensor, peepholes: Tensor | None, cell: Tensor | None) -> Tensor:
    """Activate the gates in place, and return the cell state."""
    write, keep, candidate, output = gates.chunk(4, dim=1)
    if peepholes is not None and cell is not None:
        write.addcmul_(peepholes[0], cell)
        keep.addcmul_(peepholes[1], cell)
    new = write.sigmoid_() * tanh_(candidate)
    keep.sigmoid_()
    if cell is not None:
        new.addcmul_(keep, cell)
    if peepholes is not None:
        output.addcmul_(peepholes[2], new)
    output.sigmoid_()
    return new


def _through(
    derivative: Any, activated: Tensor, of_product: Tensor, factor: Tensor, *, to: Tensor
) -> None:
    """Write the gradient of a in f(a) g to `to`, from f(a), the gradient of the product, and g."""
    torch.mul(of_product, factor, out=to)
    derivative.grad_input(to, activated, grad_input=to)


def _through_convolution(gradient: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of a convolution's input and weights."""
    # That of the bias is left to a sum: as part of this it takes several times as long.
    of_x, of_weight, _ = aten.convolution_backward(
        gradient.to(x.dtype),
        x,
        weight,
        None,
        [1, 1],
        [_padding(weight)] * 2,
        [1, 1],
        False,
        [0, 0],
        1,
        [True, True, False],
    )
    return of_x, of_weight


def _padding(weight: Tensor) -> int:
    return weight.shape[-1] // 2


def _empty_clips(like: Tensor, shape: torch.Size, channels: int) -> Float[Tensor, "b t c h w"]:
    """Return room for clips of `shape` but of so many channels, in the order b, t, h, w, c."""
    b, t, _, h, w = shape
    return like.new_empty(b, t, h, w, channels).movedim(-1, 2)


def _side_by_side(frame: Tensor, hidden: Tensor | None) -> Tensor:
    joined = frame if hidden is None else torch.cat([frame, hidden], dim=1)
    return joined.contiguous(memory_format=torch.channels_last)
