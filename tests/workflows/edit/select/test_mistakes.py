from pathlib import Path

import pandas as pd
import pytest

from attncli.config.edit_temporal import SelectConfig
from attncli.errors import AttncliError
from attncli.workflows.edit.select.mistakes import Mistake, WeakClass, weak_classes

CLASSES = ("A", "B", "C", "D")


def answers(**right_of: tuple[int, int]) -> pd.DataFrame:
    """A table in which so many clips of a class, of so many, are recognised; the others are X."""
    return pd.DataFrame(
        [
            (f"{label}{i}", label, label if i < right else "X")
            for label, (right, total) in right_of.items()
            for i in range(total)
        ],
        columns=["id", "label", "predicted"],
    )


def chosen(train: pd.DataFrame, val: pd.DataFrame, **settings: float) -> list[WeakClass]:
    return weak_classes(train, val, CLASSES, SelectConfig(run=Path("run"), **settings))


def names(classes: list[WeakClass]) -> list[str]:
    return [weak.name for weak in classes]


def test_the_papers_rule_asks_for_less_than_half_on_both_splits() -> None:
    train = answers(A=(1, 4), B=(1, 4), C=(2, 4), D=(0, 4))
    val = answers(A=(1, 3), B=(2, 3), C=(0, 3), D=(1, 3))
    found = chosen(train, val)
    # A and D are at most 33 % on both; B is 67 % on val, C exactly 50 % on train.
    assert names(found) == ["D", "A"]
    assert (found[1].train_accuracy, found[1].val_accuracy) == (25, pytest.approx(100 / 3))
    assert found[1].mistakes == tuple(Mistake(f"A{i}", "A", "X") for i in (1, 2, 3))


def test_the_bar_can_be_moved() -> None:
    table = answers(A=(1, 10), B=(4, 10), C=(6, 10), D=(10, 10))
    assert names(chosen(table, table, below_percent=40.0)) == ["A"]
    assert names(chosen(table, table, below_percent=61.0)) == ["A", "B", "C"]


def test_the_weakest_are_those_that_pass_the_rule_first_as_the_bar_rises() -> None:
    train = answers(A=(9, 10), B=(5, 10), C=(7, 10), D=(6, 10))
    val = answers(A=(0, 10), B=(7, 10), C=(6, 10), D=(8, 10))
    # The better accuracies are 90, 70, 70, 80; of B and C the other one is lower for B.
    assert names(chosen(train, val, weakest_classes=3)) == ["B", "C", "D"]
    assert names(chosen(train, val, weakest_classes=9)) == ["B", "C", "D", "A"]


def test_a_class_without_clips_in_a_split_and_clips_without_a_class_do_not_count() -> None:
    train = answers(A=(0, 2), B=(0, 2))
    train.loc[len(train)] = ["nobody", "", "A"]
    assert names(chosen(train, answers(B=(0, 2), C=(0, 1)))) == ["B"]


def test_clips_are_taken_from_the_classes_in_turn() -> None:
    table = answers(A=(0, 4), B=(0, 1), C=(0, 2))
    found = chosen(table, table, max_clips=5)
    assert [[m.id for m in weak.mistakes] for weak in found] == [["A0", "A1"], ["B0"], ["C0", "C1"]]
    assert sum(len(weak.mistakes) for weak in chosen(table, table, max_clips=99)) == 7


def test_where_no_class_is_weak_the_options_that_help_are_named() -> None:
    table = answers(A=(1, 2), B=(2, 2))
    with pytest.raises(AttncliError, match=r"^run: no class .* 50 % .*--weakest-classes"):
        chosen(table, table)


def test_classes_without_a_misclassified_training_clip_leave_nothing_to_edit() -> None:
    with pytest.raises(AttncliError, match="recognises every training clip"):
        chosen(answers(A=(2, 2), B=(1, 2)), answers(A=(0, 2), B=(2, 2)), weakest_classes=1)
