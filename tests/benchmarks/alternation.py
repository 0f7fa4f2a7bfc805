"""Time rivals against each other: each in its own process, one step of each in turn."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

Prepare = Callable[[], Callable[[], object]]


def median_seconds(rivals: Mapping[str, Prepare], *, rounds: int) -> dict[str, float]:
    """Return each rival's median time a step.

    Args:
        rivals: By name, what builds a network and returns its step; picklable.
        rounds: Steps each rival takes after one to warm up. In a round every rival takes one, so
            that what else the machine does falls on all of them alike.
    """
    times: dict[str, list[float]] = {name: [] for name in rivals}
    with _processes(rivals) as pipes:
        for round_number in range(rounds + 1):
            for name, pipe in pipes.items():
                pipe.send("step")
                seconds = pipe.recv()
                if round_number:
                    times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


@contextmanager
def _processes(rivals: Mapping[str, Prepare]) -> Iterator[dict[str, Connection]]:
    context = get_context("spawn")
    pipes, processes = {}, []
    for name, prepare in rivals.items():
        pipes[name], theirs = context.Pipe()
        processes.append(context.Process(target=_serve, args=(prepare, theirs)))
        processes[-1].start()
    try:
        yield pipes
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _serve(prepare: Prepare, pipe: Connection) -> None:
    step = prepare()
    while pipe.recv():
        begin = time.perf_counter()
        step()
        pipe.send(time.perf_counter() - begin)
