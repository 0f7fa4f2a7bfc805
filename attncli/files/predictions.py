"""`predictions.csv`: what a model answered to each clip.

Columns: id, label (empty where the dataset gives none), predicted, then one column a class, named
after it, with its probability (softmax of the class scores).
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32

from attncli.errors import AttncliError
from attncli.files.arrays import require_unit_range
from attncli.files.atomic import ESCAPED, replacing
from attncli.files.tables import read_cells

COLUMNS = ("id", "label", "predicted")
REMEDY = "write it anew with `attncli eval`"


@dataclass(frozen=True)
class Predictions:
    """A model's answers, one row a clip."""

    ids: Sequence[str]
    """The samples' ids."""
    labels: Sequence[str]
    """Names of their classes; empty where the dataset gives none."""
    predicted: Sequence[str]
    """Names of the most probable classes."""
    classes: Sequence[str]
    """Names of all classes, in the order of the columns."""
    probabilities: Float32[np.ndarray, "n k"]
    """Probability of each class, in [0, 1]."""


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Return the answers of several networks that know the same classes, one after the other."""
    return Predictions(
        ids=[*chain.from_iterable(part.ids for part in parts)],
        labels=[*chain.from_iterable(part.labels for part in parts)],
        predicted=[*chain.from_iterable(part.predicted for part in parts)],
        classes=parts[0].classes,
        probabilities=np.concatenate([part.probabilities for part in parts]),
    )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write one line a clip; float32 probabilities survive the way to the file and back."""
    answers = zip(predictions.ids, predictions.labels, predictions.predicted, strict=True)
    lines = zip(answers, predictions.probabilities.astype(str).tolist(), strict=True)
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors=ESCAPED, newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *predictions.classes])
        writer.writerows([*answer, *probabilities] for answer, probabilities in lines)


def read_predictions(path: Path) -> Predictions:
    """Return what `write_predictions` wrote.

    Raises:
        AttncliError: The file is no predictions file.
    """
    table = read_cells(path, remedy=REMEDY)
    header, lines = _header(table, path), table.iloc[1:]
    try:
        probabilities = lines.iloc[:, len(COLUMNS) :].to_numpy(dtype=np.float32)
    except ValueError as error:
        value = str(error).rpartition(": ")[2]
        what = f"is not a table of predictions (probability {value} is not a number)"
        raise AttncliError(what, where=path, remedy=REMEDY) from error
    require_unit_range(probabilities, what="probabilities are", where=path, remedy=REMEDY)
    ids, labels, predicted = (lines[column].tolist() for column in range(len(COLUMNS)))
    return Predictions(ids, labels, predicted, header[len(COLUMNS) :], probabilities)


def read_answers(path: Path) -> pd.DataFrame:
    """Return `id`, `label` and `predicted` of what `write_predictions` wrote, all of them text.

    Without the probabilities, those of hundreds of thousands of clips are read in seconds.

    Raises:
        AttncliError: The file is no predictions file.
    """
    answers = read_cells(path, columns=range(len(COLUMNS)), remedy=REMEDY)
    _header(answers, path)
    return answers.iloc[1:].set_axis(COLUMNS, axis="columns").reset_index(drop=True)


def _header(table: pd.DataFrame, path: Path) -> list[str]:
    header = table.iloc[0].tolist() if len(table) else []
    if tuple(header[: len(COLUMNS)]) != COLUMNS:
        what = f"columns {', '.join(COLUMNS)} are expected first"
        raise AttncliError(what, where=path, remedy=REMEDY)
    return header
