"""How far a training has come, as its files tell without a look at its weights."""

import csv
from dataclasses import dataclass
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.runs import RunDirectory
from attncli.files.text import lines_of, read_text

REMEDY = "train the run anew, or remove it"


@dataclass(frozen=True)
class Progress:
    """How far a training has come."""

    epochs: int | None
    """Epochs done; None of an estimator, which is fitted at once."""
    is_complete: bool
    """Whether the weights of the last one are there."""


def progress_of(run: RunDirectory, asked: int | None) -> Progress:
    """Return how far a training has come.

    Args:
        run: Where its files are; none of them need exist.
        asked: Epochs it is to have; None of an estimator.

    Raises:
        AttncliError: Its log is damaged.
    """
    has_weights = run.weights_path.is_file()
    if asked is None:
        return Progress(None, has_weights)
    done = epochs_done(run.log_path)
    return Progress(done, has_weights and done >= asked)


def epochs_done(log: Path) -> int:
    """Return the last epoch in a log; 0 where there is none yet.

    Raises:
        AttncliError: The log is damaged.
    """
    if not log.exists():
        return 0
    rows = list(csv.DictReader(lines_of(read_text(log, remedy=REMEDY))))
    try:
        return int(rows[-1]["epoch"]) if rows else 0
    except (KeyError, TypeError, ValueError) as error:
        raise AttncliError("is not the log of a training", where=log, remedy=REMEDY) from error
