"""Which clips are worth editing: misclassified training clips of the classes that are weak.

ST-ABN (sections 4.1 and 4.3) takes the eight classes whose accuracy is below 50 % on training and
validation split alike. A class passes that rule when the better of its two accuracies does, so this
is what classes are ranked by: the weakest are those that pass first as the bar rises.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from attncli.config.edit_temporal import SelectConfig
from attncli.errors import AttncliError


@dataclass(frozen=True)
class Mistake:
    """A training clip that was taken for another class."""

    id: str
    """The video's id in its dataset."""
    label: str
    """Name of its class."""
    predicted: str
    """Name of the class the network answered with."""


@dataclass(frozen=True)
class WeakClass:
    """A class the network often fails to recognise."""

    name: str
    """Its name."""
    train_accuracy: float
    """Share of its training clips that are recognised, in percent."""
    val_accuracy: float
    """Share of its validation clips that are recognised, in percent."""
    mistakes: tuple[Mistake, ...]
    """Its misclassified training clips, in the order of the dataset."""


def weak_classes(
    train: pd.DataFrame, val: pd.DataFrame, classes: Sequence[str], config: SelectConfig
) -> list[WeakClass]:
    """Return the weak classes, the weakest first, with the clips to edit.

    Classes are ranked by the better of their accuracies on the two splits, then by the other one,
    then in their own order. One without a labelled clip in either split has no rank.

    Args:
        train: `id`, `label` and `predicted` of every training clip.
        val: The same of the validation split, of the same network.
        classes: Names of all classes.
        config: Which of them are weak, and how many clips to take.

    Raises:
        AttncliError: No class is weak, or none that is has a misclassified training clip.
    """
    ranked = _ranked(train, val, classes)
    weak = ranked.head(config.weakest_classes or len(ranked))
    if config.weakest_classes is None:
        weak = ranked[ranked["better"] < config.below_percent]
    if weak.empty:
        raise AttncliError(
            f"no class is recognised in less than {config.below_percent:g} % of the clips of both"
            " splits",
            where=config.run,
            remedy="raise --below-percent, or pass --weakest-classes",
        )
    mistakes = _mistakes(train)
    found = [
        WeakClass(str(name), float(row["train"]), float(row["val"]), mistakes.get(str(name), ()))
        for name, row in weak.iterrows()
    ]
    if not any(row.mistakes for row in found):
        raise AttncliError(
            "recognises every training clip of the weakest classes",
            where=config.run,
            remedy="raise --weakest-classes; where all are recognised there is nothing to edit",
        )
    return found if config.max_clips is None else _in_turn(found, config.max_clips)


def _ranked(train: pd.DataFrame, val: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    accuracy = pd.DataFrame({"train": _accuracy(train), "val": _accuracy(val)}, index=[*classes])
    accuracy = accuracy.dropna()
    best_and_worst = {"better": accuracy.max(axis=1), "worse": accuracy.min(axis=1)}
    return accuracy.assign(**best_and_worst).sort_values([*best_and_worst], kind="stable")


def _accuracy(answers: pd.DataFrame) -> "pd.Series[float]":
    """Return the share of recognised clips by class, in percent."""
    right = answers["label"] == answers["predicted"]
    return 100 * right.groupby(answers["label"]).mean()


def _mistakes(answers: pd.DataFrame) -> dict[str, tuple[Mistake, ...]]:
    """Return the misclassified clips by class, each in the order of the table."""
    wrong = answers[answers["label"] != answers["predicted"]]
    return {
        str(label): tuple(Mistake(*row) for row in rows.itertuples(index=False))
        for label, rows in wrong[["id", "label", "predicted"]].groupby("label")
    }


def _in_turn(classes: Sequence[WeakClass], most: int) -> list[WeakClass]:
    """Return the classes with `most` clips between them, taken from one after the other."""
    turns = sorted(
        (turn, c) for c, weak in enumerate(classes) for turn in range(len(weak.mistakes))
    )
    taken = Counter(c for _, c in turns[:most])
    return [replace(weak, mistakes=weak.mistakes[: taken[c]]) for c, weak in enumerate(classes)]
