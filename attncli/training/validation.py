"""How well a model does on clips it is not trained on, while it is being trained."""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from attncli.config.training import Precision
from attncli.metrics.accuracy import classes_ahead
from attncli.training.distributed import World
from attncli.training.learner import autocast
from attncli.types import ClipBatch

TOP = 5


def validate(
    model: nn.Module, batches: Iterable[ClipBatch], *, precision: Precision, world: World
) -> dict[str, float]:
    """Return `top1` and `top5` in percent over the clips of all processes; nothing without clips.

    Classes rank as `attncli eval` ranks them (`metrics.accuracy`); with fewer than five classes
    every clip counts for `top5`.
    """
    training = model.training
    model.eval()
    sums = torch.zeros(3, dtype=torch.int64, device=world.device)
    try:
        with torch.inference_mode():
            for host in batches:
                if len(host.labels):
                    batch = host.to(world.device)
                    with autocast(world.device, precision):
                        scores = model(batch.frames).scores
                    sums += _hits(scores, batch.labels)
    finally:
        model.train(training)
    first, five, clips = world.add_up(sums).tolist()
    return {"top1": 100 * first / clips, "top5": 100 * five / clips} if clips else {}


def _hits(scores: Float[Tensor, "b k"], labels: Int64[Tensor, " b"]) -> Int64[Tensor, " 3"]:
    """Return how many clips are right at first, among the first five, and how many there are."""
    ahead = classes_ahead(scores, labels)
    clips = torch.ones_like(ahead, dtype=torch.bool)
    return torch.stack([ahead < 1, ahead < TOP, clips]).sum(dim=1)
