"""Weights of networks for images: read without running code, and accounted for key by key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor

from attncli.backbones.weights import COUNTER
from attncli.errors import AttncliError
from attncli.files.checkpoints import first_keys
from attncli.files.tensors import read_tensors, require_same_kind
from attncli.reporting import Reporter

REMEDY = "give --weights a state-dict, as torch.save(model.state_dict(), ...) writes it"
WRAPPERS = ("state_dict", "model_state", "model")
"""What training scripts call the weights within a checkpoint."""
PREFIXES = ("module.", "model.", "backbone.", "encoder.", "network.")
"""What is put before a network's keys where it is trained on several GPUs, or as part of more."""
CLASSIFIERS = ("fc", "classifier", "aux_classifier", "head")
"""What libraries call the layers a backbone has no use for."""


@dataclass(frozen=True)
class Weights:
    """A state-dict, with what is needed to judge it."""

    state: Mapping[str, Tensor]
    """Tensors by key."""
    where: str
    """Where they come from, for messages."""


def read_weights(path: Path) -> Weights:
    """Return the state-dict in `path`, bare or within a checkpoint; run no code.

    Raises:
        AttncliError: There is no such file, it is damaged, or it holds no state-dict.
    """
    found = read_tensors(path, remedy=REMEDY)
    for wrapper in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    is_mapping = isinstance(found, Mapping) and bool(found)
    if not is_mapping or not all(isinstance(value, Tensor) for value in found.values()):
        raise AttncliError("holds no state-dict", where=path, remedy=REMEDY)
    return Weights(cast(Mapping[str, Tensor], found), str(path))


def fitted_state(
    own: Mapping[str, Tensor],
    weights: Weights,
    *,
    head: Sequence[str],
    allow_missing: bool = False,
    reporter: Reporter | None = None,
) -> dict[str, Tensor]:
    """Return a network's state-dict with weights put in, all of whose keys are accounted for.

    Args:
        own: The state-dict of the whole network: what it begins with.
        weights: Those to take its place. Prefixes as of `PREFIXES` do not matter.
        head: Names of layers the backbone has not: neither theirs nor those of `CLASSIFIERS` are
            taken or missed. Theirs that are there are named in a note.
        allow_missing: Whether other tensors may be missing, which then start at random and are
            named in a warning.
        reporter: Where to say so.

    Raises:
        AttncliError: A key is missing, unknown, or of another shape or kind; the first are named.
    """
    without = (*head, *CLASSIFIERS)
    state = _without_prefixes(weights, own)
    unused = {key.split(".")[0] for key in state} & set(without)
    state = {key: value for key, value in state.items() if key.split(".")[0] not in without}
    needed = {key for key in own if key.split(".")[0] not in without and not key.endswith(COUNTER)}
    missing = needed - state.keys()
    if missing == needed:
        allow_missing = False  # not one of them is the network's
    problems = (
        ("missing", set() if allow_missing else missing),
        ("unexpected", state.keys() - own.keys()),
        ("of another shape", {k for k in needed - missing if own[k].shape != state[k].shape}),
    )
    found = [f"{name}: {first_keys(keys)}" for name, keys in problems if keys]
    if found:
        raise AttncliError(
            f"the weights are of another architecture ({'; '.join(found)})",
            where=weights.where,
            remedy="name the backbone they are of, or use other weights",
        )
    remedy = "convert them, or use other weights"
    require_same_kind(own, state, where=weights.where, remedy=remedy)
    _say(weights, unused, missing, reporter)
    return dict(own) | state


def _say(weights: Weights, unused: set[str], missing: set[str], reporter: Reporter | None) -> None:
    if reporter is None:
        return
    if unused:
        names = ", ".join(sorted(unused))
        reporter.note(f"{weights.where}: {names} not used, as the backbone ends before")
    if missing:
        names = first_keys(missing)
        reporter.warn(f"{weights.where}: holds no {names}, so that these start at random")


def _without_prefixes(weights: Weights, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    state = dict(weights.state)
    foreign = [p for p in PREFIXES if not any(key.startswith(p) for key in own)]
    while prefix := next((p for p in foreign if any(key.startswith(p) for key in state)), None):
        renamed = {key.removeprefix(prefix): value for key, value in state.items()}
        if len(renamed) < len(state):
            what = f"holds keys with and without {prefix!r} that are the same"
            raise AttncliError(what, where=weights.where, remedy="keep those of one network")
        state = renamed
    return state
