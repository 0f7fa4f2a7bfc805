import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import active_children

import pytest

from attncli.errors import AttncliError
from attncli.pool import work_in_pool


@dataclass(frozen=True)
class Deed:
    """A job that says what its work does."""

    id: str
    deed: str = "answer"
    seconds: float = 0.0


def work(job: Deed) -> tuple[int, str]:
    time.sleep(job.seconds)
    if job.deed == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.deed == "fail":
        raise AttncliError("cannot be read", where=job.id)
    if job.deed == "fill":
        raise MemoryError
    if job.deed == "err":
        raise ZeroDivisionError(job.id)
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def test_answers_come_in_order_and_errors_in_their_place() -> None:
    drawn, before = 0, os.environ.get("OMP_NUM_THREADS")

    def jobs() -> Iterator[Deed]:
        nonlocal drawn
        for number in range(12):
            drawn += 1
            deed = {3: "fail", 4: "fill"}.get(number, "answer")
            yield Deed(f"image{number}", deed, seconds=0.3 * (number == 1))

    handler = signal.getsignal(signal.SIGINT)
    pids = set()
    for number, (job, answer) in enumerate(work_in_pool(jobs(), work, 2)):
        assert job.id == f"image{number}"
        assert drawn <= number + 2 * 2 + 1
        if number in (3, 4):
            what = "cannot be read" if number == 3 else "takes more memory than there is"
            assert str(answer) == f"image{number}: {what}"
        else:
            assert isinstance(answer, tuple)
            pids.add(answer[0])
            assert answer[1] == "1"
    assert (number, len(pids)) == (11, 2)
    assert os.getpid() not in pids
    assert os.environ.get("OMP_NUM_THREADS") == before
    assert signal.getsignal(signal.SIGINT) is handler  # a job in the background ignores it
    assert not active_children()


def test_a_dead_process_is_an_error_that_names_its_image() -> None:
    with pytest.raises(AttncliError, match=r"^cat: the process .* ended by signal 9; .*--workers"):
        list(work_in_pool([Deed("cat", "die")], work, 2))
    assert not active_children()


def test_an_error_of_the_program_is_raised_with_its_trace() -> None:
    with pytest.raises(ZeroDivisionError, match="cat") as caught:
        list(work_in_pool([Deed("cat", "err")], work, 2))
    assert "in work" in caught.value.__notes__[0]


def test_an_interrupt_ends_all_at_once() -> None:
    def jobs() -> Iterator[Deed]:
        yield Deed("long", seconds=600)
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(work_in_pool(jobs(), work, 2))
    assert time.monotonic() - started < 60
    assert not active_children()


def test_one_worker_is_this_process() -> None:
    (first, answer), (second, error) = work_in_pool([Deed("a"), Deed("b", "fail")], work, 1)
    assert (first.id, second.id) == ("a", "b")
    assert isinstance(answer, tuple)
    assert answer[0] == os.getpid()
    assert str(error) == "b: cannot be read"
    assert not list(work_in_pool([], work, 2))
