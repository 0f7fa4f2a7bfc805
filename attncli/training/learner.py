"""One training step: forward and backward over the parts of a batch, then the weights' update."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from attncli.batches import B
from attncli.config.training import Precision, TrainConfig
from attncli.training.distributed import World
from attncli.training.objective import Learned
from attncli.training.optimization import make_optimizer, set_learning_rate

AUTOCAST_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class StepSums:
    """What a step did, summed over the samples of all processes, on its way to the host."""

    names: tuple[str, ...]
    """What each value is."""
    values: Float32[Tensor, " n"]
    """On the host once `ready` has passed."""
    ready: torch.cuda.Event | None
    """Passed when the values have arrived; None on a CPU."""

    def read(self) -> dict[str, float]:
        """Wait for the values and return them by name."""
        if self.ready is not None:
            self.ready.synchronize()
        return dict(zip(self.names, self.values.tolist(), strict=True))


class Learner(Generic[B]):
    """A model, what it minimises and what moves its weights.

    A batch's gradient is that of the mean loss over its samples, however they are spread over parts
    and processes: each part counts by its samples, and gradients are summed.

    Args:
        learned: Network on its device, whose weights are trained, and what it minimises.
        config: Settings of the optimisation.
        world: The processes that share each batch.
    """

    def __init__(self, learned: Learned[B], config: TrainConfig, world: World) -> None:
        self.learned = learned
        self.model = learned.model
        self.forward = torch.compile(self.model) if config.compile else self.model
        self.config = config
        self.world = world
        self.optimizer = make_optimizer(learned, config)
        self.scaler = torch.amp.GradScaler(world.device.type, enabled=config.precision == "fp16")

    def step(self, parts: Sequence[B], counts: Sequence[int], lr: float) -> StepSums:
        """Take one step.

        Args:
            parts: This process's samples of each part of the batch, still on the host.
            counts: Samples of each part over all processes; a part without any is left out.
            lr: Learning rate.
        """
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for part, count in zip(parts, counts, strict=True):
            if count:
                for name, value in self._accumulate(part, weight=1 / sum(counts)).items():
                    sums[name] = sums[name] + value if name in sums else value
        self._reduce(sums)
        sums["gradient_norm"] = self._update(lr)
        return _to_host(sums)

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes by training."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])

    def _accumulate(self, part: B, *, weight: float) -> dict[str, Tensor]:
        """Add the gradient of a part, each sample weighted by `weight`, and return its sums.

        Without a sample of its own a process still goes through the model, whose batch
        normalisation waits for every process.
        """
        n = len(part.rows)
        losses = self.learned.objective(self._answer, part.to(self.world.device))
        self.scaler.scale(losses.total * (n * weight)).backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            means = {"loss": losses.total, **{f"loss_{k}": v for k, v in losses.terms.items()}}
            sums = {k: (v * n).detach() if n else v.new_zeros(()) for k, v in means.items()}
            hits = {f"hits_{name}": count for name, count in losses.hits.items()}
            return {**sums, **hits, "samples": losses.total.new_tensor(n)}

    def _answer(self, *inputs: Any) -> Any:
        """Put inputs through the network in the arithmetic of the training."""
        with autocast(self.world.device, self.config.precision):
            return self.forward(*inputs)

    def _reduce(self, sums: dict[str, Tensor]) -> None:
        """Sum gradients and `sums` over all processes, in place, in one message."""
        if self.world.size == 1:
            return
        tensors = [w.grad for w in self.model.parameters() if w.grad is not None]
        tensors += [value.float() for value in sums.values()]
        total = self.world.add_up(torch.cat([tensor.flatten() for tensor in tensors]))
        for tensor, piece in zip(
            tensors, torch.split(total, [t.numel() for t in tensors]), strict=True
        ):
            tensor.copy_(piece.view(tensor.shape))
        sums.update(zip(sums, tensors[-len(sums) :], strict=True))

    def _update(self, lr: float) -> Tensor:
        """Let the optimizer act and return the norm of the whole gradient before clipping."""
        self.scaler.unscale_(self.optimizer)
        gradients = [w.grad for w in self.model.parameters() if w.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self.config.clip_grad_norm is not None:
            weights = [w for w in self.model.parameters() if w.grad is not None]
            nn.utils.clip_grads_with_norm_(weights, self.config.clip_grad_norm, norm)
        set_learning_rate(self.optimizer, self.learned, lr)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return norm


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Return the context in which a forward pass runs with `precision`."""
    dtype = AUTOCAST_DTYPES[precision]
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32")


def _to_host(sums: dict[str, Tensor]) -> StepSums:
    values = torch.stack([value.float() for value in sums.values()])
    host = values.to("cpu", non_blocking=True)
    ready = None
    if values.is_cuda:
        ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
        ready.record()
    return StepSums(names=tuple(sums), values=host, ready=ready)
