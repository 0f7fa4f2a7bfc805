from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.config.ram import SequenceConfig
from attncli.data.clips.reading import ClipSample
from attncli.data.faces.boxes import Faces
from attncli.data.faces.sequences import SequenceReader, SequenceStore, sequence_clips
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.source import batch_loader
from attncli.data.video.reading import count_frames, frame_size_hw, read_clip
from attncli.errors import AttncliError, Failure
from attncli.files.faces import FaceBox

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12

BOX = (10, 4, 50, 44)


def _config(**changes):
    return SequenceConfig(data=Path(), **({"face_px": 16, "margin_px": 4} | changes))


@pytest.fixture
def make_sequence(tmp_path, frames_of):
    """Writes a sequence of textured frames, of 48 rows and 64 columns."""

    def make(id_, n, *, label=0, seed=0):
        folder = tmp_path / id_
        folder.mkdir(parents=True)
        for number, frame in enumerate(frames_of(n, seed=seed) if n else (), start=1):
            Image.fromarray(frame).save(folder / f"s_{number}.png")
        return VideoSample(id_, folder, label, subject=id_)

    return make


def _dataset(*samples, classes=("a", "b")):
    return VideoDataset("manifest", Path(), classes, samples)


def _faces(*ids, box=BOX):
    return Faces({id_: FaceBox("landmarks", *box) for id_ in ids})


def _clips(dataset, config, *, training=False, seed=0, faces=None):
    faces = faces or _faces(*(sample.id for sample in dataset.samples))
    store = SequenceStore(config, faces)
    clips = sequence_clips(dataset, config)
    return SequenceReader(clips, config, store=store, training=training, seed=seed)


def _stored(file, *, mode, side=20, box=BOX):
    with Image.open(file) as image:
        picture = image.convert("RGB").convert(mode)
        cut = picture.resize((side, side), Image.Resampling.BILINEAR, box=box).convert("RGB")
        return np.array(cut)


@pytest.mark.parametrize(
    ("n", "changes", "starts"),
    [
        (8, {}, [0]),
        (9, {}, [1]),
        (10, {}, [0, 2]),
        (11, {}, [1, 3]),
        (3, {}, [-5]),
        (1, {}, [-7]),
        (3, {"padding": "last"}, [0]),
        (1, {"padding": "last"}, [0]),
        (10, {"padding": "last"}, [0, 2]),
        (13, {"clip_step": 3}, [2, 5]),
        (13, {"clip_step": 100}, [5]),
        (13, {"clips": "tail"}, [5]),
        (3, {"clips": "tail"}, [-5]),
        (3, {"frames": 1, "clip_step": 1}, [0, 1, 2]),
        (0, {}, [0]),
        (0, {"padding": "error"}, [0]),
        (8, {"padding": "error"}, [0]),
    ],
)
def test_clips_are_counted_back_from_the_apex(make_sequence, n, changes, starts):
    sample = make_sequence("x", n)
    clips = sequence_clips(_dataset(sample), _config(**changes))
    assert clips.samples == tuple(replace(sample, start=start) for start in starts)


def test_clips_of_sequences_follow_each_other(make_sequence, tmp_path):
    gone = VideoSample("gone", tmp_path / "gone", 1)
    dataset = _dataset(make_sequence("x", 10), gone, make_sequence("y", 11))
    clips = sequence_clips(replace(dataset, notes=("a note",)), _config())
    assert [(sample.id, sample.start) for sample in clips.samples] == [
        *(("x", 0), ("x", 2), ("gone", 0), ("y", 1), ("y", 3)),
    ]
    assert clips.notes == ("a note",)


def test_short_sequences_can_be_refused(make_sequence):
    with pytest.raises(
        AttncliError, match="x: sequence 'x' has 3 frames, a clip has 8; use --padding first"
    ):
        sequence_clips(_dataset(make_sequence("x", 3)), _config(padding="error"))


@pytest.mark.parametrize(
    ("padding", "indices"), [("first", [0] * 6 + [1, 2]), ("last", [0, 1] + [2] * 6)]
)
def test_short_sequences_are_filled_up(make_sequence, padding, indices):
    clip = _clips(_dataset(make_sequence("x", 3)), _config(padding=padding))[0]
    assert clip.frame_indices.tolist() == indices
    for shown, index in zip(clip.frames, indices, strict=True):
        assert torch.equal(shown, clip.frames[indices.index(index)])


@pytest.mark.parametrize(("color", "mode"), [("grey", "L"), ("rgb", "RGB")])
def test_validation_shows_the_centre_of_the_face(make_sequence, color, mode):
    sample = make_sequence("x", 11, label=1)
    clip = _clips(_dataset(sample), _config(color=color))[1]
    assert (clip.label, clip.row, clip.flip) == (1, 1, False)
    assert clip.frame_indices.tolist() == list(range(3, 11))
    assert clip.frames.shape == (8, 16, 16, 3)
    for shown, index in zip(clip.frames, clip.frame_indices.tolist(), strict=True):
        stored = _stored(sample.path / f"s_{index + 1}.png", mode=mode)
        np.testing.assert_array_equal(shown, stored[2:18, 2:18])
    # The face is 40 pixels wide, stored in 20: 2 of margin are 4 in the source.
    assert clip.crop == (14.0, 8.0, 46.0, 40.0)


