"""`failures.jsonl`: the inputs that could not be used, one JSON object a line."""

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.text import lines_of, parse_json, read_text

FAILURES = "failures.jsonl"
"""Name of the file in an output directory."""
REMEDY = "write it anew with the command that wrote it"


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write one line a failure, sorted by id, each once; remove the file where there is none."""
    ordered = sorted(set(failures), key=lambda failure: (failure.id, failure.path, failure.error))
    lines = [json.dumps(asdict(failure), ensure_ascii=False) + "\n" for failure in ordered]
    if not lines:
        path.unlink(missing_ok=True)
        return
    write_text(path, "".join(lines))


def read_failures(path: Path) -> list[Failure]:
    """Return the failures written at `path`; none where there is no such file.

    Raises:
        AttncliError: A line is no failure; the message names it.
    """
    if not path.exists():
        return []
    lines = enumerate(lines_of(read_text(path, remedy=REMEDY)), start=1)
    return [_failure(line, where=f"{path}, line {number}") for number, line in lines]


def _failure(line: str, *, where: str) -> Failure:
    content = parse_json(line, where=where, remedy=REMEDY)
    names = [field.name for field in fields(Failure)]
    if not isinstance(content, dict) or sorted(content) != sorted(names):
        what = f"expected an object with {', '.join(names)}"
        raise AttncliError(what, where=where, remedy=REMEDY)
    return Failure(**{name: str(value) for name, value in content.items()})
