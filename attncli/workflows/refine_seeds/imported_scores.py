"""Scores as programs of others keep them, with classes as label maps number them.

    cam        {class: map} (PSA) or {"keys": classes, "high_res": maps} (IRN), classes from 0
    walk, crf  {0: background, class + 1: map} (PSA)
    all        maps alone, of the classes that the image shows, the background before them

A dictionary does not say from where its keys count; the image's labels do.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64

from attncli.config.import_seeds import Kind

DRIFT = 1e-3
"""How far a score may lie outside [0, 1] by 256 steps of a walk in single precision."""
BACKGROUND = 0


class UnfitError(ValueError):
    """What a file holds cannot be the scores of its image; the text says why."""


@dataclass(frozen=True)
class Imported:
    """Scores of an image's classes."""

    classes: Int64[np.ndarray, " k"]
    """The classes as label maps number them, in rising order."""
    scores: Float32[np.ndarray, "k h w"]
    """Their scores, in [0, 1]."""


def imported(
    content: Any,
    *,
    kind: Kind,
    shown: Set[int] | None,
    n_classes: int,
    size_hw: tuple[int, int],
) -> Imported:
    """Return the scores that a file holds.

    Args:
        content: What it holds, of any kind.
        kind: What it is said to hold.
        shown: Positions in the dataset's classes of what the image shows; None where that is not
            known.
        n_classes: Classes of the dataset.
        size_hw: Rows and columns of the image.

    Raises:
        UnfitError: It holds something else, or scores of another image, or it cannot be told which
            classes they are of.
    """
    maps: Sequence[Any] | np.ndarray
    if isinstance(content, np.ndarray):
        keys, maps = (
            _expected_keys(len(content) if content.ndim == 3 else None, kind, shown),
            content,
        )
    elif isinstance(content, Mapping):
        keys, maps = _keys_and_maps(content, kind)
        _require_base(keys, kind, shown, n_classes)
    else:
        raise UnfitError(f"holds a {type(content).__name__}, neither a dictionary nor an array")
    order = sorted(range(len(keys)), key=keys.__getitem__)
    classes = np.array([keys[n] for n in order], dtype=np.int64) + (kind == "cam")
    scores = [_map(maps[n], size_hw) for n in order]
    return Imported(classes, np.stack(scores) if scores else np.zeros((0, *size_hw), np.float32))


def _expected_keys(n_maps: int | None, kind: Kind, shown: Set[int] | None) -> list[int]:
    """Return the keys that an array's maps would have in a dictionary."""
    if n_maps is None:
        raise UnfitError("holds an array that is not of maps, rows and columns")
    if shown is None:
        raise UnfitError("holds maps alone, and it is not known which classes the image shows")
    keys = sorted(shown) if kind == "cam" else [BACKGROUND, *(1 + index for index in sorted(shown))]
    if n_maps != len(keys):
        ground = "" if kind == "cam" else ", and of the background"
        raise UnfitError(f"holds {n_maps} maps, not {len(keys)}: of each class shown{ground}")
    return keys


def _keys_and_maps(
    content: Mapping[Any, Any], kind: Kind
) -> tuple[list[int], Sequence[Any] | np.ndarray]:
    """Return the keys of a dictionary of PSA or IRN, and the map of each."""
    if "keys" not in content:
        return [_integer(key) for key in content], list(content.values())
    if "high_res" not in content:
        raise UnfitError("has keys, but no maps called high_res")
    if kind != "cam":
        raise UnfitError(f"holds class activation maps of IRN, not {kind}: pass --kind cam")
    keys, maps = [_integer(key) for key in _array(content["keys"])], _array(content["high_res"])
    if len(keys) != len(maps) or len(set(keys)) != len(keys):
        raise UnfitError(f"has {len(set(keys))} different keys for {len(maps)} maps")
    return keys, maps


def _integer(key: Any) -> int:
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return int(key)
    raise UnfitError(f"has the key {key!r}, which is not the number of a class")


def _array(values: Any) -> np.ndarray:
    """Return an array of an array or a tensor.

    Raises:
        UnfitError: It is neither, or but a single number.
    """
    array = values.numpy() if isinstance(values, torch.Tensor) else values
    if not isinstance(array, np.ndarray) or array.ndim == 0:
        raise UnfitError(f"holds a {type(values).__name__} in the place of an array")
    return array


def _require_base(keys: Sequence[int], kind: Kind, shown: Set[int] | None, n_classes: int) -> None:
    """Make sure that keys count from where those of a kind do, and are of classes shown.

    Raises:
        UnfitError: They do not, are not, or may count from either.
    """
    own, other = ("cam", "walk") if kind == "cam" else ("walk", "cam")
    fits, is_all = _fits(keys, shown, n_classes)
    if is_all[own] or (fits[own] and not fits[other]):
        return
    if fits[other] and (is_all[other] or not fits[own]):
        told, remedy = ("first class", "walk or crf") if own == "cam" else ("background", "cam")
        what = f"the keys {_named(keys)} do not count from the {told}, as those of {kind} do"
        raise UnfitError(f"{what}; pass --kind {remedy}")
    if fits[own]:
        unknown = " and what the image shows is not known" if shown is None else ""
        what = f"the keys {_named(keys)} may count from the background or from the first class"
        raise UnfitError(f"{what}{unknown}, so that they cannot be told apart")
    raise UnfitError(_why_unfit(keys, own == "walk", shown, n_classes))


def _fits(
    keys: Sequence[int], shown: Set[int] | None, n_classes: int
) -> tuple[dict[str, bool], dict[str, bool]]:
    """Return whether keys can be those of a CAM or a walk, and whether they are all of these."""
    classes = frozenset(range(n_classes)) if shown is None else frozenset(shown)
    found, of_walk = frozenset(keys), {BACKGROUND, *(index + 1 for index in classes)}
    fits = {"cam": found <= classes, "walk": found <= of_walk and BACKGROUND in found}
    is_known = shown is not None
    return fits, {"cam": is_known and found == classes, "walk": is_known and found == of_walk}


def _why_unfit(
    keys: Sequence[int], with_background: bool, shown: Set[int] | None, n_classes: int
) -> str:
    """Return what is wrong with keys that count from where they should."""
    for key in sorted(keys):
        index = key - with_background
        if not -int(with_background) <= index < n_classes:
            return f"has a map of key {key}, a class that the dataset lacks"
        if index >= 0 and shown is not None and index not in shown:
            return f"has a map of key {key}, a class that the image's labels lack"
    return f"the keys {_named(keys)} lack 0, the background's"


def _named(keys: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(keys))) or "(none)"


def _map(values: Any, size_hw: tuple[int, int]) -> Float32[np.ndarray, "h w"]:
    """Return one map, in [0, 1].

    Raises:
        UnfitError: It is of another size than the image, or holds no scores.
    """
    array = _array(values)
    if array.dtype.kind != "f":
        raise UnfitError(f"holds {array.dtype} in the place of scores")
    if array.shape != size_hw:
        found = "x".join(map(str, array.shape[::-1]))
        raise UnfitError(f"has a map of {found}, its image is {size_hw[1]}x{size_hw[0]}")
    is_score = (array >= -DRIFT) & (array <= 1 + DRIFT)  # NaN is not
    if not is_score.all():
        raise UnfitError(f"a score is {array[~is_score][0]:g}, they are in [0, 1]")
    return np.clip(array.astype(np.float32), 0, 1)