def test_grey_pictures_stay_what_they_are(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    values = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
    Image.fromarray(values).save(folder / "1.png")
    faces = _faces("x", box=(0, 0, 20, 20))
    dataset = _dataset(VideoSample("x", folder, 0))
    clip = _clips(dataset, _config(frames=1, margin_px=4), faces=faces)[0]
    np.testing.assert_array_equal(clip.frames[0, ..., 0], values[2:18, 2:18])
    assert torch.equal(clip.frames[..., 0], clip.frames[..., 2])


def test_training_clips_follow_from_seed_epoch_and_row(make_sequence):
    dataset = _dataset(make_sequence("x", 24), make_sequence("y", 24, seed=1))

    def views(epoch, seed=0):
        clips = _clips(dataset, _config(), training=True, seed=seed)
        clips.set_epoch(epoch)
        return [(clips[row].crop, clips[row].flip) for row in range(len(clips))]

    assert views(0) == views(0)
    assert views(0) != views(1)
    assert views(0) != views(0, seed=1)
    boxes, flips = zip(*views(0), *views(1), *views(2), strict=True)
    assert len(set(boxes)) > 10
    assert {False, True} == set(flips)
    # Windows of 16 lie anywhere in 20, which are 40 pixels of the source from column 10, row 4.
    assert {left for left, *_ in boxes} == {10, 12, 14, 16, 18}
    assert {top for _, top, *_ in boxes} == {4, 6, 8, 10, 12}


def test_training_clips_show_what_their_box_says(make_sequence):
    sample = make_sequence("x", 24)
    clips = _clips(_dataset(sample), _config(), training=True)
    for row in range(len(clips)):
        clip = clips[row]
        left, top, right, bottom = (
            round((side - origin) / 2)
            for side, origin in zip(clip.crop, (10, 4, 10, 4), strict=True)
        )
        for shown, index in zip(clip.frames, clip.frame_indices.tolist(), strict=True):
            stored = _stored(sample.path / f"s_{index + 1}.png", mode="L")
            window = stored[top:bottom, left:right]
            np.testing.assert_array_equal(shown, window[:, ::-1] if clip.flip else window)


def test_mirrored_clips_follow_the_rule_for_labels(make_sequence):
    sample = make_sequence("x", 24, label=0)

    def flips(classes, flip, training=True):
        dataset = _dataset(sample, classes=classes)
        clips = _clips(dataset, _config(flip=flip), training=training)
        return {(clips[row].flip, clips[row].label) for row in range(len(clips))}

    assert flips(("look left", "look right"), "swap-labels") == {(False, 0), (True, 1)}
    assert flips(("look left", "look right"), "auto") == {(False, 0)}
    assert flips(("happy", "fear"), "auto") == {(False, 0), (True, 0)}
    assert flips(("happy", "fear"), "none") == {(False, 0)}
    assert flips(("happy", "fear"), "plain", training=False) == {(False, 0)}


@pytest.mark.parametrize("margin_px", [0, 5])
def test_any_margin_will_do(make_sequence, margin_px):
    dataset = _dataset(make_sequence("x", 8))
    for training in (True, False):
        clip = _clips(dataset, _config(margin_px=margin_px), training=training)[0]
        assert clip.frames.shape == (8, 16, 16, 3)


def test_chosen_files_of_a_folder_are_a_sequence(make_sequence):
    whole = make_sequence("x", 6)
    files = tuple(whole.path / f"s_{number}.png" for number in (5, 2))
    listed = replace(whole, files=files)
    assert count_frames(listed.path, files=files) == 2
    assert frame_size_hw(listed.path, files=files) == (48, 64)
    clip = _clips(_dataset(listed), _config(frames=2))[0]
    assert clip.frame_indices.tolist() == [0, 1]
    np.testing.assert_array_equal(clip.frames[0], _stored(files[0], mode="L")[2:18, 2:18])
    read = read_clip(listed.path, lambda n: np.arange(n), files=files)
    expected = read_clip(whole.path, lambda _: np.array([4, 1]))
    assert read.n_frames == 2
    np.testing.assert_array_equal(read.frames, expected.frames)


def test_video_files_are_sequences_too(make_video):
    path = make_video("x.avi", 10)
    clip = _clips(_dataset(VideoSample("x", path, 0)), _config())[1]
    assert clip.frame_indices.tolist() == list(range(2, 10))


def _other_size(sample):
    Image.new("RGB", (32, 24)).save(sample.path / "s_5.png")


def _cut_short(sample):
    file = sample.path / "s_5.png"
    file.write_bytes(file.read_bytes()[:-60])


def _broken_chunk(sample):
    # Of two chunks of pixels the second has a name that is none.
    values = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    file = sample.path / "s_5.png"
    Image.fromarray(values).save(file)
    data = bytearray(file.read_bytes())
    start = data.index(b"IDAT") - 4
    length = int.from_bytes(data[start : start + 4])
    half = length // 2
    body = bytes(data[start + 8 : start + 8 + length])
    chunks = b"".join(
        len(part).to_bytes(4) + name + part + (0).to_bytes(4)
        for name, part in ((b"IDAT", body[:half]), (b"\x00\x01\x02\x03", body[half:]))
    )
    file.write_bytes(bytes(data[:start]) + chunks + bytes(data[start + 12 + length :]))


def _no_image(sample):
    (sample.path / "s_5.png").write_text("not an image")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_other_size, r"s_5\.png is 32x24, not 64x48"),
        (_cut_short, r"s_5\.png: "),
        (_broken_chunk, r"s_5\.png: "),
        (_no_image, r"s_5\.png"),
    ],
)
def test_a_sequence_with_a_bad_frame_fails_as_a_whole(make_sequence, damage, message):
    bad, good = make_sequence("bad", 12), make_sequence("good", 8)
    damage(bad)
    clips = _clips(_dataset(bad, good), _config())
    failures = [clips[row] for row in range(3)]
    assert len(set(failures)) == 1
    assert isinstance(failures[0], Failure)
    assert (failures[0].id, failures[0].path) == ("bad", str(bad.path))
    with pytest.raises(Failed, match=message):
        raise Failed(failures[0].error)
    assert "\n" not in failures[0].error
    assert isinstance(clips[3], ClipSample)


