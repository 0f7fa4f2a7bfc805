from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.masks import FrameMasks, Instance
from attncli.files.spatial_edits import SpatialEditDirectory, VideoAttention
from attncli.workflows.edit.spatial.check import check_edits, summary

SIZE_HW = (6, 8)
MakeInstance = Callable[..., Instance]

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def paint(edits: SpatialEditDirectory, id_: str, frames: dict[int, tuple[Instance, ...]]) -> None:
    """Write the edited frames of a clip."""
    edits.write_frames(id_, {i: FrameMasks(i, SIZE_HW, found) for i, found in frames.items()})


def test_what_the_edits_hold_is_counted(
    edits: SpatialEditDirectory, instance: MakeInstance
) -> None:
    # Of 8 columns: 2, none, and 6, which the smaller instance is a part of; and 4.
    paint(edits, "a", {0: (instance(2),), 1: (), 3: (instance(6), instance(1, "hand"))})
    paint(edits, "c", {2: (instance(4),)})
    assert check_edits(edits.path).rows == [
        {
            "edits": str(edits.path),
            "clips": 3,
            "edited": 2,
            "unedited": 1,
            "frames": 12,
            "edited_frames": 4,
            "empty_frames": 1,
            "covered_percent": pytest.approx(100 * (2 + 0 + 6 + 4) / 8 / 4),
        }
    ]


def test_without_edits_nothing_is_covered_and_no_share_is_made_up(
    edits: SpatialEditDirectory,
) -> None:
    row = summary(edits)
    assert (row["edited"], row["unedited"], row["edited_frames"]) == (0, 3, 0)
    assert row["covered_percent"] is None


def test_edits_that_leave_all_frames_empty_cover_zero_percent(edits: SpatialEditDirectory) -> None:
    paint(edits, "b", {0: (), 1: ()})
    row = summary(edits)
    assert (row["edited"], row["empty_frames"], row["covered_percent"]) == (1, 2, 0)


def test_attention_that_does_not_fit_its_clip_is_named(edits: SpatialEditDirectory) -> None:
    maps = np.full((3, 2, 2), 0.5, dtype=np.float16)
    edits.write_attention("b", VideoAttention(maps, (0.0, 0.0, 8.0, 6.0)))
    with pytest.raises(AttncliError, match=r"attention/b\.npz: 4 maps of floats are expected"):
        check_edits(edits.path)
    edits.attention_path("b").unlink()
    with pytest.raises(AttncliError, match=r"attention/b\.npz: .*; select the clips again"):
        check_edits(edits.path)
    assert summary(edits)["clips"] == 3  # which looks at the edits alone


def test_edits_of_another_size_or_of_frames_there_are_not_are_named(
    edits: SpatialEditDirectory, instance: MakeInstance
) -> None:
    paint(edits, "a", {4: (instance(2),)})
    with pytest.raises(AttncliError, match=r"a\.jsonl, frame 4: the video has 4 frames"):
        check_edits(edits.path)
    edits.write_frames("a", {0: FrameMasks(0, (8, 6), ())})
    with pytest.raises(AttncliError, match=r"frame 0: masks are 6x8, the video is 8x6; edit this"):
        check_edits(edits.path)


def test_edits_of_a_clip_there_is_not_are_named(edits: SpatialEditDirectory) -> None:
    paint(edits, "z", {0: ()})
    with pytest.raises(AttncliError, match=r"z\.jsonl: no such clip: 'z'; move this file"):
        check_edits(edits.path)


def test_a_directory_without_edits_of_this_kind_is_no_place_to_check(tmp_path: Path) -> None:
    remedy = "name a directory `attncli edit-spatial select` wrote"
    with pytest.raises(AttncliError, match=f"none: no such edit directory; {remedy}"):
        check_edits(tmp_path / "none")
    with pytest.raises(AttncliError, match=rf"holds no config\.toml and clips\.csv; {remedy}"):
        check_edits(tmp_path)
