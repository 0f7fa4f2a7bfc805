"""`metrics.json`: the figures of one run on one split, and which weights they are of."""

import json
from collections.abc import Mapping
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.atomic import write_text
from attncli.files.hashes import sha256_of
from attncli.files.text import parse_json, read_text

FORMAT_VERSION = 1
REMEDY = "write it anew with `attncli eval`"

WEIGHTS = "weights_sha256"
Figure = str | int | float | None


def write_metrics(
    path: Path, metrics: Mapping[str, Figure], *, weights: Path | None = None
) -> None:
    """Write figures by name; None stands for a figure that does not exist.

    Args:
        path: File to write.
        metrics: The figures.
        weights: File whose weights they are of, whose hash is kept beside them.

    Raises:
        ValueError: A figure is not finite, which JSON cannot say.
    """
    of = {} if weights is None else {WEIGHTS: sha256_of(weights)}
    content = {"format_version": FORMAT_VERSION, **metrics, **of}
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def are_of(path: Path, weights: Path) -> bool:
    """Return whether the figures at `path` are known to be of the weights in a file.

    Raises:
        AttncliError: There is no metrics file.
    """
    return _read(path).get(WEIGHTS) == sha256_of(weights)


def read_metrics(path: Path) -> dict[str, Figure]:
    """Return the figures at `path`, without the format's version and the weights' hash.

    Raises:
        AttncliError: The file is no metrics file, or one of a later format.
    """
    return {name: value for name, value in _read(path).items() if name != WEIGHTS}


def _read(path: Path) -> dict[str, Figure]:
    content = parse_json(read_text(path, remedy=REMEDY), where=path, remedy=REMEDY)
    if not isinstance(content, dict) or content.pop("format_version", None) != FORMAT_VERSION:
        raise AttncliError(
            f"its format_version must be {FORMAT_VERSION}",
            where=path,
            remedy=REMEDY,
        )
    for name, value in content.items():
        if not isinstance(value, Figure):
            raise AttncliError(f"{name} must be a number or text", where=path, remedy=REMEDY)
    return content