class Failed(Exception):
    """Lets pytest match a message."""


def test_sequences_that_are_not_there_fail_by_name(make_sequence, tmp_path):
    gone = VideoSample("gone", tmp_path / "gone", 0)
    missing = VideoSample("file", tmp_path, 0, files=(tmp_path / "gone.png",))
    outside = make_sequence("outside", 8)
    unknown = make_sequence("unknown", 8)
    dataset = _dataset(make_sequence("empty", 0), gone, missing, outside, unknown)
    faces = _faces("outside", "file", box=(0, 0, 50, 50))
    clips = _clips(dataset, _config(), faces=faces)
    errors = [clips[row].error for row in range(len(clips))]
    for error, message in zip(
        errors,
        (
            "empty: holds no images",
            "gone: ",
            "gone.png",
            "outside: face 0,0 to 50,50 is not inside a frame of 64x48; look for faces again",
            "unknown: has no face box; look for faces again",
        ),
        strict=True,
    ):
        assert message in error


def test_sequences_are_read_once_for_all_datasets(make_sequence, monkeypatch):
    read = []
    original = Image.open
    monkeypatch.setattr(Image, "open", lambda file: read.append(Path(file)) or original(file))
    dataset, config = _dataset(make_sequence("x", 12), make_sequence("y", 8)), _config()
    clips = sequence_clips(dataset, config)
    store = SequenceStore(config, _faces("x", "y"))
    for training in (True, False):
        SequenceReader(clips, config, store=store, training=training, seed=0)
    n_looked_at = len(read)
    assert n_looked_at == 12 + 8 + 2  # the first frame's size is looked at before
    x, again, y = store.read((*clips.samples[:2], clips.samples[-1]))
    assert x is again
    assert len(x.frames) == 12
    assert len(y.frames) == 8
    assert len(read) == n_looked_at


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_the_same_in_any_number_of_processes(make_sequence, workers):
    dataset = _dataset(make_sequence("x", 12), make_sequence("y", 9, label=1))
    clips = _clips(dataset, _config(), training=True)
    expected = [clips[row] for row in range(4)]
    (batch,) = batch_loader(clips, batches=[[0, 1, 2, 3]], workers=workers)
    assert batch.frames.shape == (4, 3, 8, 16, 16)
    assert batch.labels.tolist() == [0, 0, 0, 1]
    for row, clip in enumerate(expected):
        assert torch.equal(batch.frames[row], clip.frames.permute(3, 0, 1, 2))
    clips.set_epoch(1)
    (later,) = batch_loader(clips, batches=[[0, 1, 2, 3]], workers=workers)
    assert not torch.equal(later.crops, batch.crops)


def test_a_gap_between_the_frames_of_a_sequence_is_said(make_sequence):
    whole, gap = make_sequence("whole", 8), make_sequence("gap", 9)
    (gap.path / "s_4.png").unlink()
    clips = _clips(_dataset(whole, gap), _config())
    remarks = [clips[row].remark for row in range(2)]
    assert remarks[0] is None
    assert (remarks[1].id, remarks[1].path) == ("gap", str(gap.path))
    assert remarks[1].text == "no frame between s_3.png and s_5.png (1 is missing)"
