"""What an evaluation was made from, to know whether a new one would answer the same."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any

from attncli import __version__
from attncli.config.toml import dump
from attncli.files.evaluations import MADE, is_made_from
from attncli.files.failures import FAILURES, read_failures
from attncli.files.hashes import sha256_of
from attncli.files.metrics import read_metrics
from attncli.reporting import Outcome, Row
from attncli.workflows.evaluate.trial import Trial

WITHOUT_EFFECT = ("workers = ", "device = ", "compile = ")
"""How lines of settings begin that change nothing in an answer but its last bits."""


def made_from(trial: Trial) -> str:
    """Return a hash of all that the answers of a trial follow from.

    That is the weights, the samples of the split (names, labels, and size and time of their files),
    how they are read, and the version of attncli.
    """
    digest = hashlib.sha256()
    told = (
        __version__,
        sha256_of(trial.weights),
        trial.run.method,
        trial.split,
        replace(trial.asked(), samples=()),
        sorted(trial.differing.items()),
    )
    digest.update(repr(told).encode())
    settings = dump(trial.config).splitlines()
    kept = [line for line in settings if not line.startswith(WITHOUT_EFFECT)]
    digest.update("\n".join(kept).encode())
    for sample in trial.dataset.samples:
        digest.update(repr((_without_sets(sample), *map(_stamp, _paths(sample)))).encode())
    return digest.hexdigest()


def stands(directory: Path, origin: str) -> bool:
    """Return whether the evaluation in a directory need not be made anew.

    It has the origin and every sample was read: what failed once may succeed now.
    """
    return is_made_from(directory, origin) and not read_failures(directory / FAILURES)


def earlier_outcome(directory: Path) -> Outcome:
    """Return the row of an evaluation in which every sample was read."""
    row: Row = read_metrics(directory / "metrics.json")
    return Outcome(rows=[row])


def keep_others(earlier: Path, new: Path, row: Row) -> Row:
    """Put what only the earlier of two evaluations of the same answers has beside the new one.

    Args:
        earlier: The evaluation that is there.
        new: Directory that will replace it.
        row: Figures of the new one.

    Returns:
        Its figures, with those that only the earlier one has after them.
    """
    for path in sorted(earlier.rglob("*")):
        copy = new / path.relative_to(earlier)
        if path.is_file() and path.name != MADE and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    before = earlier_outcome(earlier).rows[0]
    return {**row, **{key: value for key, value in before.items() if key not in row}}


def _without_sets(sample: Any) -> Iterable[Any]:
    """Return what is known of a sample, sets in an order that is always the same."""
    return [sorted(v) if isinstance(v, frozenset) else v for v in astuple(sample)]


def _paths(sample: Any) -> Iterator[Path]:
    for field in fields(sample):
        value = getattr(sample, field.name)
        held = value if isinstance(value, tuple) else (value,)
        yield from (one for one in held if isinstance(one, Path))


def _stamp(path: Path) -> object:
    """Return size and time of a file, or of all files of a directory; None where it is missing."""
    try:
        if path.is_dir():
            with os.scandir(path) as entries:
                return sorted((entry.name, *_of(entry.stat())) for entry in entries)
        return _of(path.stat())
    except OSError:
        return None


def _of(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
