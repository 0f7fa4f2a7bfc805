"""Activations that are computed twice instead of kept: less memory for more time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(
    compute: Callable[[Tensor], Tensor], x: Float[Tensor, "..."], *, layer: nn.Module
) -> Float[Tensor, "..."]:
    """Return `compute(x)`; of all activations only `x` is kept, the others come back when needed.

    What the gradient needs the backward pass computes once more. Training is the same as without,
    bit for bit: in the second pass batch normalisations move copies of their running statistics,
    which are then thrown away. No random numbers may be drawn.

    Args:
        compute: Computation without dropout.
        x: What goes into it.
        layer: Module with the batch normalisations that take part.
    """

    def passes() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_at_rest(layer)

    if not torch.is_grad_enabled():
        return compute(x)
    if torch.compiler.is_compiling():  # a compiled second pass moves no statistics
        return checkpoint(compute, x, use_reentrant=False, preserve_rng_state=False)
    return checkpoint(compute, x, use_reentrant=False, preserve_rng_state=False, context_fn=passes)


@contextmanager
def _statistics_at_rest(layer: nn.Module) -> Iterator[None]:
    """Put copies of their running statistics into the batch normalisations of `layer`."""
    statistics = [
        (norm, name, buffer)
        for norm in layer.modules()
        if isinstance(norm, _BatchNorm)
        for name, buffer in norm.named_buffers(recurse=False)
    ]
    for norm, name, buffer in statistics:
        setattr(norm, name, buffer.clone())
    try:
        yield
    finally:
        for norm, name, buffer in statistics:
            setattr(norm, name, buffer)
