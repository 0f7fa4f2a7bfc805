import json
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


def test_edits_that_do_not_fit_are_refused_and_leave_no_lock(spatial_edits: Any) -> None:
    spatial_edits.write_frames("one", {0: FrameMasks(0, (4, 4), ())})
    with pytest.raises(AttncliError, match="masks are 4x4, the video is 64x48"):
        EditStore(PaintedMasks(spatial_edits))
    spatial_edits.edits.path("one").unlink()
    with EditStore(PaintedMasks(spatial_edits)) as painted:
        assert painted.of("one") == {}


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


def test_what_another_program_wrote_is_not_overwritten(spatial_editor: Any) -> None:
    spatial_editor.directory.write_frames("one", {1: FrameMasks(1, (48, 64), ())})
    reply = spatial_editor.ask("PATCH", ONE, change((0, [PIXELS])))
    assert reply.status == 409
    assert "another program has changed this file; start the editor again" in reply.json["error"]
    assert set(spatial_editor.painted("one")) == {1}


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


@pytest.mark.parametrize("runs", [[3], [5], [2, -1, 3], []])
def test_runs_that_do_not_fill_a_frame_are_no_mask(runs: list[int]) -> None:
    with pytest.raises(ValueError):
        mask_of(runs, (2, 2))


def test_a_mask_that_begins_covered_has_no_pixels_before() -> None:
    mask = np.array([[True, True, False], [False, False, True]])
    assert runs_of(mask) == [0, 2, 3, 1]
    assert runs_of(np.zeros((2, 2), dtype=np.bool_)) == [4]
