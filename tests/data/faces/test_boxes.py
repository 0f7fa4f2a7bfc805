from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.data.faces.boxes import Faces, detected_box, find_faces, read_faces, write_faces
from attncli.data.samples import VideoDataset, VideoSample
from attncli.errors import AttncliError
from attncli.files.faces import FaceBox
from attncli.reporting import Silent


@pytest.fixture
def make_sequence(tmp_path):
    """Writes grey frames, the first of them given, and landmarks of the first where given."""

    def make(id_, frame=None, *, size=(64, 48), points=None):
        folder = tmp_path / "images" / id_
        folder.mkdir(parents=True)
        blank = np.full((*size[::-1], 3), 128, np.uint8)
        for number, image in enumerate((blank if frame is None else frame, blank), start=1):
            Image.fromarray(image).save(folder / f"s_{number}.png")
        landmarks = tmp_path / "Landmarks" / id_
        landmarks.mkdir(parents=True)
        if points is not None:
            lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points)
            (landmarks / "s_1_landmarks.txt").write_text(lines)
            (landmarks / "s_2_landmarks.txt").write_text("not looked at")
        return VideoSample(id_, folder, 0, subject="s", landmarks=landmarks)

    return make


def _find(samples, crop="auto", layout="manifest"):
    return find_faces(VideoDataset(layout, Path(), ("c",), tuple(samples)), crop, reporter=Silent())


def _points(left, top, right, bottom):
    inner = [((left + right) / 2, (top + bottom) / 2)] * 64
    return [(left, (top + bottom) / 2), (right, bottom), (left, top), (right, top), *inner]


@pytest.fixture(scope="module")
def astronaut():
    data = pytest.importorskip("skimage.data")
    return data.astronaut()


@pytest.mark.parametrize(
    ("points", "size", "box"),
    [
        # 100 wide; 80 high, and 20 for the forehead: 100 around (150, 130), times 1.2
        (_points(100, 100, 200, 180), (640, 490), (90, 70, 210, 190)),
        # wider than high: the width counts, centred between forehead and chin
        (_points(100, 100, 300, 140), (640, 490), (80, -5, 320, 235)),
        (_points(0, 10, 100, 90), (640, 490), (0, 0, 120, 120)),
        (_points(540, 400, 640, 480), (640, 490), (520, 370, 640, 490)),
        (_points(20, 20, 60, 52), (64, 48), (16, 0, 64, 48)),
    ],
)
def test_the_square_around_landmarks_takes_in_the_forehead(make_sequence, points, size, box):
    faces = _find([make_sequence("a", size=size, points=points)], "landmarks")
    left, top, right, bottom = box
    shift = max(0, -top)
    expected = FaceBox("landmarks", left, top + shift, right, bottom + shift)
    assert faces.boxes == {"a": expected}
    assert expected == _find([make_sequence("b", size=size, points=points)]).boxes["b"]


@pytest.mark.parametrize(
    ("crop", "size", "box"),
    [
        ("centre", (64, 48), (8, 0, 56, 48)),
        ("centre", (47, 65), (0, 9, 47, 56)),
        ("none", (48, 48), (0, 0, 48, 48)),
        ("none", (64, 48), (8, 0, 56, 48)),
    ],
)
def test_the_centre_and_whole_frames_are_squares(make_sequence, crop, size, box):
    points = _points(20, 20, 30, 30)
    faces = _find([make_sequence("a", size=size, points=points)], crop)
    assert faces.boxes == {"a": FaceBox(crop, *box)}


def test_the_detector_finds_the_face_at_any_scale(astronaut, make_sequence):
    # The face of the picture, from the middle of the forehead to the chin and ear to ear.
    inner, outer = (185, 75, 260, 165), (130, 30, 315, 215)
    for scale in (1, 2):
        size = 512 * scale, 512 * scale
        frame = np.array(Image.fromarray(astronaut).resize(size))
        box = detected_box(frame)
        assert box is not None
        assert box.right - box.left == box.bottom - box.top
        assert box.left <= scale * inner[0] and box.right >= scale * inner[2]
        assert box.top <= scale * inner[1] and box.bottom >= scale * inner[3]
        assert box.left >= scale * outer[0] and box.right <= scale * outer[2]
        assert box.top >= scale * outer[1] and box.bottom <= scale * outer[3]
    sample = make_sequence("a", frame=astronaut, size=(512, 512))
    assert _find([sample], "detector").boxes == {"a": detected_box(astronaut)}


