from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.data.samples import VideoSample
from attncli.errors import AttncliError
from attncli.files.attention import ClipRecord, attention_directory, open_attention
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.temporal_edits import TemporalEdits
from attncli.visualization.clips import ShownClip
from attncli.visualization.selection import CommonClip
from attncli.workflows.visualize.attention import NamedAttention
from attncli.workflows.visualize.views import VIEW_PX, film_of, read_still, read_view, video_samples
from tests.support.runs import begin_run, write_attention

FRAMES = (1, 3, 5)
SIZE_HW = (16, 24)
LEFT, RIGHT = (0.0, 0.0, 8.0, 16.0), (16.0, 0.0, 24.0, 16.0)
COLUMNS = VIEW_PX * 8 // 16
"""Columns of the view of either."""
MAPS = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 2, 2) / 100


@pytest.fixture
def video(tmp_path: Path) -> VideoSample:
    """Six frames: frame i is of grey 10 i in its left half, and of grey 100 + 10 i in its right."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for frame in range(6):
        picture = np.full((*SIZE_HW, 3), 10 * frame, np.uint8)
        picture[:, 12:] += 100
        Image.fromarray(picture).save(folder / f"{frame:06}.png")
    return VideoSample("v", folder, 0)


def record(
    row: int,
    *,
    label: str = "Hop",
    crop: tuple[float, float, float, float] = LEFT,
    flip: bool = False,
) -> ClipRecord:
    return ClipRecord(row, "v", label, ("Hop", "Run")[row], FRAMES, crop, flip)


def attention_of(path: Path, temporal: np.ndarray | None = None, **shown: Any) -> NamedAttention:
    """Return the attention of a run: a clip that it takes for Hop, and the same one, for Run."""
    records = [record(row, **shown) for row in range(2)]
    write_attention(path, records, spatial=MAPS, temporal=temporal)
    return NamedAttention(path, path.name, open_attention(attention_directory(path, "val")))


def view(
    sample: VideoSample, *runs: NamedAttention, rows: tuple[int, ...], **looks: Any
) -> ShownClip:
    """Return the view of a clip, of whose rows each run has one."""
    bits = np.arange(1.0, 1 + len(runs))
    return read_view(CommonClip("v", "Hop", rows), sample, runs, bits, **looks)


def test_the_part_of_the_frames_that_the_networks_saw_is_shown(
    tmp_path: Path, video: VideoSample
) -> None:
    left = view(video, attention_of(tmp_path / "left"), rows=(0,))
    assert (left.id, left.true_class, left.frame_indices) == ("v", "Hop", FRAMES)
    assert left.frames.shape == (3, VIEW_PX, COLUMNS, 3)
    right = view(video, attention_of(tmp_path / "right", crop=RIGHT), rows=(0,))
    for number, frame in enumerate(FRAMES):
        assert (left.frames[number] == 10 * frame).all()
        assert (right.frames[number] == 100 + 10 * frame).all()
    assert (left.masks, left.edited) == (None, None)


def test_every_run_answers_with_the_row_of_its_own(tmp_path: Path, video: VideoSample) -> None:
    temporal = np.array([[0.0, 0.1, 0.2], [0.3, 0.4, 0.5]], np.float32)
    runs = [attention_of(tmp_path / "abn"), attention_of(tmp_path / "st_abn", temporal)]
    right, wrong = view(video, *runs, rows=(0, 1)).runs
    assert (right.predicted, right.correct, right.entropy_bits) == ("Hop", True, 1.0)
    assert (wrong.predicted, wrong.correct, wrong.entropy_bits) == ("Run", False, 2.0)
    np.testing.assert_array_equal(right.attention, MAPS[0])
    np.testing.assert_array_equal(wrong.attention, MAPS[1])
    assert right.temporal is None
    np.testing.assert_array_equal(wrong.temporal, temporal[1])


def test_an_answer_to_a_clip_without_a_class_is_neither_right_nor_wrong(
    tmp_path: Path, video: VideoSample
) -> None:
    shown = view(video, attention_of(tmp_path / "abn", label=""), rows=(0,))
    assert (shown.true_class, shown.runs[0].correct) == (None, None)


def masked(directory: Path, size_hw: tuple[int, int] = SIZE_HW) -> Path:
    """Write masks of the six frames that cover the left sixth of each, but none of frame 3."""
    block = np.zeros(size_hw, bool)
    block[:, : size_hw[1] // 6] = True
    instance = Instance.of(block, category="person", score=1.0)
    with MaskWriter(directory, "v") as writer:
        for frame in range(6):
            writer.write(FrameMasks(frame, size_hw, () if frame == 3 else (instance,)))
    return directory


def test_masks_are_cut_and_mirrored_as_the_frames_are(tmp_path: Path, video: VideoSample) -> None:
    masks = masked(tmp_path / "masks")

    def covered(name: str, **shown: Any) -> ShownClip:
        return view(video, attention_of(tmp_path / name, **shown), rows=(0,), masks=masks)

    expected = np.zeros((VIEW_PX, COLUMNS), bool)
    expected[:, : COLUMNS // 2] = True  # a sixth of the frame is half of its left third
    for name, flip, half in (("plain", False, expected), ("mirrored", True, expected[:, ::-1])):
        unions = covered(name, flip=flip).masks
        assert unions is not None
        assert (unions[0] != half).mean() < 0.01  # where the border falls into a pixel
        assert not unions[1].any()
        np.testing.assert_array_equal(unions[2], unions[0])
    unions = covered("right", crop=RIGHT).masks
    assert unions is not None
    assert not unions.any()


def test_masks_of_another_size_are_named_with_what_to_do(
    tmp_path: Path, video: VideoSample
) -> None:
    run, masks = attention_of(tmp_path / "abn"), masked(tmp_path / "masks", (8, 12))
    with pytest.raises(AttncliError) as refused:
        view(video, run, rows=(0,), masks=masks)
    assert str(refused.value) == (
        f"{masks / 'v.jsonl'}: masks are 12x8, the video is 24x16; segment this video again"
    )


def test_what_people_gave_is_that_of_the_frames_shown(tmp_path: Path, video: VideoSample) -> None:
    run, scores = attention_of(tmp_path / "abn"), np.linspace(0, 1, 6, dtype=np.float32)
    edits = TemporalEdits(tmp_path / "edits.csv", {"v": scores})
    shown = view(video, run, rows=(0,), edits=edits)
    np.testing.assert_array_equal(shown.edited, scores[[1, 3, 5]])
    others = TemporalEdits(tmp_path / "edits.csv", {"w": scores})
    assert view(video, run, rows=(0,), edits=others).edited is None
    shorter = TemporalEdits(tmp_path / "edits.csv", {"v": scores[:5]})
    with pytest.raises(AttncliError, match=r"edits\.csv: clip 'v' has scores for 5 frames, but"):
        view(video, run, rows=(0,), edits=shorter)


def test_one_frame_is_cut_and_mirrored_as_its_clip(video: VideoSample) -> None:
    whole = (0.0, 0.0, 24.0, 16.0)
    plain, mirrored = (
        read_still(record(0, crop=whole, flip=flip), video, 5) for flip in (False, True)
    )
    assert plain.shape == (VIEW_PX, VIEW_PX * 24 // 16, 3)
    assert (plain[0, 0].tolist(), plain[-1, -1].tolist()) == ([50] * 3, [150] * 3)
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])


def test_a_frame_that_the_video_no_longer_has_is_an_index_error(video: VideoSample) -> None:
    with pytest.raises(IndexError, match="no frame 6 among 6"):
        read_still(record(0), video, 6)


def test_a_crop_may_leave_the_frame_by_a_rounding_error_only(video: VideoSample) -> None:
    edge = (16.0, 0.0, 24.4, 16.4)
    assert (read_still(record(0, crop=edge), video, 0) == 100).all()
    for crop in ((16.0, 0.0, 25.5, 16.0), (16.0, 0.0, 24.0, 17.5)):
        with pytest.raises(AttncliError, match="24x16 pixels do not hold the clip's crop; give"):
            read_still(record(0, crop=crop), video, 0)


def test_videos_are_found_in_every_split_and_in_other_data(tmp_path: Path) -> None:
    own, other = tmp_path / "own.csv", tmp_path / "other.csv"
    own.write_text("id,path,label,split\na,a.avi,A,train\nb,b.avi,B,val\n")
    other.write_text("id,path,label,split\na,elsewhere/a.avi,A,val\n")
    (tmp_path / "elsewhere").mkdir()
    for name in ("a.avi", "b.avi", "elsewhere/a.avi"):
        (tmp_path / name).touch()
    run = begin_run(tmp_path / "abn", "abn", own)
    wanted = [CommonClip(id_, "", (0,)) for id_ in ("b", "a")]
    found = video_samples(wanted, run, None)
    assert [found[id_].path for id_ in "ab"] == [tmp_path / "a.avi", tmp_path / "b.avi"]
    elsewhere = video_samples(wanted[1:], tmp_path / "attention alone", other)
    assert elsewhere["a"].path == tmp_path / "elsewhere" / "a.avi"
    with pytest.raises(AttncliError, match=r"other\.csv: no such video: 'b'; give the dataset"):
        video_samples(wanted, run, other)


def test_the_film_of_a_clip_is_every_frame_cut_as_the_clip_is(
    tmp_path: Path, video: VideoSample
) -> None:
    shown = view(video, attention_of(tmp_path / "right", crop=RIGHT), rows=(0,))
    film = film_of(shown, record(0, crop=RIGHT), video)
    frames = list(film.frames)
    assert [int(frame[0, 0, 0]) for frame in frames] == [100 + 10 * i for i in range(6)]
    assert frames[0].shape == shown.frames.shape[1:]
    assert (film.rate, film.masks) == (25, None)


def test_the_masks_of_a_film_are_those_of_each_frame(tmp_path: Path, video: VideoSample) -> None:
    half = np.zeros(SIZE_HW, bool)
    half[:, :4] = True
    with MaskWriter(tmp_path / "masks", "v") as writer:
        for frame in range(6):
            given = (Instance.of(half, category="person", score=1.0),) if frame == 2 else ()
            writer.write(FrameMasks(frame, SIZE_HW, given))
    shown = view(video, attention_of(tmp_path / "left"), rows=(0,))
    film = film_of(shown, record(0), video, masks=tmp_path / "masks")
    assert film.masks is not None
    assert not film.masks(1).any()
    assert film.masks(2)[:, : COLUMNS // 2 - 8].all()
    assert not film.masks(2)[:, COLUMNS // 2 + 8 :].any()
