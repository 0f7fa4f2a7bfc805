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
    state = without_prefixes(weights, own)
    unused = {key.split(".")[0] for key in state} & set(without)
    state = {key: value for key, value in state.items() if key.split(".")[0] not in without}
    needed = {key for key in own if key.split(".")[0] not in without and not key.endswith(COUNTER)}
    missing = needed - state.keys()
    if missing == needed:
        allow_missing = False  # not one of them is the network's
    lacking = set() if allow_missing else missing
    _require_fit(own, state, lacking, weights.where, "name the backbone they are of")
    _say(weights, unused, missing, reporter)
    return dict(own) | state


def exact_state(own: Mapping[str, Tensor], weights: Weights) -> dict[str, Tensor]:
    """Return weights by the keys of a network, each of which they have, and no other.

    Args:
        own: The state-dict of the whole network.
        weights: Those to take its place. Prefixes as of `PREFIXES` do not matter, and counters of
            batches may be missing.

    Raises:
        AttncliError: A key is missing, unknown, or of another shape or kind; the first are named.
    """
    state = without_prefixes(weights, own)
    missing = {key for key in own.keys() - state.keys() if not key.endswith(COUNTER)}
    _require_fit(own, state, missing, weights.where, "name the network they are of by --network")
    return state


def _require_fit(
    own: Mapping[str, Tensor],
    state: Mapping[str, Tensor],
    missing: set[str],
    where: str,
    remedy: str,
) -> None:
    """Make sure that nothing is missing, and all there is has its place in a network."""
    common = own.keys() & state.keys()
    problems = (
        ("missing", missing),
        ("unexpected", set(state.keys() - own.keys())),
        ("of another shape", {key for key in common if own[key].shape != state[key].shape}),
    )
    found = [f"{name}: {first_keys(keys)}" for name, keys in problems if keys]
    if found:
        raise AttncliError(
            f"the weights are of another architecture ({'; '.join(found)})",
            where=where,
            remedy=f"{remedy}, or use other weights",
        )
    require_same_kind(own, state, where=where, remedy="convert them, or use other weights")


def _say(weights: Weights, unused: set[str], missing: set[str], reporter: Reporter | None) -> None:
    if reporter is None:
        return
    if unused:
        names = ", ".join(sorted(unused))
        reporter.note(f"{weights.where}: {names} not used, as the backbone ends before")
    if missing:
        names = first_keys(missing)
        reporter.warn(f"{weights.where}: holds no {names}, so that these start at random")


def without_prefixes(weights: Weights, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without what is put before all keys of a network, or some.

    Args:
        weights: Those whose keys may have prefixes.
        own: The state-dict of the network, whose own prefixes stay.

    Raises:
        AttncliError: Two keys would be the same.
    """
    state = dict(weights.state)
    foreign = [p for p in PREFIXES if not any(key.startswith(p) for key in own)]
    while prefix := next((p for p in foreign if any(key.startswith(p) for key in state)), None):
        renamed = {key.removeprefix(prefix): value for key, value in state.items()}
        if len(renamed) < len(state):
            what = f"holds keys with and without {prefix!r} that are the same"
            raise AttncliError(what, where=weights.where, remedy="keep those of one network")
        state = renamed
    return state
