"""Dropout whose random draws do not depend on how many processes share a batch."""

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn


class GlobalDropout(nn.Module):
    """Dropout that draws for the whole batch of all processes and takes this process's rows.

    Process r of s holds samples r, r + s, r + 2s, ... of the batch. As long as the processes'
    default generators are in the same state, they drop together what one process would.

    Args:
        p: Probability with which a value is set to 0; the others are divided by 1 - p.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
        """Return `x` with values dropped in training, and unchanged in evaluation."""
        if not self.training or self.p == 0:
            return x
        rank, size, rows = _place_in_batch(x)
        keep = torch.empty((rows, *x.shape[1:]), device=x.device, dtype=x.dtype)
        keep.bernoulli_(1 - self.p).div_(1 - self.p)
        return x * keep[rank::size][: len(x)]

    def extra_repr(self) -> str:
        """Return the probability, for the printed model."""
        return f"p={self.p}"


def _place_in_batch(x: Tensor) -> tuple[int, int, int]:
    """Return this process's rank, the number of processes, and rows of the batch of them all.

    Processes may hold fewer samples than their share, where some could not be read.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1, len(x)
    rank, size = distributed.get_rank(), distributed.get_world_size()
    rows = torch.tensor((len(x) - 1) * size + rank + 1)  # on the host, so no GPU is waited for
    distributed.all_reduce(rows, distributed.ReduceOp.MAX)
    return rank, size, int(rows)
