"""Weights of detectors: read without running code, and accounted for key by key."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from attncli.backbones.weights import read_state
from attncli.errors import AttncliError
from attncli.files.tensors import require_same_kind

SHOWN_KEYS = 2
NEVER_LEARNED = ("num_batches_tracked", "pixel_mean", "pixel_std", "cell_anchors")
"""Keys that some versions of the libraries save and others do not; inference needs none of them."""
ARRAY_PARTS = {
    ("collections", "OrderedDict"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    ("_codecs", "encode"),
}
"""All that a pickle of arrays names; one that names anything else is refused."""


def read_detector(path: Path) -> Mapping[str, Tensor]:
    """Return the state-dict in `path`: a checkpoint, or a pickle of arrays (detectron2's zoo).

    Raises:
        AttncliError: There is no such file, it is damaged, or it holds more than tensors.
    """
    if path.suffix != ".pkl" or not path.exists():
        return read_state(path)
    try:
        with path.open("rb") as file:
            content = _ArraysOnly(file, encoding="latin1").load()
        return {key: torch.as_tensor(value) for key, value in content["model"].items()}
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        raise AttncliError(
            f"refused, as it is not a pickle of arrays ({error})",
            where=path,
            remedy="check --weights",
        ) from error


def load_exactly(model: nn.Module, state: Mapping[str, Tensor], *, where: str) -> None:
    """Put `state` into `model`, all of it and nothing less.

    Raises:
        AttncliError: A key is missing, unknown, or of another shape; the first few are named.
    """
    try:
        keys = model.load_state_dict(state, strict=False)
        problems = [
            f"{kind}: {_first(names)}"
            for kind, all_names in (
                ("missing", keys.missing_keys),
                ("unexpected", keys.unexpected_keys),
            )
            if (names := [n for n in all_names if not any(part in n for part in NEVER_LEARNED)])
        ]
    except RuntimeError as error:  # a key of another shape
        problems = str(error).splitlines()[1:2]
    if problems:
        raise AttncliError(
            f"the weights are of another model ({'; '.join(problems).strip()})",
            where=where,
            remedy="pass --model with the weights' own architecture",
        )
    require_same_kind(model.state_dict(), state, where=where, remedy="use other weights")


class _ArraysOnly(pickle.Unpickler):
    """Refuses every pickle that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)


def _first(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_KEYS])
    return shown if len(names) <= SHOWN_KEYS else f"{shown} and {len(names) - SHOWN_KEYS} more"
