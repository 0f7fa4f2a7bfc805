"""Files of tensors, torch's own and `.safetensors`, read without running code."""

import pickle
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import torch
from safetensors.torch import load_file

from attncli.errors import AttncliError


def read_tensors(path: Path, *, remedy: str) -> Any:
    """Return what a file holds: a mapping of tensors, or what torch saved besides them.

    Args:
        path: File to read; by its suffix `.safetensors` or one of torch's.
        remedy: What to do where there is no such file, or another kind of file.

    Raises:
        AttncliError: There is no such file, it is damaged, or it holds code.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with catch_warnings(action="ignore"):  # about old pickles, which are then refused
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise AttncliError("no such file", where=path, remedy=remedy) from None
    except pickle.UnpicklingError as error:
        raise AttncliError(
            "refused, as it holds code or is no checkpoint", where=path, remedy=remedy
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> AttncliError:
    """Return the error to show for a file of tensors that some other error shows to be damaged."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return AttncliError(f"cannot be read ({reason})", where=path, remedy="copy or make it anew")
