"""Checkpoints (`.pt`, tensors and plain values only) and weights (`.safetensors`)."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from attncli.errors import AttncliError
from attncli.files.atomic import replacing
from attncli.files.tensors import read_tensors, require_same_kind, unreadable
from attncli.files.text import parse_json

FORMAT_VERSION = 1
REMEDY = "copy or make it anew"
SHOWN_KEYS = 3


@runtime_checkable
class ExplainsMismatch(Protocol):
    """A network that knows what makes weights of its own architecture fail to fit."""

    def explain_mismatch(self, weights: Mapping[str, Tensor]) -> tuple[str, str] | None:
        """Return what is wrong with weights and what to do; None where it cannot tell."""
        ...


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state` so that `path` holds all of it or what it held before.

    Args:
        path: File to write.
        state: Tensors and plain values by name; `model` holds the network's weights.

    Raises:
        AttncliError: The disk is full or the directory cannot be written.
    """
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            # By a file's name torch would name the archive within, and no two were the same bytes.
            torch.save({"format_version": FORMAT_VERSION, **state}, file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise _unwritable(path, error) from error


def read_checkpoint(path: Path, *, holding: Collection[str] = ()) -> dict[str, Any]:
    """Return what `write_checkpoint` wrote; run no code from the file.

    Args:
        path: File to read.
        holding: Names of what must be there besides `model`.

    Raises:
        AttncliError: There is no such file, it is damaged, holds code, is no checkpoint, or one
            that lacks what it must hold.
    """
    remedy = "use a checkpoint `attncli train` wrote"
    state = read_tensors(path, remedy=remedy)
    if not _is_checkpoint(state):
        what = "is not a checkpoint that this version of attncli reads"
        raise AttncliError(what, where=path, remedy=remedy)
    missing = [name for name in holding if name not in state]
    if missing:
        raise AttncliError(
            f"holds weights but no {' and no '.join(missing)}, so training cannot go on from it",
            where=path,
            remedy="put the run's own last.pt back, or begin a new run with --init",
        )
    return cast(dict[str, Any], state)


def write_weights(path: Path, model: nn.Module, metadata: Mapping[str, str | int]) -> None:
    """Write all weights and buffers of `model`, with a few plain values beside them.

    Raises:
        AttncliError: The disk is full or the directory cannot be written.
    """
    tensors = {key: value.contiguous().cpu() for key, value in model.state_dict().items()}
    try:
        with replacing(path) as temporary:
            # As one entry: safetensors would write several in another order each time. And by us,
            # as it would put another file, for our eyes only, in the place of the temporary one.
            temporary.write_bytes(save(tensors, metadata={"attncli": json.dumps(metadata)}))
    except (OSError, SafetensorError) as error:
        raise _unwritable(path, error) from error


def read_metadata(path: Path) -> dict[str, str | int]:
    """Return what `write_weights` put beside the weights; nothing where another program did.

    Raises:
        AttncliError: The file is damaged or not there.
    """
    try:
        path.open("rb").close()  # safetensors takes a file it may not read for none
        with safe_open(path, framework="pt") as file:
            metadata = (file.metadata() or {}).get("attncli", "{}")
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error
    content = parse_json(metadata, where=path, remedy=REMEDY)
    if not isinstance(content, dict):
        raise AttncliError("its metadata is not a JSON object", where=path, remedy=REMEDY)
    return content


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the weights in a run directory, a `.safetensors` file or a checkpoint.

    A run directory stands for its `model.safetensors`.

    Raises:
        AttncliError: There are none, the file is damaged, or it holds code.
    """
    if path.is_dir():
        path = path / "model.safetensors"
    if path.suffix != ".safetensors":
        return dict(read_checkpoint(path)["model"])
    if not path.exists():
        raise AttncliError("no such weights", where=path, remedy="train the run to its end")
    return dict(read_tensors(path, remedy="copy or train it anew"))


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], *, where: Path) -> None:
    """Put `weights` into `model`, key by key.

    Args:
        model: Network whose weights and buffers are overwritten.
        weights: One tensor for each key of the model's state.
        where: Where they come from, for the message.

    Raises:
        AttncliError: A key is missing, unknown or of another shape; the first few are named, unless
            the network explains it better.
    """
    own = {key: tensor.shape for key, tensor in model.state_dict().items()}
    problems = {
        "missing": own.keys() - weights.keys(),
        "unexpected": weights.keys() - own.keys(),
        "of another shape": {k for k in own.keys() & weights.keys() if own[k] != weights[k].shape},
    }
    found = [f"{what}: {first_keys(keys)}" for what, keys in problems.items() if keys]
    if found:
        explanation = (
            model.explain_mismatch(weights) if isinstance(model, ExplainsMismatch) else None
        )
        what, remedy = explanation or (
            f"the weights are of another architecture ({'; '.join(found)})",
            "use a run of the same method, size and number of classes",
        )
        raise AttncliError(what, where=where, remedy=remedy)
    require_same_kind(model.state_dict(), weights, where=where, remedy=REMEDY)
    model.load_state_dict(dict(weights))


def _is_checkpoint(state: object) -> bool:
    if not isinstance(state, dict) or state.get("format_version") != FORMAT_VERSION:
        return False
    weights = state.get("model")
    return isinstance(weights, dict) and all(isinstance(w, Tensor) for w in weights.values())


def first_keys(keys: set[str]) -> str:
    """Return the first few keys in words, and how many more there are."""
    shown = ", ".join(sorted(keys)[:SHOWN_KEYS])
    return f"{shown} and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else shown


def _unwritable(path: Path, error: Exception) -> AttncliError:
    return AttncliError(
        f"cannot be written ({str(error).splitlines()[0]})",
        where=path,
        remedy="make room or give another --out, then go on with --resume",
    )
