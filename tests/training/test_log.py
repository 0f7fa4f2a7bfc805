import csv
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from attncli.files.runs import RunDirectory
from attncli.training.log import Log, LogRow

ROWS: list[LogRow] = [
    {"epoch": 1, "step": 2, "loss": 0.75, "val_top1": None},
    {"epoch": 2, "step": 4, "loss": 0.1 + 0.2, "val_top1": 50.0},
]
OpenLog = Callable[..., Log]


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "run")


@pytest.fixture
def open_log(directory: RunDirectory) -> Iterator[OpenLog]:
    """Returns a function that opens the log of the run; it is closed in the end."""
    with ExitStack() as stack:
        yield lambda rows=(), step=0: stack.enter_context(closing(Log(directory, rows, step)))


def points(directory: RunDirectory, name: str) -> list[tuple[int, float]]:
    """Return the steps and values of a curve."""
    events = EventAccumulator(str(directory.tensorboard_path))
    events.Reload()
    return [(point.step, point.value) for point in events.Scalars(name)]


def curves(directory: RunDirectory) -> list[str]:
    events = EventAccumulator(str(directory.tensorboard_path))
    events.Reload()
    return sorted(events.Tags()["scalars"])


def test_a_log_without_epochs_is_an_empty_file(open_log: OpenLog, directory: RunDirectory) -> None:
    open_log()
    assert directory.log_path.read_bytes() == b""


def test_the_table_is_written_with_empty_cells_for_what_was_not_measured(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    open_log(ROWS[:1])
    expected = b"epoch,step,loss,val_top1\n1,2,0.75,\n"
    assert directory.log_path.read_bytes() == expected


def test_numbers_survive_the_way_to_the_table_and_back(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    open_log().write_rows(ROWS)
    with directory.log_path.open(newline="") as file:
        found = [
            {name: float(cell) if cell else None for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]
    assert found == ROWS


def test_epochs_that_are_not_given_are_no_longer_in_the_table(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    open_log(ROWS)
    open_log(ROWS[:1], step=2)
    assert len(directory.log_path.read_text().splitlines()) == 2


def test_rows_of_other_columns_are_refused_and_leave_the_table(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    log = open_log(ROWS)
    before = directory.log_path.read_bytes()
    with pytest.raises(ValueError, match="not in fieldnames: 'val_top5'"):
        log.write_rows([*ROWS, {**ROWS[0], "val_top5": 1.0}])
    assert directory.log_path.read_bytes() == before


def test_steps_and_epochs_are_curves_of_their_own(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    log = open_log()
    log.add_step(0, {"loss": 1.0, "lr": 0.5})
    log.add_step(1, {"loss": 0.5, "lr": 0.25})
    log.add_epoch(ROWS, 4)
    assert points(directory, "step/loss") == [(0, 1.0), (1, 0.5)]
    assert points(directory, "step/lr") == [(0, 0.5), (1, 0.25)]
    # The epoch ended with the step before 4.
    assert points(directory, "epoch/val_top1") == [(3, 50.0)]
    assert points(directory, "epoch/loss") == [(3, pytest.approx(0.3))]


def test_an_epoch_adds_a_row_to_the_table_and_is_shown_at_once(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    log = open_log(ROWS[:1], step=2)
    log.add_epoch(ROWS, 4)
    assert len(directory.log_path.read_text().splitlines()) == 3
    assert "epoch/epoch" in curves(directory)  # without closing the log


def test_an_epoch_that_was_not_validated_has_no_point_of_it(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    open_log().add_epoch(ROWS[:1], 2)
    assert curves(directory) == ["epoch/epoch", "epoch/loss", "epoch/step"]


def test_points_from_the_step_on_that_a_log_begins_at_are_taken_anew(
    open_log: OpenLog, directory: RunDirectory
) -> None:
    first = open_log()
    for step in range(5):
        first.add_step(step, {"loss": 1.0})
    first.close()
    # TensorBoard reads files in the order of their names: the second they were begun in, and
    # within one second a counter as text, where 10 comes before 9.
    begun = int(time.time())
    while int(time.time()) == begun:
        time.sleep(0.01)
    again = open_log(step=3)
    again.add_step(3, {"loss": 2.0})
    again.close()
    assert points(directory, "step/loss") == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 2.0)]


def test_what_is_held_back_is_written_when_the_log_closes(directory: RunDirectory) -> None:
    log = Log(directory, [], 0)
    log.add_step(0, {"loss": 0.5})
    log.close()
    assert points(directory, "step/loss") == [(0, 0.5)]
