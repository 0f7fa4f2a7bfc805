import json
from pathlib import Path

import numpy as np
import pytest

from attncli.config.edit_spatial import SelectSpatialConfig
from attncli.config.toml import dump
from attncli.errors import AttncliError
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.spatial_edits import (
    SpatialClip,
    SpatialEditDirectory,
    VideoAttention,
    open_spatial_edits,
)

SIZE_HW = (6, 8)

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def column(x: int) -> np.ndarray:
    mask = np.zeros(SIZE_HW, dtype=np.bool_)
    mask[:, x] = True
    return mask


def painted(frame: int, *columns: int, size_hw: tuple[int, int] = SIZE_HW) -> FrameMasks:
    instances = tuple(Instance.of(column(x), category="attention", score=1.0) for x in columns)
    return FrameMasks(frame, size_hw, instances)


@pytest.fixture
def directory(tmp_path: Path) -> SpatialEditDirectory:
    made = SpatialEditDirectory(tmp_path / "spatial")
    made.path.mkdir()
    made.config_path.write_text(dump(SelectSpatialConfig(run=tmp_path, masks=tmp_path / "masks")))
    names = ("a/1", "b.x", "c")
    made.write_clips(SpatialClip(id_, "Push", "Pull", 5, 12.5, 8, 6) for id_ in names)
    return made


def test_clips_settings_and_attention_come_back(
    directory: SpatialEditDirectory, tmp_path: Path
) -> None:
    assert open_spatial_edits(directory.path) == directory
    clip = directory.read_clips()["b.x"]
    assert (clip.frames, clip.fps, clip.size_hw) == (5, 12.5, SIZE_HW)
    assert directory.read_settings().masks == tmp_path / "masks"
    maps = np.random.default_rng(0).random((5, 2, 3)).astype(np.float16)
    directory.write_attention("a/1", VideoAttention(maps, (1.0, 0.0, 7.0, 6.0)))
    found = directory.read_attention(directory.read_clips()["a/1"])
    np.testing.assert_array_equal(found.maps, maps)
    assert found.crop == (1, 0, 7, 6)


def test_only_frames_with_a_line_of_their_own_are_edited(directory: SpatialEditDirectory) -> None:
    assert not directory.has_edits()
    directory.write_frames("a/1", {3: painted(3), 1: painted(1, 0, 2)})
    assert directory.has_edits()
    edits = directory.read_edits()
    assert (edits.ids, edits.frames["a/1"]) == (("a/1",), (1, 3))
    masks, is_edited = edits.read("a/1", np.array([2, 1, 3, 4, 1])) or (None, None)
    assert is_edited is not None and masks is not None
    assert is_edited.tolist() == [False, True, True, False, True]
    np.testing.assert_array_equal(masks[1], column(0) | column(2))
    np.testing.assert_array_equal(masks[4], masks[1])
    assert not masks[[0, 2, 3]].any()
    assert edits.read("c", np.array([0])) is None
    nowhere, none = edits.read("a/1", np.array([0, 4])) or (None, None)
    assert nowhere is not None and none is not None
    assert nowhere.shape == (2, *SIZE_HW) and not nowhere.any() and not none.any()


def test_a_clip_that_loses_its_last_edit_is_unedited(directory: SpatialEditDirectory) -> None:
    directory.write_frames("a/1", {2: painted(2)})
    directory.write_frames("a/1", {})
    assert directory.read_edits().ids == ()
    assert directory.read_frames(directory.read_clips()["a/1"]) == {}


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([painted(5, 1)], r"a/1\.jsonl, frame 5: the video has 5 frames"),
        ([painted(0, size_hw=(8, 6))], r"masks are 6x8, the video is 8x6; edit this clip again"),
        ([painted(2, 1), painted(2, 1)], r"a/1\.jsonl:2: .*frame numbers must increase"),
        ([], r"a/1\.jsonl: holds no line; delete this file"),
    ],
)
def test_edits_that_do_not_fit_their_clip_are_refused(
    directory: SpatialEditDirectory, frames: list[FrameMasks], message: str
) -> None:
    with MaskWriter(directory.edits.root, "a/1") as writer:
        for masks in frames:
            writer.write(masks)
    with pytest.raises(AttncliError, match=message):
        directory.read_edits()


def test_unreadable_lines_are_named(directory: SpatialEditDirectory) -> None:
    path = directory.edits.path("a/1")
    directory.write_frames("a/1", {1: painted(1, 0)})
    line = json.loads(path.read_text())
    path.write_text("no JSON\n")
    with pytest.raises(AttncliError, match=r"a/1\.jsonl:1: not a line of masks"):
        directory.read_edits()
    line["instances"][0]["counts"] = "1"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(AttncliError, match=r"frame 1: run lengths do not fill 48 pixels"):
        directory.read_edits()


def test_edits_of_no_clip_and_of_no_training_clip_are_refused(
    directory: SpatialEditDirectory,
) -> None:
    directory.write_frames("c", {0: painted(0)})
    with pytest.raises(AttncliError, match=r"edits/c\.jsonl: no such clip: 'c'"):
        directory.read_edits(known={"a/1", "b.x"})
    directory.write_frames("d", {0: painted(0)})
    with pytest.raises(AttncliError, match="no such clip: 'd'"):
        directory.read_edits()


def test_missing_and_broken_attention_is_named(directory: SpatialEditDirectory) -> None:
    clip = directory.read_clips()["b.x"]
    path = directory.attention_path(clip.id)
    with pytest.raises(AttncliError, match=r"attention/b\.x\.npz: no such file or directory; sel"):
        directory.read_attention(clip)
    path.parent.mkdir()
    for content in (b"", b"no archive"):
        path.write_bytes(content)
        with pytest.raises(
            AttncliError, match=r"b\.x\.npz: does not hold the arrays maps and crop"
        ):
            directory.read_attention(clip)


@pytest.mark.parametrize(
    ("maps", "crop", "complaint"),
    [
        (np.zeros((4, 2, 2), np.float16), np.arange(4.0), "5 maps of floats are expected"),
        (np.zeros((5, 2), np.float16), np.arange(4.0), "5 maps of floats are expected"),
        (np.zeros((5, 2, 2), np.int8), np.arange(4.0), "5 maps of floats are expected, not int8"),
        (np.zeros((5, 0, 2), np.float16), np.arange(4.0), "5 maps of floats are expected"),
        (np.full((5, 2, 2), 2.0), np.arange(4.0), "row 0: a value is 2, attention is in"),
        (np.full((5, 2, 2), np.nan), np.arange(4.0), "row 0: a value is not finite"),
        (np.zeros((5, 2, 2)), np.arange(3.0), "its crop must be four numbers"),
        (np.zeros((5, 2, 2)), np.full(4, np.inf), "its crop must be four numbers"),
    ],
)
def test_attention_of_another_shape_kind_or_range_is_refused(
    directory: SpatialEditDirectory, maps: np.ndarray, crop: np.ndarray, complaint: str
) -> None:
    clip = directory.read_clips()["b.x"]
    path = directory.attention_path(clip.id)
    path.parent.mkdir()
    np.savez(path, maps=maps, crop=crop)
    with pytest.raises(AttncliError, match=rf"b\.x\.npz: {complaint}"):
        directory.read_attention(clip)


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"no such edit directory; .*edit-spatial select"):
        open_spatial_edits(tmp_path / "gone")