@pytest.mark.parametrize("size", [(8, 8), (24, 24), (30, 400), (48, 48)])
def test_frames_too_small_for_a_face_have_none(size):
    assert detected_box(np.full((*size, 3), 128, np.uint8)) is None


def test_auto_takes_what_there_is_and_says_so(astronaut, make_sequence):
    samples = [
        make_sequence("a", points=_points(20, 20, 30, 30)),
        make_sequence("b", frame=astronaut, size=(512, 512)),
        make_sequence("c"),
        make_sequence("d"),
        replace(make_sequence("e"), landmarks=None),
    ]
    faces = _find(samples)
    assert list(faces.boxes) == ["a", "b", "c", "d", "e"]
    assert [box.source for box in faces.boxes.values()] == [
        *("landmarks", "detector", "centre", "centre", "centre"),
    ]
    assert faces.notes() == ("faces of 1 sequences by landmarks, 1 by detector, 3 by centre",)
    assert Faces({}).notes() == ()


def test_pictures_of_ck48_are_faces_already(make_sequence, astronaut):
    sample = make_sequence("a", frame=astronaut, size=(512, 512))
    listed = replace(sample, files=tuple(sorted(sample.path.iterdir())), landmarks=None)
    faces = _find([listed], layout="ckplus")
    assert faces.boxes == {"a": FaceBox("none", 0, 0, 512, 512)}
    assert faces.notes() == ("faces of 1 sequences uncut",)
    assert _find([listed], "centre", "ckplus").boxes["a"].source == "centre"
    assert _find([sample], layout="ckplus").boxes["a"].source == "detector"


@pytest.mark.parametrize(
    ("crop", "message"),
    [
        (
            "landmarks",
            "images/a: sequence 'a': has no landmarks of its first frame in .*rks/a; use",
        ),
        (
            "detector",
            "images/a: sequence 'a': no face is found in its first frame; use --face-crop",
        ),
    ],
)
def test_what_was_asked_for_must_be_there(make_sequence, crop, message):
    with pytest.raises(AttncliError, match=message):
        _find([make_sequence("a")], crop)


@pytest.mark.parametrize("crop", ["auto", "landmarks", "detector", "centre", "none"])
def test_sequences_that_cannot_be_read_have_no_face(make_sequence, tmp_path, crop):
    (tmp_path / "empty").mkdir()
    broken = make_sequence("broken")
    (broken.path / "s_1.png").write_bytes(b"no image")
    samples = [
        VideoSample("empty", tmp_path / "empty", 0),
        VideoSample("gone", tmp_path / "gone", 0),
        VideoSample("listed", tmp_path, 0, files=(tmp_path / "gone.png",)),
        broken,
    ]
    assert _find(samples, crop).boxes == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n" * 67, "expected 68 lines of two numbers; use"),
        ("1 2\n" * 69, "expected 68 lines of two numbers"),
        ("1 2\n" * 67 + "1\n", "expected 68 lines of two numbers"),
        ("1 2\n" * 67 + "1 nan\n", "expected 68 lines of two numbers"),
        ("1 2\n" * 67 + "1 two\n", "landmarks cannot be read"),
        ("", "expected 68 lines of two numbers"),
        ("1000 2\n" * 68, "landmarks lie outside a frame of 64x48 pixels; use"),
    ],
)
def test_malformed_landmarks_are_named(make_sequence, text, message):
    sample = make_sequence("a", points=[])
    file = sample.landmarks / "s_1_landmarks.txt"
    file.write_text(text)
    with pytest.raises(AttncliError, match=message) as error:
        _find([sample])
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_faces_of_a_run_are_read_back(tmp_path, make_sequence):
    dataset = VideoDataset("manifest", tmp_path, ("c",), (make_sequence("a"), make_sequence("b")))
    faces = find_faces(dataset, "centre", reporter=Silent())
    write_faces(tmp_path / "faces.csv", faces)
    assert read_faces(tmp_path / "faces.csv", dataset) == faces
    with pytest.raises(AttncliError, match=r"faces\.csv, line 3: the dataset has no sequence 'b'"):
        read_faces(tmp_path / "faces.csv", replace(dataset, samples=dataset.samples[:1]))
