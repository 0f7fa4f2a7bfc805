import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from attncli.editor.scores import ScoreFile
from attncli.editor.store import EditStore
from attncli.errors import AttncliError, UsageError
from attncli.files.edit_directory import EditDirectory
from attncli.files.temporal_edits import read_temporal_edits
from attncli.reporting import Outcome
from attncli.workflows.edit.temporal.serve import serve_edits
from tests.support.reporters import Told

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)")


class Person(Told):
    """Opens the address as soon as it is printed, does something there, and presses Ctrl-C."""

    def __init__(self, act: Callable[["Person"], object] = lambda person: None) -> None:
        super().__init__()
        self.act = act
        self.errors: list[BaseException] = []

    def note(self, text: str) -> None:
        super().note(text)
        if found := ADDRESS.search(text):
            self.port, self.token = int(found[1]), found[2]
            threading.Thread(target=self.visit).start()

    def visit(self) -> None:
        try:
            self.act(self)
        except BaseException as error:
            self.errors.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def ask(self, method: str, path: str, content: object = None) -> Any:
        return ask(self.port, self.token, method, path, content)


def ask(port: int, token: str, method: str, path: str, content: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": f"attncli-{port}={token}", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(content), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts() -> Iterator[None]:
    """Else the signal is ignored where the tests run in the background of a shell."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def serve(edits: EditDirectory, person: Person, **options: Any) -> Outcome:
    outcome = serve_edits(edits.path, browser=False, device="cpu", reporter=person, **options)
    assert person.errors == []
    return outcome


def test_ctrl_c_is_the_normal_end_and_says_how_far_one_came(
    make_edits: Callable[..., EditDirectory],
) -> None:
    edits = make_edits(a=2, b=3)

    def act(person: Person) -> None:
        assert [clip["id"] for clip in person.ask("GET", "/api/session")["clips"]] == ["a", "b"]
        person.ask("PATCH", "/api/clips/a", {"changes": [[0, 0], [1, 1]]})
        person.ask("PATCH", "/api/clips/b", {"changes": [[0, 0.5]]})
        said = {"state": "confirmed", "comment": ""}
        person.ask("PATCH", "/api/clips/a", {"changes": [["note", said]]})

    person = Person(act)
    outcome = serve(edits, person)
    assert outcome.rows == [
        {
            "edits": str(edits.edits_path),
            "annotator": None,
            "clips": 2,
            "edited": 1,
            "unedited": 1,
            "confirmed": 1,
            "skipped": 0,
            "unsure": 0,
        }
    ]
    states = "1 confirmed, 0 skipped, 0 unsure"
    assert person.texts[-1] == f"edits are in {edits.edits_path}: 1 of 2 clips scored; {states}"
    assert edits.read_edits(allow_partial=True).scores["b"][0] == 0.5


def test_an_annotator_has_a_file_with_the_clips_of_their_part(
    make_edits: Callable[..., EditDirectory],
) -> None:
    edits = make_edits(a=2, b=2, c=2, d=2, e=2)
    before = edits.edits_path.read_bytes()
    shown: list[list[str]] = []

    def act(person: Person) -> None:
        clips = [clip["id"] for clip in person.ask("GET", "/api/session")["clips"]]
        shown.append(clips)
        person.ask("PATCH", f"/api/clips/{clips[0]}", {"changes": [[0, 1], [1, 1]]})

    for number in (1, 2, 3):
        outcome = serve(edits, Person(act), annotator="anna", part=(number, 3))
        assert outcome.rows[0]["annotator"] == "anna"
        assert outcome.rows[0]["edited"] == 1
    assert shown == [["a"], ["b", "c"], ["d", "e"]]
    assert edits.edits_path.read_bytes() == before
    path = edits.annotator_path("anna")
    assert list(read_temporal_edits(path, allow_partial=True).scores) == ["a", "b", "c", "d", "e"]
    assert edits.read_edits(path).ids == ("a", "b", "d")


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (1, 0)])
def test_a_part_that_there_is_not_is_named(
    make_edits: Callable[..., EditDirectory], part: tuple[int, int]
) -> None:
    with pytest.raises(UsageError, match="--part: no such part"):
        serve(make_edits(a=2), Person(), part=part)


def test_more_parts_than_clips_leave_some_empty(make_edits: Callable[..., EditDirectory]) -> None:
    with pytest.raises(UsageError, match="part 1 of 3 is empty: there are 2 clips"):
        serve(make_edits(a=2, b=2), Person(), part=(1, 3))


@pytest.mark.parametrize("name", ["../anna", "", ".anna", "a/b", "anna "])
def test_a_name_that_makes_no_file_is_refused(
    make_edits: Callable[..., EditDirectory], name: str
) -> None:
    with pytest.raises(UsageError, match="--annotator"):
        serve(make_edits(a=2), Person(), annotator=name)


def test_a_second_editor_of_the_same_file_is_refused(
    make_edits: Callable[..., EditDirectory],
) -> None:
    edits = make_edits(a=2)
    with (
        EditStore(ScoreFile(edits.edits_path, ["a"], n_frames={"a": 2})),
        pytest.raises(AttncliError, match=r"edits\.csv: is in use by process"),
    ):
        serve(edits, Person())
    serve(edits, Person())


def test_a_run_that_is_gone_takes_no_more_than_answers_and_large_pictures(
    make_edits: Callable[..., EditDirectory],
) -> None:
    answers: list[Any] = []

    def act(person: Person) -> None:
        answers.append(person.ask("POST", "/api/answers/a", {"scores": [None, None]}))
        answers.append(person.ask("GET", "/full/a/1"))

    serve(make_edits(a=2), Person(act))
    assert all("no such run" in answer["unavailable"] for answer in answers)


@contextmanager
def subprocess_server(edits: EditDirectory) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    words = ["-m", "attncli", "edit-temporal", "serve", str(edits.path), "--no-browser"]
    with subprocess.Popen(
        [sys.executable, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            found = ADDRESS.search(process.stderr.readline())
            assert found is not None
            yield process, int(found[1]), found[2]
        finally:
            process.kill()


def test_killing_the_server_loses_nothing_it_acknowledged(
    make_edits: Callable[..., EditDirectory],
) -> None:
    n_frames = 40
    edits = make_edits(**{f"clip{number}": n_frames for number in range(50)})
    acknowledged: list[tuple[str, int, float]] = []
    stop = threading.Event()

    def annotate(port: int, token: str, first: int) -> None:
        for number in range(first, 50, 2):
            for frame in range(n_frames):
                score = float((number + frame) % 3) / 2
                try:
                    change = {"changes": [[frame, score]]}
                    ask(port, token, "PATCH", f"/api/clips/clip{number}", change)
                except (OSError, http.client.HTTPException):
                    assert stop.is_set()
                    return
                acknowledged.append((f"clip{number}", frame, score))

    with subprocess_server(edits) as (process, port, token):
        annotators = [threading.Thread(target=annotate, args=(port, token, i)) for i in (0, 1)]
        for annotator in annotators:
            annotator.start()
        while len(acknowledged) < 60:
            assert any(annotator.is_alive() for annotator in annotators)
        stop.set()
        process.send_signal(signal.SIGKILL)
        for annotator in annotators:
            annotator.join()
    found = edits.read_edits(allow_partial=True).scores
    assert len(acknowledged) >= 60
    for clip, frame, score in acknowledged:
        assert found[clip][frame] == score, (clip, frame)
    written = sum(int(np.sum(~np.isnan(scores))) for scores in found.values())
    assert written <= len(acknowledged) + 2  # those under way
    serve(edits, Person())  # and the file is free again
