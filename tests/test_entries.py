from dataclasses import FrozenInstanceError

import pytest

from attncli.entries import Command, Task


def test_a_task_of_a_network_is_scored_by_asking_it():
    task = Task(train="a:b", figure="c:d")
    assert task.evaluate == "attncli.workflows.evaluate.networks:evaluate_runs"
    assert (task.source, task.evaluation, task.watch) == (None, None, None)


def test_rows_cannot_be_changed():
    row = Command("train", "Train.", "attncli.commands.train")
    assert not row.is_group
    with pytest.raises(FrozenInstanceError):
        row.name = "drill"
