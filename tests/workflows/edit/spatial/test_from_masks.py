from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attncli.editor.painted import CATEGORY, PaintedMasks
from attncli.editor.store import EditStore
from attncli.errors import AttncliError, UsageError
from attncli.files.masks import FrameMasks, Instance
from attncli.files.spatial_edits import SpatialEditDirectory
from attncli.reporting import Silent
from attncli.workflows.edit.spatial.check import check_edits
from attncli.workflows.edit.spatial.from_masks import edit_by_masks
from tests.support.reporters import Told

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIZE_HW = (6, 8)
MakeInstance = Callable[..., Instance]
WriteMasks = Callable[..., Path]


@pytest.fixture
def masks(instance: MakeInstance, write_masks: WriteMasks) -> Path:
    """Every other frame of clip a; all of clip b, with a find in one of them; none of c."""
    person, dog = instance(2), instance(4, "dog")
    write_masks("a", {0: (person, dog), 2: (dog,), 3: (dog,)})
    return write_masks("b", {0: (), 1: (person,), 2: (), 3: ()})


def frames_of(edits: SpatialEditDirectory, id_: str) -> dict[int, list[str]]:
    frames = edits.read_frames(edits.read_clips()[id_])
    return {n: [i.category for i in masks.instances] for n, masks in frames.items()}


def test_frames_in_which_something_was_found_are_edited(
    edits: SpatialEditDirectory, masks: Path
) -> None:
    outcome = edit_by_masks(edits.path, masks, reporter=Silent())
    # Frame 1 of clip a was skipped when segmenting, and takes the masks of frame 0.
    both, dog = ["person", "dog"], ["dog"]
    assert frames_of(edits, "a") == {0: both, 1: both, 2: dog, 3: dog}
    assert frames_of(edits, "b") == {1: ["person"]}
    assert frames_of(edits, "c") == {}
    assert outcome.failures == []
    assert outcome.rows == check_edits(edits.path).rows
    assert outcome.rows == [
        {
            "edits": str(edits.path),
            "clips": 3,
            "edited": 2,
            "unedited": 1,
            "frames": 12,
            "edited_frames": 5,
            "empty_frames": 0,
            # Half of the frame in all of clip a, a quarter in clip b.
            "covered_percent": pytest.approx((4 * 50 + 25) / 5),
        }
    ]


def test_only_categories_that_are_kept_count(edits: SpatialEditDirectory, masks: Path) -> None:
    edit_by_masks(edits.path, masks, keep=["person"], reporter=Silent())
    assert frames_of(edits, "a") == {0: ["person"], 1: ["person"]}
    with pytest.raises(AttncliError, match=r"no such category: 'cat' \(there are: dog, person\)"):
        edit_by_masks(edits.path, masks, keep=["cat"], overwrite=True, reporter=Silent())


def test_a_dry_run_counts_and_touches_nothing(edits: SpatialEditDirectory, masks: Path) -> None:
    (row,) = edit_by_masks(edits.path, masks, dry_run=True, reporter=Silent()).rows
    assert row == {"edits": str(edits.path), "edited": 2, "edited_frames": 5}
    assert not edits.has_edits()


def test_edits_are_replaced_only_when_that_is_asked_for(
    edits: SpatialEditDirectory, masks: Path
) -> None:
    edit_by_masks(edits.path, masks, reporter=Silent())
    with pytest.raises(AttncliError, match="2 clips are edited already, such as 'a'; pass --keep"):
        edit_by_masks(edits.path, masks, reporter=Silent())
    edit_by_masks(edits.path, masks, keep=["dog"], overwrite=True, reporter=Silent())
    assert frames_of(edits, "b") == {}


def test_clips_that_are_edited_keep_their_edits_where_that_is_asked_for(
    edits: SpatialEditDirectory, masks: Path
) -> None:
    paint(edits, "b", np.ones(SIZE_HW, np.bool_))
    before = edits.edits.path("b").read_bytes()
    for dry_run in (True, False):
        reporter = Told()
        edit_by_masks(edits.path, masks, keep_existing=True, dry_run=dry_run, reporter=reporter)
        assert "1 clip is edited already, and left as is" in reporter.notes
    assert edits.edits.path("b").read_bytes() == before
    assert set(frames_of(edits, "a")) == {0, 1, 2, 3}
    with pytest.raises(UsageError, match="--keep-existing and --overwrite: exclude each other"):
        edit_by_masks(edits.path, masks, keep_existing=True, overwrite=True, reporter=Silent())


