"""Whether outputs are whole, and the same as those of a command that nothing interrupted."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

TIMINGS = frozenset({"seconds", "clips_per_sec", "images_per_sec", "wait_percent", "waited"})
"""Columns of `log.csv` and values of a checkpoint that say how long something took."""
NOT_COMPARED = ("environment.json", "tensorboard")


def differences(output: Path, reference: Path) -> Iterator[str]:
    """Yield what is other in a final output than in that of an uninterrupted command."""
    own, expected = _names(output), _names(reference)
    for name in sorted(expected - own):
        yield f"{name} is missing"
    for name in sorted(own - expected):
        yield f"{name} is there too"
    for name in sorted(own & expected):
        if not _is_same(output / name, reference / name):
            yield f"{name} differs"
    for path in output.rglob(".*"):
        yield f"left behind: {path.relative_to(output)}"


def broken(output: Path) -> Iterator[str]:
    """Yield files below their final names that are not whole, such as after a kill."""
    for name in sorted(_names(output)):
        try:
            _read(output / name)
        except FileNotFoundError:
            continue
        except Exception as error:
            yield f"{name} is not whole ({type(error).__name__}: {error})"


def _names(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not any(part in NOT_COMPARED for part in path.relative_to(folder).parts)
    }


def _is_same(one: Path, other: Path) -> bool:
    if one.name == "log.csv":
        return _untimed_rows(one) == _untimed_rows(other)
    if one.name == "last.pt":
        loaded = (torch.load(path, weights_only=True) for path in (one, other))
        return _is_same_value(*loaded)
    return one.read_bytes() == other.read_bytes()


def _untimed_rows(path: Path) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    return [{k: v for k, v in row.items() if k not in TIMINGS} for row in rows]


def _is_same_value(one: Any, other: Any) -> bool:
    """Compare what checkpoints hold, to the last bit, but for times."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        keys = one.keys() - TIMINGS
        same = keys == other.keys() - TIMINGS
        return same and all(_is_same_value(one[key], other[key]) for key in keys)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_is_same_value, one, other))
    return bool(one == other) or str(one) == str(other) == "nan"


def _read(path: Path) -> None:
    """Read a file to its end as what its name says it is."""
    if path.suffix in READERS:
        READERS[path.suffix](path)


def _read_text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        raise ValueError("its last line has no end")
    return text


def _read_lines(path: Path) -> None:
    for line in _read_text(path).splitlines():
        json.loads(line)


def _read_checkpoint(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise ValueError("a part is damaged")


def _read_weights(path: Path) -> None:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    if len(data) != 8 + size + max(ends):
        raise ValueError("it is shorter than it says")


def _read_archive(path: Path) -> None:
    with np.load(path) as archive:
        for name in archive.files:
            archive[name]


def _read_image(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


READERS: dict[str, Callable[[Path], object]] = {
    ".json": lambda path: json.loads(_read_text(path)),
    ".jsonl": _read_lines,
    ".pt": _read_checkpoint,
    ".safetensors": _read_weights,
    ".npy": np.load,
    ".npz": _read_archive,
    ".png": _read_image,
    ".csv": _read_text,
    ".toml": _read_text,
}
"""What reads files of a suffix to their ends, and raises where they are cut short."""
