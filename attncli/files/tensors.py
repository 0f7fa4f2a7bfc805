"""Files of tensors, torch's own and `.safetensors`, read without running code."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import torch
from safetensors.torch import load_file
from torch import Tensor

from attncli.errors import AttncliError, reason


def read_tensors(path: Path, *, remedy: str) -> Any:
    """Return what a file holds: a mapping of tensors, or what torch saved besides them.

    Args:
        path: File to read; by its suffix `.safetensors` or one of torch's.
        remedy: What to do where there is no such file, or another kind of file.

    Raises:
        AttncliError: There is no such file, it is damaged, or it holds code.
    """
    try:
        path.open("rb").close()  # safetensors takes a file it may not read for none
        if path.suffix == ".safetensors":
            return load_file(path)
        with catch_warnings(action="ignore"):  # about old pickles, which are then refused
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise AttncliError("no such file", where=path, remedy=remedy) from None
    except PermissionError:
        raise AttncliError("permission denied", where=path, remedy="change its rights") from None
    except pickle.UnpicklingError as error:
        raise AttncliError(
            "refused, as it holds code or is not a checkpoint", where=path, remedy=remedy
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        raise unreadable(path, error) from error


def require_same_kind(
    own: Mapping[str, Tensor], weights: Mapping[str, Tensor], *, where: Path | str, remedy: str
) -> None:
    """Make sure that weights are numbers of the kind a network has, all of them finite.

    Floats of another width are one kind; integers in the place of floats are codes of quantised
    weights, which mean nothing by themselves.

    Args:
        own: The network's tensors by their keys.
        weights: Those to take their place; only keys of both are looked at.
        where: File they come from.
        remedy: What to do where they cannot be used.

    Raises:
        AttncliError: A tensor is of another kind or holds a value that is not finite; it is named.
    """
    for key in own.keys() & weights.keys():
        mine, other = own[key], weights[key]
        if (mine.is_floating_point(), mine.is_complex(), mine.dtype == torch.bool) != (
            other.is_floating_point(),
            other.is_complex(),
            other.dtype == torch.bool,
        ):
            what = f"{key} is of {other.dtype}, not of {mine.dtype}".replace("torch.", "")
            raise AttncliError(what, where=where, remedy=remedy)
        if other.is_floating_point() and not torch.isfinite(other).all():
            what = f"{key} holds a value that is not finite"
            raise AttncliError(what, where=where, remedy=remedy)


def unreadable(path: Path, error: Exception) -> AttncliError:
    """Return the error to show for a file of tensors that some other error shows to be damaged."""
    why = "it is damaged, or holds no tensors"
    if isinstance(error, MemoryError):
        why = "it is too large for the memory"
    elif isinstance(error, OSError):
        why = reason(error)
    return AttncliError(f"cannot be read ({why})", where=path, remedy="copy or make it anew")