def paint(edits: SpatialEditDirectory, id_: str, mask: np.ndarray, frame: int = 2) -> None:
    """Paint a frame as the editor does."""
    with EditStore(PaintedMasks(edits)) as painted:
        painted.change(id_, [(frame, mask)])


@pytest.mark.parametrize("covered", [True, False])
def test_what_people_painted_is_kept_and_named(
    edits: SpatialEditDirectory, masks: Path, covered: bool
) -> None:
    edit_by_masks(edits.path, masks, reporter=Silent())
    paint(edits, "b", np.full(SIZE_HW, covered))
    by_hand = {1: ["person"], 2: [CATEGORY] if covered else []}
    for dry_run in (True, False):
        reporter = Told()
        outcome = edit_by_masks(
            *(edits.path, masks), keep=["dog"], overwrite=True, dry_run=dry_run, reporter=reporter
        )
        assert frames_of(edits, "b") == by_hand
        assert reporter.warnings[1:] == [
            f"{edits.edits.root}: people painted on 'b'; left as is (to replace such edits, "
            "remove the files edits/ID.jsonl first)"
        ]
        if dry_run:
            assert outcome.rows == [{"edits": str(edits.path), "edited": 1, "edited_frames": 4}]
            assert frames_of(edits, "a")[0] == ["person", "dog"]
    assert set(frames_of(edits, "a")) == {0, 1, 2, 3}
    assert frames_of(edits, "a")[0] == ["dog"]
    edits.edits.path("b").unlink()
    edit_by_masks(edits.path, masks, overwrite=True, reporter=Silent())
    assert frames_of(edits, "b") == {1: ["person"]}


def test_all_painted_clips_stand_in_one_warning(edits: SpatialEditDirectory, masks: Path) -> None:
    for id_ in ("a", "b"):
        paint(edits, id_, np.ones(SIZE_HW, np.bool_))
    reporter = Told()
    outcome = edit_by_masks(edits.path, masks, overwrite=True, dry_run=True, reporter=reporter)
    assert outcome.rows == [{"edits": str(edits.path), "edited": 0, "edited_frames": 0}]
    assert sum("people painted on 'a', 'b'; left" in text for text in reporter.warnings) == 1


def test_edits_that_cannot_be_read_are_not_replaced(
    edits: SpatialEditDirectory, masks: Path
) -> None:
    edits.write_frames("b", {0: FrameMasks(0, SIZE_HW, ())})
    edits.edits.path("b").write_text("{")
    with pytest.raises(AttncliError, match=r"edits/b\.jsonl"):
        edit_by_masks(edits.path, masks, overwrite=True, reporter=Silent())
    assert edits.edits.path("b").read_text() == "{"
    assert frames_of(edits, "a") == {}


def test_candidates_are_taken_where_no_masks_are_named(
    edits: SpatialEditDirectory, masks: Path
) -> None:
    with pytest.raises(AttncliError, match="candidates: holds no masks of these clips"):
        edit_by_masks(edits.path, reporter=Silent())
    masks.rename(edits.candidates.root)
    assert edit_by_masks(edits.path, reporter=Silent()).rows[0]["edited"] == 2


def test_masks_that_cannot_be_used_are_failures_by_name(
    edits: SpatialEditDirectory, masks: Path, write_masks: WriteMasks
) -> None:
    (masks / "a.jsonl").write_text("no JSON\n")
    write_masks("b", {0: (), 1: ()})
    write_masks("c", {0: (), 3: ()}, (8, 6))
    outcome = edit_by_masks(edits.path, masks, reporter=Silent())
    assert [failure.id for failure in outcome.failures] == ["a", "b", "c"]
    messages = ("no frame number", "no masks for frame 2", "masks are 6x8, the video is 8x6")
    for failure, message in zip(outcome.failures, messages, strict=True):
        assert message in failure.error


def test_check_needs_the_attention_of_every_clip(edits: SpatialEditDirectory) -> None:
    (row,) = check_edits(edits.path).rows
    assert (row["edited"], row["covered_percent"]) == (0, None)
    edits.attention_path("b").unlink()
    with pytest.raises(AttncliError, match=r"attention/b\.npz: no such file or directory; select"):
        check_edits(edits.path)


def test_masks_are_not_taken_while_an_editor_has_the_edits_open(
    edits: SpatialEditDirectory, masks: Path
) -> None:
    with EditStore(PaintedMasks(edits)):
        with pytest.raises(AttncliError, match=r"is in use by process .*; end the editor"):
            edit_by_masks(edits.path, masks, reporter=Silent())
        edit_by_masks(edits.path, masks, dry_run=True, reporter=Silent())
    assert not edits.has_edits()
