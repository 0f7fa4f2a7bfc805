"""`made.json` of an evaluation: what its answers follow from, and the files that were written.

By it a later call sees that there is nothing to do: the same weights were asked about the same
samples in the same way, and every file is still there.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.atomic import write_text
from attncli.files.text import parse_json, read_text

FORMAT_VERSION = 1
MADE = "made.json"
"""Name of the file in the directory of an evaluation."""
REMEDY = "remove it; `attncli eval` then evaluates anew"


def write_made(directory: Path, made_from: str) -> None:
    """Say what the evaluation in a directory, now complete, was made from.

    Args:
        directory: The evaluation.
        made_from: Hash of everything its answers follow from.
    """
    sizes = {name: (directory / name).stat().st_size for name in _files(directory)}
    content = {"format_version": FORMAT_VERSION, "made_from": made_from, "bytes": sizes}
    write_text(directory / MADE, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def is_made_from(directory: Path, made_from: str) -> bool:
    """Return whether a directory holds an evaluation made from just that, all files in place.

    Raises:
        AttncliError: What is said of it cannot be read.
    """
    path = directory / MADE
    if not path.is_file():
        return False
    content = parse_json(read_text(path, remedy=REMEDY), where=path, remedy=REMEDY)
    if not isinstance(content, dict) or not isinstance(content.get("bytes"), dict):
        raise AttncliError("holds no evaluation", where=path, remedy=REMEDY)
    if (content.get("format_version"), content.get("made_from")) != (FORMAT_VERSION, made_from):
        return False
    return all(_size(directory / name) == size for name, size in content["bytes"].items())


def _files(directory: Path) -> Iterator[str]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
