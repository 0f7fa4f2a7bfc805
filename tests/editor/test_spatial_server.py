import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.editor.painted import PaintedMasks, mask_of, runs_of
from attncli.editor.store import EditStore
from attncli.errors import AttncliError
from attncli.files.masks import FrameMasks

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
ONE = "/api/clips/one"
PIXELS = 48 * 64
EVERYTHING = [
    *(("GET", path) for path in ("/", "/editor.js", "/api/session", ONE, "/frames/one/0")),
    *(("GET", "/api/candidates/one/0"), ("PATCH", ONE), ("PUT", ONE), ("DELETE", ONE)),
]


def change(*changes: object) -> dict[str, object]:
    return {"changes": [list(item) for item in changes]}


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_a_mask_comes_back_from_its_runs(height: int, width: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    np.testing.assert_array_equal(mask_of(runs_of(mask), (height, width)), mask)


def test_a_change_is_on_disk_before_it_is_answered(spatial_editor: Any) -> None:
    reply = spatial_editor.ask("PATCH", ONE, change((2, [65, 10, PIXELS - 75]), (0, [PIXELS])))
    assert (reply.status, reply.json) == (200, {"edited": 2})
    painted = spatial_editor.painted("one")
    assert np.argwhere(painted[2]).tolist() == [[1, column] for column in range(1, 11)]
    assert not painted[0].any()
    found = spatial_editor.ask("GET", ONE).json["masks"]
    assert found == [[PIXELS], None, [65, 10, PIXELS - 75], None]
    session = spatial_editor.ask("GET", "/api/session").json
    assert [clip["edited"] for clip in session["clips"]] == [2, 0]
    spatial_editor.ask("PATCH", ONE, change((0, None), (2, None)))
    assert not spatial_editor.directory.has_edits()


def test_attention_and_candidates_are_told(spatial_editor: Any) -> None:
    own = spatial_editor.ask("GET", ONE).json["attention"]
    assert (own["rows"], own["columns"], own["crop"]) == (2, 3, [8, 0, 56, 48])
    cells = np.frombuffer(b64decode(own["cells"]), dtype=np.uint8)
    expected = 255 * np.linspace(0, 1, 24, dtype=np.float16).astype(np.float32)
    np.testing.assert_allclose(cells, expected, atol=0.51)
    hand, box = spatial_editor.ask("GET", "/api/candidates/one/1").json  # frame 1 takes frame 0's
    assert (hand["category"], hand["score"], sum(hand["runs"][1::2])) == ("hand", 0.9, 80)
    assert mask_of(box["runs"], (48, 64)).sum() == 600
    assert spatial_editor.ask("GET", "/api/candidates/a%2Ftwo%2C%20more/0").json == []
    for number in ("4", "-1", "x"):
        assert spatial_editor.ask("GET", f"/api/candidates/one/{number}").status == 404


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"changes": []},
        {"changes": 3},
        change((4, None)),
        change((0, [PIXELS - 1])),
        change((0, [PIXELS + 1, -1])),
        change((0, [])),
        change((0, [0.5])),
        change((True, None)),
        change((0, "all")),
        change((0, None, None)),
        {"changes": [None]},
    ],
)
def test_changes_that_make_no_sense_are_refused(spatial_editor: Any, content: object) -> None:
    reply = spatial_editor.ask("PATCH", ONE, content)
    assert reply.status == 400, reply.body
    assert not spatial_editor.directory.has_edits()


def test_requests_without_the_token_or_from_elsewhere_are_refused(spatial_editor: Any) -> None:
    elsewhere = {"Origin": "http://example.org"}
    for method, path in EVERYTHING:
        content = change((0, [PIXELS])) if method == "PATCH" else None
        for token, headers in ((None, {}), ("its own", elsewhere)):
            reply = spatial_editor.ask(method, path, content, token=token, headers=headers)
            assert reply.status == 403, (method, path)
    assert not spatial_editor.directory.has_edits()


def test_every_file_of_the_page_is_served(spatial_editor: Any) -> None:
    page = spatial_editor.ask("GET", "/").body
    assert b'id="picture"' in page and b"<!-- clip -->" not in page
    for name in ("editor.js", "masks.js", "shell.js", "base.css", "editor.css", "aside.css"):
        assert spatial_editor.ask("GET", f"/{name}").status == 200
    for path in ("/clip.html", "/player.js", "/nothing"):
        assert spatial_editor.ask("GET", path).status == 404


def test_what_another_program_wrote_is_not_overwritten(spatial_editor: Any) -> None:
    spatial_editor.directory.write_frames("one", {1: FrameMasks(1, (48, 64), ())})
    reply = spatial_editor.ask("PATCH", ONE, change((0, [PIXELS])))
    assert reply.status == 409
    assert "another program has changed this file; start the editor again" in reply.json["error"]
    assert set(spatial_editor.painted("one")) == {1}


def test_one_editor_at_a_time_has_the_edits(spatial_editor: Any) -> None:
    with pytest.raises(AttncliError, match=r"is in use by process .*; end that one"):
        EditStore(PaintedMasks(spatial_editor.directory))


def test_a_mask_that_cannot_be_written_changes_nothing(spatial_editor: Any) -> None:
    spatial_editor.ask("PATCH", ONE, change((0, [PIXELS])))
    root = spatial_editor.directory.edits.root
    root.rename(root.with_name("away"))
    root.write_text("a file where the directory was")
    assert spatial_editor.ask("PATCH", ONE, change((1, [PIXELS]))).status in (409, 500)
    root.unlink()
    root.with_name("away").rename(root)
    assert set(spatial_editor.painted("one")) == {0}
    assert spatial_editor.ask("PATCH", ONE, change((1, [PIXELS]))).json == {"edited": 2}


def test_edits_that_do_not_fit_are_refused_and_leave_no_lock(spatial_edits: Any) -> None:
    spatial_edits.write_frames("one", {0: FrameMasks(0, (4, 4), ())})
    with pytest.raises(AttncliError, match="masks are 4x4, the video is 64x48"):
        EditStore(PaintedMasks(spatial_edits))
    spatial_edits.edits.path("one").unlink()
    with EditStore(PaintedMasks(spatial_edits)) as painted:
        assert painted.of("one") == {}


def test_the_files_are_those_that_training_reads(spatial_editor: Any) -> None:
    spatial_editor.ask("PATCH", ONE, change((1, [0, 64, PIXELS - 64])))
    (line,) = spatial_editor.directory.edits.path("one").read_text().splitlines()
    fields = json.loads(line)
    assert (fields["frame"], fields["size"]) == (1, [48, 64])
    assert [i["category"] for i in fields["instances"]] == ["attention"]
    edits = spatial_editor.directory.read_edits(known={"one"})
    masks, is_edited = edits.read("one", np.array([0, 1]))
    assert is_edited.tolist() == [False, True]
    assert masks[1, 0].all() and masks.sum() == 64
