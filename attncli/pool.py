"""Work on many inputs in processes of their own, for what holds the interpreter's lock.

Let the work read and write its files itself: what passes between processes is then small, and
nothing waits for this one.
"""

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from attncli.errors import AttncliError

THREADS = "OMP_NUM_THREADS"
AHEAD = 2
"""Jobs a worker that are begun before the answer of the first is taken."""


@runtime_checkable
class Job(Protocol):
    """One input to work on."""

    @property
    def id(self) -> str:
        """What it is called in messages."""
        ...


J = TypeVar("J", bound=Job)
R = TypeVar("R")


def work_in_pool(
    jobs: Iterable[J], work: Callable[[J], R], workers: int
) -> Iterator[tuple[J, R | AttncliError]]:
    """Yield each job with what the work made of it, in order.

    To be used in the main thread. Only a few jobs are taken ahead of the one that is yielded. Each
    process keeps to one thread; Ctrl-C, an error or the end of the iteration kills them all.

    Args:
        jobs: The inputs; they are pickled.
        work: What is done to each; a function of a module, or one that can be pickled. An
            `AttncliError` it raises takes the place of its answer.
        workers: Processes; with one, all is done in this process.

    Raises:
        AttncliError: A process died; the message names its input.
    """
    if workers == 1:
        for job in jobs:
            yield job, _answer(work, job)
        return
    pool: _Pool[J, R] = _Pool(work, workers)
    try:
        yield from pool.answers(jobs)
    finally:
        pool.kill()


@dataclass
class _Entry(Generic[J, R]):
    """A job that was begun, and its only answer once there is one."""

    job: J
    answers: list[R | AttncliError] = field(default_factory=list)


@dataclass(frozen=True)
class _Raised:
    """An error of the work that is nobody's input."""

    error: Exception
    trace: str


class _Worker(Generic[J, R]):
    """A process, and the job it is at."""

    def __init__(self, work: Callable[[J], R]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work_on_all, args=(work, theirs), daemon=True)
        self._entry: _Entry[J, R] | None = None
        with _inheritance():
            self._process.start()
        theirs.close()

    def begin(self, entry: _Entry[J, R]) -> None:
        """Work on a job; the one before must be finished."""
        self._entry = entry
        try:
            self.pipe.send(entry.job)
        except OSError:
            raise self._death(entry) from None

    def finish(self) -> None:
        """Take the answer to the job; it waits until there is one."""
        entry, self._entry = self._entry, None
        assert entry is not None  # noqa: S101 - narrows the type: only workers at a job are asked
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            raise self._death(entry) from None
        if isinstance(answer, _Raised):
            answer.error.add_note(answer.trace)
            raise answer.error
        entry.answers.append(answer)

    def kill(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def _death(self, entry: _Entry[J, R]) -> AttncliError:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return AttncliError(
            f"the process that worked on this ended {how}",
            where=entry.job.id,
            remedy="look whether memory ran out, and give fewer --workers",
        )


class _Pool(Generic[J, R]):
    """Processes that are started as there is work for them."""

    def __init__(self, work: Callable[[J], R], workers: int) -> None:
        self._work, self._most = work, workers
        self._all: list[_Worker[J, R]] = []
        self._idle: list[_Worker[J, R]] = []

    def answers(self, jobs: Iterable[J]) -> Iterator[tuple[J, R | AttncliError]]:
        """Yield each job with its answer, in order."""
        begun: deque[_Entry[J, R]] = deque()
        rest = iter(jobs)
        while True:
            self._begin_more(rest, begun)
            if not begun:
                return
            while not begun[0].answers:
                self._finish_some()
                self._begin_more(rest, begun)
            entry = begun.popleft()
            yield entry.job, entry.answers[0]

    def kill(self) -> None:
        """End all processes."""
        for worker in self._all:
            worker.kill()

    def _begin_more(self, rest: Iterator[J], begun: deque[_Entry[J, R]]) -> None:
        """Give every process a job, unless many answers wait to be taken."""
        while self._has_room and len(begun) < AHEAD * self._most:
            job = next(rest, None)
            if job is None:
                return
            begun.append(_Entry(job))
            self._free_worker().begin(begun[-1])

    @property
    def _has_room(self) -> bool:
        return bool(self._idle) or len(self._all) < self._most

    def _free_worker(self) -> _Worker[J, R]:
        if self._idle:
            return self._idle.pop()
        self._all.append(_Worker(self._work))
        return self._all[-1]

    def _finish_some(self) -> None:
        """Take the answers that are there; wait until there is one."""
        busy = [worker for worker in self._all if worker not in self._idle]
        ready = wait([worker.pipe for worker in busy])
        for worker in busy:
            if worker.pipe in ready:
                worker.finish()
                self._idle.append(worker)


@contextmanager
def _inheritance() -> Iterator[None]:
    """Ignore Ctrl-C and keep to one thread, as a process does that is started meanwhile.

    It would be too late there: libraries look at the environment when they are imported, before
    anything else is done.
    """
    signals, threads = signal.signal(signal.SIGINT, signal.SIG_IGN), os.environ.get(THREADS)
    os.environ[THREADS] = "1"
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signals)
        os.environ.pop(THREADS)
        if threads is not None:
            os.environ[THREADS] = threads


def _work_on_all(work: Callable[[Any], Any], pipe: Connection) -> None:
    """Answer the jobs that come through a pipe until it is closed."""
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            answer = _answer(work, job)
        except Exception as error:
            answer = _Raised(error, traceback.format_exc())
        pipe.send(answer)


def _answer(work: Callable[[J], R], job: J) -> R | AttncliError:
    try:
        return work(job)
    except MemoryError:
        return AttncliError("takes more memory than there is", where=job.id)
    except AttncliError as error:
        return error
