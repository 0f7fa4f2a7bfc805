import time

import pytest

from attncli.workflows.train.following import Follower, followed
from tests.support.reporters import Told

EPOCH = "fold 2: epoch 1/3  loss 0.412  train 88.1"


@pytest.fixture
def log(tmp_path):
    """Return a function that adds text to a log, and the log's path."""
    path = tmp_path / "fold02.txt"

    def add(text):
        with path.open("a") as file:
            file.write(text)

    return add, path


def test_lines_about_epochs_are_said_once_and_others_stay_in_the_log(log):
    add, path = log
    told = Told()
    follower = Follower([path], told)
    follower.look()  # there is no log yet
    add(f"some note\nfold 2: training convlstm on cpu (1 thread)\n{EPOCH}\n")
    follower.look()
    follower.look()
    assert told.notes == ["fold 2: training convlstm on cpu (1 thread)", EPOCH]


def test_a_line_waits_until_it_is_whole(log):
    add, path = log
    told = Told()
    follower = Follower([path], told)
    add(EPOCH[:20])
    follower.look()
    assert told.notes == []
    add(EPOCH[20:] + "\nfold 2: ep")
    follower.look()
    add("och 2/3  loss 0.4\n")
    follower.look()
    assert told.notes == [EPOCH, "fold 2: epoch 2/3  loss 0.4"]


def test_what_a_log_held_before_was_said_before(log):
    add, path = log
    add(f"{EPOCH}\n")
    told = Told()
    Follower([path], told).look()
    assert told.notes == []


def test_bars_of_progress_are_no_lines_of_epochs(log):
    add, path = log
    told = Told()
    follower = Follower([path], told)
    add("fold 2: epoch 1/3: 30/90 steps, 1.2 s/step, 0:01:12 left, loss 0.4\n")
    follower.look()
    assert told.notes == []


def test_all_is_said_when_it_ends_even_by_an_error(log):
    add, path = log
    told = Told()
    with pytest.raises(ZeroDivisionError), followed([path], told):
        add(f"{EPOCH}\n")
        _ = 1 / 0
    assert told.notes == [EPOCH]


def test_lines_are_said_while_others_work(log):
    add, path = log
    told = Told()
    with followed([path], told):
        add(f"{EPOCH}\n")
        end = time.monotonic() + 60
        while not told.notes and time.monotonic() < end:
            time.sleep(0.05)
        assert told.notes == [EPOCH]
