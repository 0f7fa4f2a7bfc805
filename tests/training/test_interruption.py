import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from attncli.training.interruption import SIGNALS, Interruption, terminated_as_interrupted


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[int]]:
    """Signals that reached whoever listened before, in the order they came."""
    numbers: list[int] = []
    watched = (*SIGNALS, signal.SIGCHLD)
    before = {name: signal.getsignal(name) for name in watched}
    for name in SIGNALS:
        signal.signal(name, lambda number, _: numbers.append(number))
    yield numbers
    for name, handler in before.items():
        signal.signal(name, handler)


def handlers() -> list[object]:
    return [signal.getsignal(name) for name in (*SIGNALS, signal.SIGCHLD)]


def in_another_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_second_acts_as_before(
    heard: list[int], number: signal.Signals
) -> None:
    with Interruption() as interruption:
        assert not interruption.requested
        signal.raise_signal(number)
        assert interruption.requested
        assert heard == []
        signal.raise_signal(number)
    assert heard == [number]


def test_after_one_signal_the_other_acts_as_before_too(heard: list[int]) -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert interruption.requested
    assert heard == [signal.SIGINT]


def test_a_second_ctrl_c_breaks_off() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert interruption.requested


@pytest.mark.parametrize("error", [None, OSError("the cable is out"), KeyboardInterrupt()])
def test_without_a_signal_all_is_as_before_at_the_end(error: BaseException | None) -> None:
    before = handlers()
    try:
        with Interruption() as interruption:
            assert handlers() != before
            if error is not None:
                raise error
    except (OSError, KeyboardInterrupt) as raised:
        assert raised is error
    assert not interruption.requested
    assert handlers() == before


def test_a_child_that_dies_after_the_signal_goes_unnoticed() -> None:
    def died(number: int, frame: object) -> None:
        raise RuntimeError("a reader is dead")

    signal.signal(signal.SIGCHLD, died)
    with pytest.raises(RuntimeError, match="a reader is dead"), Interruption():
        signal.raise_signal(signal.SIGCHLD)
    with Interruption():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGCHLD)


def test_interruptions_within_each_other_stop_from_the_inside_out(heard: list[int]) -> None:
    with Interruption() as outer:
        with Interruption() as inner:
            signal.raise_signal(signal.SIGTERM)
            assert (outer.requested, inner.requested) == (False, True)
            signal.raise_signal(signal.SIGTERM)
            assert outer.requested
        signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_in_another_thread_nothing_changes(heard: list[int]) -> None:
    before, seen = handlers(), []

    def work() -> None:
        with Interruption() as interruption, terminated_as_interrupted():
            seen.append((handlers(), interruption.requested))

    in_another_thread(work)
    assert seen == [(before, False)]
    assert handlers() == before


@pytest.mark.parametrize("number", SIGNALS)
def test_a_termination_is_raised_like_ctrl_c(number: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = handlers()
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        signal.raise_signal(number)
    assert handlers() == before


def test_a_termination_is_left_to_whoever_listened_once_it_is_over(heard: list[int]) -> None:
    with terminated_as_interrupted():
        pass
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_who_listens_to_a_termination_within_is_not_raised_at(heard: list[int]) -> None:
    with terminated_as_interrupted():
        with Interruption() as interruption:
            signal.raise_signal(signal.SIGTERM)
        assert interruption.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert heard == []


WAITING = """
import time
from attncli.training.interruption import Interruption
with Interruption() as interruption:
    print("listening", flush=True)
    while not interruption.requested:
        time.sleep(0.01)
print("stopped where it is safe", flush=True)
"""


def test_a_process_told_to_end_does_so_at_a_safe_place() -> None:
    command = [sys.executable, "-c", WAITING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stdout.read()
    assert (process.returncode, rest) == (0, "stopped where it is safe\n")
