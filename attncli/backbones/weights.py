"""Initial weights: published ones by name, or a file, with every key accounted for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from attncli.errors import AttncliError
from attncli.files.checkpoints import first_keys
from attncli.files.tensors import read_tensors, require_same_kind
from attncli.reporting import Reporter

COUNTER = "num_batches_tracked"
"""How keys end that old versions of torch did not save, and no answer depends on."""


def load_state(
    model: nn.Module, state: Mapping[str, Tensor], *, where: Path, classifier: str
) -> tuple[str, ...]:
    """Put `state` into `model`; only a classifier for another number of classes stays out.

    Args:
        model: Network whose parameters and buffers are overwritten.
        state: One tensor for each of the network's keys, but for counters of batches.
        where: Where they come from, for the message.
        classifier: Prefix of the keys of the last linear layer.

    Returns:
        The keys left as they were: those of the classifier where class counts differ, or none.

    Raises:
        AttncliError: A key is missing, unknown, or of another shape; the first few are named.
    """
    own = model.state_dict()
    state = {key: own[key] for key in own if key.endswith(COUNTER)} | dict(state)
    shapes = {key: tensor.shape for key, tensor in own.items()}
    differing = {k for k in shapes.keys() & state.keys() if shapes[k] != state[k].shape}
    kept = {key for key in differing if key.startswith(classifier)}
    problems = (
        ("missing", shapes.keys() - state.keys()),
        ("unexpected", state.keys() - shapes.keys()),
        ("of another shape", differing - kept),
    )
    found = [f"{name}: {first_keys(keys)}" for name, keys in problems if keys]
    if found:
        raise AttncliError(
            f"the weights are of another architecture ({'; '.join(found)})",
            where=where,
            remedy="use weights of the same size, width and depth",
        )
    require_same_kind(own, state, where=where, remedy="convert them, or use other weights")
    model.load_state_dict({key: own[key] if key in kept else state[key] for key in own})
    return tuple(sorted(kept))


def read_state(path: Path) -> Mapping[str, Tensor]:
    """Return the state-dict in `path`, bare or under `model_state` or `model`; run no code.

    Raises:
        AttncliError: There is no such file, it is damaged, or it holds more than tensors.
    """
    remedy = "give --weights a state-dict, as torch.save(model.state_dict(), ...) writes it"
    found = read_tensors(path, remedy=remedy)
    if isinstance(found, dict):
        found = found.get("model_state", found.get("model", found))
    is_mapping = isinstance(found, Mapping) and bool(found)
    if not is_mapping or not all(isinstance(value, Tensor) for value in found.values()):
        raise AttncliError("holds no state-dict", where=path, remedy=remedy)
    return cast(Mapping[str, Tensor], found)


def note_dropped(keys: Sequence[str], weights: str, reporter: Reporter | None) -> None:
    """Say which keys start at random because the initial weights have other classes, if any do."""
    if keys and reporter is not None:
        reporter.note(f"{', '.join(keys)}: start at random, as {weights} has other classes")
