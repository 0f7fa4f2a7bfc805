"""What makes an answerer goes to its process by name: here it is put together from public parts."""

import operator
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from attncli.editor.answers import AnsweringProcess, ClipAnswer
from attncli.errors import AttncliError
from attncli.files.edit_directory import open_edit_directory

SCORES = np.array([0, 0.5, np.nan], dtype=np.float32)
ANSWER: Callable[..., ClipAnswer] = partial(ClipAnswer, edited=SCORES, frames=(0, 2))
"""Called with a clip's id and scores, echoes them as the classes and the network's own answer."""


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts() -> Iterator[None]:
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def test_questions_are_answered_one_after_the_other() -> None:
    with AnsweringProcess(partial(SimpleNamespace, answer=ANSWER)) as answerer:
        for clip in ("one", "two"):
            answer = answerer.answer(clip, SCORES)
            assert answer.classes == clip
            np.testing.assert_array_equal(answer.own, SCORES)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_keeps_it_from_being_made_is_said_every_time() -> None:
    with AnsweringProcess(partial(open_edit_directory, Path("gone"))) as answerer:
        for _ in range(2):
            with pytest.raises(AttncliError, match=r"^gone: no such edit directory; name a dir"):
                answerer.answer("one", SCORES)


def test_an_error_nobody_foresaw_is_said_and_the_process_goes_on() -> None:
    with AnsweringProcess(partial(SimpleNamespace, answer=operator.mul)) as answerer:
        for _ in range(2):
            with pytest.raises(AttncliError, match="UFunc"):
                answerer.answer("one", SCORES)


def test_the_end_waits_for_no_answer() -> None:
    errors: list[str] = []

    def ask() -> None:
        try:
            answerer.answer("one", SCORES)
        except AttncliError as error:
            errors.append(str(error))

    with AnsweringProcess(partial(time.sleep, 3600)) as answerer:
        asker = threading.Thread(target=ask)
        asker.start()
        while not answerer._asking.locked():
            time.sleep(0.01)
    asker.join(300)
    assert errors == ["the process that answers has ended; start the editor again"]
    with pytest.raises(AttncliError, match="has ended"):
        answerer.answer("one", SCORES)
