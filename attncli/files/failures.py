"""`failures.jsonl`: the inputs that could not be used, one JSON object a line."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from attncli.errors import Failure
from attncli.files.atomic import write_text


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write one line a failure, sorted by id, each once; remove the file where there is none."""
    ordered = sorted(set(failures), key=lambda failure: (failure.id, failure.path, failure.error))
    lines = [json.dumps(asdict(failure), ensure_ascii=False) for failure in ordered]
    if lines:
        write_text(path, "\n".join(lines) + "\n")
    else:
        path.unlink(missing_ok=True)


def read_failures(path: Path) -> list[Failure]:
    """Return the failures written at `path`; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return [Failure(**json.loads(line)) for line in lines]
