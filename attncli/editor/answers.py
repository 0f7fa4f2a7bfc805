"""What the network answers when a person's attention stands in the place of its own."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Lock
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
from jaxtyping import Float32

from attncli.errors import AttncliError

A = TypeVar("A")
P = TypeVar("P", bound="AskedProcess[Any]")
T = TypeVar("T")


@dataclass(frozen=True)
class ClipAnswer:
    """Two answers to one clip: what the network says by itself, and what with the edit."""

    classes: tuple[str, ...]
    """Names of all classes."""
    own: Float32[np.ndarray, " k"]
    """Probability of each class with the network's own attention."""
    edited: Float32[np.ndarray, " k"]
    """Probability of each class with the edited attention in its place."""
    frames: tuple[int, ...]
    """Frames of the video that the network looked at, from 0; only their scores matter here."""


@runtime_checkable
class Answerer(Protocol):
    """What can be asked for the answer to a clip."""

    def answer(self, clip_id: str, scores: Float32[np.ndarray, " n"]) -> ClipAnswer:
        """Return what the network says of a clip.

        Args:
            clip_id: The video's id in its dataset.
            scores: Temporal attention in [0, 1] for every frame of the video; where it is NaN, the
                network's own attention stays.

        Raises:
            AttncliError: There is no answer to be had; the message says why.
        """
        ...


class AskedProcess(Generic[A]):
    """Something to be asked in a process of its own; use as a context manager in the main thread.

    However long it takes to make it and to answer, saving never waits for it, and neither does the
    end: Ctrl-C leaves the process alone, leaving the context kills it.

    Args:
        make: Makes what is asked there. It is sent there by name; an error of it is the error of
            every answer.
    """

    def __init__(self, make: Callable[[], A]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_answer_all, args=(make, theirs), daemon=True)
        self._asking = Lock()
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which the process inherits
        try:
            self._process.start()
        finally:
            signal.signal(signal.SIGINT, previous)
            theirs.close()

    def __enter__(self: P) -> P:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process; whoever waits for an answer gets an error."""
        self._process.kill()
        self._process.join()

    def ask(self, method: str, *question: Any) -> Any:
        """Return what a method of what is asked returns, once it has answered those before.

        Raises:
            AttncliError: It raised an error, or its process has ended.
        """
        with self._asking:
            try:
                self._pipe.send((method, *question))
                answer = self._pipe.recv()
            except (EOFError, OSError):
                raise AttncliError(
                    "the process that answers has ended", remedy="start the editor again"
                ) from None
        if isinstance(answer, AttncliError):
            raise answer
        return answer


class AnsweringProcess(AskedProcess[Answerer]):
    """An answerer in a process of its own."""

    def answer(self, clip_id: str, scores: Float32[np.ndarray, " n"]) -> ClipAnswer:
        """Return what the network says of a clip, once it has answered those before."""
        return cast(ClipAnswer, self.ask("answer", clip_id, scores))


def _answer_all(make: Callable[[], object], pipe: Connection) -> None:
    """Answer what comes through a pipe until it is closed."""
    made = _outcome(make)
    with suppress(EOFError):
        while True:
            method, *question = pipe.recv()
            if isinstance(made, AttncliError):
                pipe.send(made)
            else:
                pipe.send(_outcome(getattr(made, method), *question))


def _outcome(call: Callable[..., T], *arguments: Any) -> T | AttncliError:
    """Return what a call returns, or the error that came of it."""
    try:
        return call(*arguments)
    except AttncliError as error:
        return error
    except Exception as error:
        return AttncliError(f"{type(error).__name__}: {error}")
