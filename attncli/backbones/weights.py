"""Initial weights: published ones by name, or a file, with every key accounted for."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from warnings import catch_warnings

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from attncli.errors import AttncliError

SHOWN_KEYS = 3


def load_state(
    model: nn.Module, state: Mapping[str, Tensor], *, where: str, classifier: str
) -> tuple[str, ...]:
    """Put `state` into `model`; only a classifier for another number of classes stays out.

    Args:
        model: Network whose parameters and buffers are overwritten.
        state: One tensor for each of the network's keys.
        where: What to call the source in an error.
        classifier: Prefix of the keys of the last linear layer.

    Returns:
        The keys left as they were: those of the classifier where class counts differ, or none.

    Raises:
        AttncliError: A key is missing, unknown, or of another shape; the first few are named.
    """
    own = model.state_dict()
    shapes = {key: tensor.shape for key, tensor in own.items()}
    differing = {k for k in shapes.keys() & state.keys() if shapes[k] != state[k].shape}
    kept = {key for key in differing if key.startswith(classifier)}
    problems = (
        ("missing", shapes.keys() - state.keys()),
        ("unexpected", state.keys() - shapes.keys()),
        ("of another shape", differing - kept),
    )
    found = [f"{name}: {_first(keys)}" for name, keys in problems if keys]
    if found:
        raise AttncliError(
            f"the weights are of another architecture ({'; '.join(found)})",
            where=where,
            remedy="use weights of the same size, width and depth",
        )
    model.load_state_dict({key: own[key] if key in kept else state[key] for key in own})
    return tuple(sorted(kept))


def read_state(path: Path) -> Mapping[str, Tensor]:
    """Return the state-dict in `path`, bare or under `model_state` or `model`; run no code.

    Raises:
        AttncliError: There is no such file, it is damaged, or it holds more than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with catch_warnings(action="ignore"):  # about old pickles, which are then refused
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise AttncliError("no such file", where=path, remedy="check --weights") from None
    except pickle.UnpicklingError as error:
        raise AttncliError(
            "refused, as it holds code or is no checkpoint",
            where=path,
            remedy="save the bare state-dict with torch.save(model.state_dict(), ...)",
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        reason = (str(error) or "empty").splitlines()[0]
        raise AttncliError(
            f"cannot be read ({reason})", where=path, remedy="copy it anew"
        ) from error
    return _state_in(content, path)


def download_state(url: str) -> Mapping[str, Tensor]:
    """Return the published state-dict at `url`, kept in torch's hub directory afterwards.

    Raises:
        AttncliError: It cannot be fetched.
    """
    try:
        content = torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, weights_only=True
        )
    except (URLError, TimeoutError, ConnectionError) as error:
        raise AttncliError(
            f"cannot be downloaded ({error})",
            where=url,
            remedy="fetch it elsewhere and pass --weights FILE, or start from --weights none",
        ) from error
    return _state_in(content, url)


def _state_in(content: object, where: str | Path) -> Mapping[str, Tensor]:
    found = content if isinstance(content, dict) else {}
    state = found.get("model_state", found.get("model", found))
    tensors = isinstance(state, Mapping) and all(isinstance(v, Tensor) for v in state.values())
    if not state or not tensors:
        raise AttncliError("holds no state-dict", where=where, remedy="check --weights")
    return state


def _first(keys: set[str]) -> str:
    shown = ", ".join(sorted(keys)[:SHOWN_KEYS])
    return f"{shown} and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else shown
