from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attncli.editor.answers import ClipAnswer
from attncli.errors import AttncliError

CHANGE = {"changes": [[0, 0.5]]}
ONE = "/api/clips/one"
TWO = "/api/clips/a%2Ftwo%2C%20more"


def test_the_session_names_the_clips_and_how_far_each_is(editor: Any) -> None:
    editor.ask("PATCH", TWO, {"changes": [[1, 1], [2, 0]]})
    session = editor.ask("GET", "/api/session").json
    assert [(clip["id"], clip["scored"]) for clip in session["clips"]] == [
        ("one", 0),
        ("a/two, more", 2),
        ("long", 0),
    ]
    assert session["clips"][0] == {
        "id": "one",
        "label": "Opening",
        "predicted": "Closing",
        "frames": 6,
        "fps": 10.0,
        "scored": 0,
        "note": {"state": "", "comment": ""},
    }


def test_a_clip_comes_with_the_networks_own_attention(editor: Any) -> None:
    clip = editor.ask("GET", ONE).json
    own = editor.directory.read_attention()["one"]
    assert clip["scores"] == [None] * 6
    assert clip["attention"] == pytest.approx(own.tolist())
    assert all(len(str(value)) <= 4 for value in clip["attention"])


def test_a_change_is_on_disk_before_it_is_answered(editor: Any) -> None:
    for frame, score in enumerate([0, 0.5, 1, 0.25, None, 1]):
        reply = editor.ask("PATCH", ONE, {"changes": [[frame, score]]})
        assert reply.json["scores"][frame] == score
        assert editor.on_disk("one")[frame] == score
    assert editor.ask("GET", ONE).json["scores"] == [0, 0.5, 1, 0.25, None, 1]


def test_what_is_said_of_a_clip_is_on_disk_beside_the_scores(editor: Any) -> None:
    before = editor.directory.edits_path.read_bytes()
    said = {"state": "unsure", "comment": "two  hands,\nor one?"}
    reply = editor.ask("PATCH", TWO, {"changes": [["note", said]]})
    note = {"state": "unsure", "comment": "two hands, or one?"}
    assert reply.json["note"] == editor.ask("GET", TWO).json["note"] == note
    path = editor.directory.path / "notes.csv"
    assert path.read_text() == 'id,state,comment\n"a/two, more",unsure,"two hands, or one?"\n'
    assert editor.directory.edits_path.read_bytes() == before
    session = editor.ask("GET", "/api/session").json
    assert [clip["note"]["state"] for clip in session["clips"]] == ["", "unsure", ""]
    both = [[0, 0.5], ["note", {"state": "", "comment": ""}]]
    editor.ask("PATCH", TWO, {"changes": both})
    assert editor.on_disk("a/two, more")[0] == 0.5
    assert path.read_text() == "id,state,comment\n"


def test_of_two_changes_to_a_frame_the_later_one_stays(editor: Any) -> None:
    reply = editor.ask("PATCH", ONE, {"changes": [[0, 0.5], [0, 1], [1, 1], [1, None]]})
    assert reply.json["scores"][:2] == [1, None]


@pytest.mark.parametrize(
    "changes",
    [
        [[0, 1.01]],
        [[0, -0.01]],
        [[0, 1], [1, 7]],
        [[0, True]],
        [[0, "1"]],
        [[0, [1]]],
        [[6, 1]],
        [[-1, 1]],
        [[0.0, 1]],
        [[True, 1]],
        [[0]],
        [["note", {"state": "done", "comment": ""}]],
        [["note", {"state": "skipped"}]],
        [["note", {"state": "skipped", "comment": "x" * 2001}]],
        [["note", None]],
        [0, 1],
        {"0": 1},
        None,
        "changes",
    ],
)
def test_bad_changes_are_refused_and_change_nothing(editor: Any, changes: object) -> None:
    reply = editor.ask("PATCH", ONE, {"changes": changes})
    assert reply.status == 400
    assert "0 to 5" in reply.json["error"]
    assert editor.on_disk("one") == [None] * 6


def test_an_answer_compares_both_and_shows_the_true_class(editor: Any) -> None:
    scores = [1, None, None, None, None, None]
    answer = editor.ask("POST", "/api/answers/one", {"scores": scores}).json
    assert answer["frames"] == [0, 2, 4]
    assert answer["classes"][0]["name"] == "Opening"
    assert answer["classes"][0]["edited"] > 0.5 > answer["classes"][0]["own"]
    assert [row["edited"] for row in answer["classes"]] == sorted(
        (row["edited"] for row in answer["classes"]), reverse=True
    )
    assert {"Opening", "Closing"} <= {row["name"] for row in answer["classes"]}
    assert 5 <= len(answer["classes"]) <= 7


@pytest.mark.parametrize("scores", [[1], [2] * 6, ["1"] * 6, None, [1] * 7])
def test_an_answer_needs_a_score_or_null_for_every_frame(editor: Any, scores: object) -> None:
    assert editor.ask("POST", "/api/answers/one", {"scores": scores}).status == 400


class Unable:
    def answer(self, clip_id: str, scores: np.ndarray) -> ClipAnswer:
        raise AttncliError("no such run", where="runs/gone")


def test_without_answers_editing_goes_on(serve: Callable[..., Any]) -> None:
    with serve(Unable()) as editor:
        answer = editor.ask("POST", "/api/answers/one", {"scores": [None] * 6})
        assert answer.json == {"unavailable": "runs/gone: no such run"}
        assert editor.ask("PATCH", ONE, CHANGE).status == 200
