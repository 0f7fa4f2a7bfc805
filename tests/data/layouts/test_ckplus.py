import shutil
from pathlib import Path

import pytest

from attncli.data.layouts import open_dataset, recognise
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError

IMAGES = "cohn-kanade-images"
EMOTIONS = {"S005/001": "3", "S010/002": "7", "S010/010": "1", "S011/001": None, "S011/002": None}
"""Of S011/001 the folder of emotions is empty, of S011/002 it is missing."""


@pytest.fixture
def make_native(tmp_path):
    """Writes the layout as it is distributed, images being empty files."""

    def make(images=IMAGES, emotion="Emotion", landmarks=True):
        for id_, code in EMOTIONS.items():
            name = id_.replace("/", "_")
            for number in (1, 2, 10):
                image = tmp_path / images / id_ / f"{name}_{number:08}.png"
                image.parent.mkdir(parents=True, exist_ok=True)
                image.touch()
            if id_ != "S011/002":
                (tmp_path / emotion / id_).mkdir(parents=True)
            if code:
                file = tmp_path / emotion / id_ / f"{name}_00000010_emotion.txt"
                file.write_text(f"   {code}.0000000e+00\n")
            if landmarks and id_ != "S010/010":
                (tmp_path / "Landmarks" / id_).mkdir(parents=True)
        for place in (images, f"{images}/S005", f"{images}/S005/001", f"{emotion}/S005/001"):
            (tmp_path / place / ".DS_Store").touch()
        (tmp_path / images / "__MACOSX").mkdir()
        (tmp_path / images / "S005" / "001" / "._S005_001_00000001.png").touch()
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("images", "emotion"),
    [
        (IMAGES, "Emotion"),
        (f"extended-cohn-kanade-images/{IMAGES}", "Emotion"),
        (f"extended-cohn-kanade-images/{IMAGES}", "Emotion_labels/Emotion"),
    ],
)
def test_labelled_sequences_are_found_wherever_they_lie(make_native, images, emotion):
    root = make_native(images, emotion)
    assert recognise(root) == "ckplus"
    dataset = open_dataset(root, split="all")
    assert dataset.layout == "ckplus"
    assert dataset.classes == (
        *("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"),
    )
    assert dataset.samples == tuple(
        VideoSample(id_, root / images / id_, label, subject=id_[:4], landmarks=points)
        for id_, label, points in (
            ("S005/001", 2, root / "Landmarks/S005/001"),
            ("S010/002", 6, root / "Landmarks/S010/002"),
            ("S010/010", 0, None),
        )
    )
    assert dataset.notes == ("2 of 5 sequences have no emotion label and are left out",)


def test_landmarks_may_be_missing_altogether(make_native):
    dataset = open_dataset(make_native(landmarks=False), split="all")
    assert {sample.landmarks for sample in dataset.samples} == {None}


def test_without_emotions_there_is_nothing_to_learn(make_native):
    root = make_native()
    shutil.rmtree(root / "Emotion")
    with pytest.raises(AttncliError, match=r"cohn-kanade-images: has no directory Emotion/ beside"):
        open_dataset(root, split="all")


@pytest.mark.parametrize("text", ["0", "8", "3.5", "-1", "", "happy", "nan", "1e400", "3 4"])
def test_codes_other_than_the_seven_are_refused_by_name(make_native, text):
    root = make_native()
    file = root / "Emotion/S010/002/S010_002_00000010_emotion.txt"
    file.write_text(text)
    with pytest.raises(AttncliError) as error:
        open_dataset(root, split="all")
    assert str(error.value).startswith(f"{file}: emotion must be one of 1 to 7, not {text!r}; ")


def test_a_file_of_bytes_is_no_emotion(make_native):
    file = make_native() / "Emotion/S010/002/S010_002_00000010_emotion.txt"
    file.write_bytes(b"\xff\xfe3")
    with pytest.raises(AttncliError, match=r"S010_002_00000010_emotion\.txt: cannot be read"):
        open_dataset(file.parents[3], split="all")


@pytest.mark.parametrize("frames", ["no folder", "no images"])
def test_an_emotion_without_frames_stays_in_the_list(make_native, frames):
    root = make_native()
    folder = root / IMAGES / "S010/002"
    shutil.rmtree(folder)
    if frames == "no images":
        folder.mkdir()
    dataset = open_dataset(root, split="all")
    assert [sample.id for sample in dataset.samples] == ["S005/001", "S010/002", "S010/010"]
    assert dataset.notes == ("2 of 5 sequences have no emotion label and are left out",)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (f"{IMAGES}/S005/001/S006_001_00000001.png", "its name is not of sequence S005/001"),
        (f"{IMAGES}/S005/001/face.png", "its name is not of sequence S005/001"),
        ("Emotion/S005/001/S005_002_00000011_emotion.txt", "its name is not of sequence S005/"),
        (f"{IMAGES}/s012/001/s012_001_00000001.png", "must be like S005; rename"),
        ("Emotion/S012/one/S012_one_00000001_emotion.txt", "must be like 001"),
    ],
)
def test_what_lies_where_it_cannot_belong_is_named(make_native, file, message):
    root = make_native()
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("3")
    with pytest.raises(AttncliError, match=message) as error:
        open_dataset(root, split="all")
    where = str(error.value).split(": ")[0]
    assert str(root / file).startswith(where)
    assert "\n" not in str(error.value)


def test_two_emotions_of_one_sequence_are_one_too_many(make_native):
    root = make_native()
    (root / "Emotion/S005/001/S005_001_00000011_emotion.txt").write_text("4")
    with pytest.raises(
        AttncliError,
        match=r"has two emotions, S005_001_00000010_emotion\.txt and S005_001_00000011",
    ):
        open_dataset(root, split="all")


CK48 = {
    "S010/004": ("Happy", (17, 18, 19)),
    "S010/010": ("anger", (9, 10, 11)),
    "S502/001": ("surprise", (1, 2, 3)),
}


@pytest.fixture
def make_ck48(tmp_path):
    """Writes the layout of CK+48, images being empty files."""

    def make(place="CK+48"):
        for id_, (name, numbers) in CK48.items():
            for number in reversed(numbers):
                stem = f"{id_.replace('/', '_')}_{number:0{8 if number % 2 else 1}}"
                image = tmp_path / place / name / f"{stem}.png"
                image.parent.mkdir(parents=True, exist_ok=True)
                image.touch()
            (image.parent / ".DS_Store").touch()
        return tmp_path

    return make


@pytest.mark.parametrize("place", ["CK+48", "."])
def test_ck48_gives_its_sequences(make_ck48, place):
    root = make_ck48(place)
    assert recognise(root) == "ckplus"
    dataset = open_dataset(root, split="all")
    assert dataset.classes[4] == "happy"
    assert not dataset.notes
    assert [(s.id, s.subject, s.label, s.path.name) for s in dataset.samples] == [
        ("S010/004", "S010", 4, "Happy"),
        ("S010/010", "S010", 0, "anger"),
        ("S502/001", "S502", 6, "surprise"),
    ]
    assert [[file.name for file in s.files] for s in dataset.samples] == [
        ["S010_004_00000017.png", "S010_004_18.png", "S010_004_00000019.png"],
        ["S010_010_00000009.png", "S010_010_10.png", "S010_010_00000011.png"],
        ["S502_001_00000001.png", "S502_001_2.png", "S502_001_00000003.png"],
    ]
    assert all(file.parent == s.path and file.exists() for s in dataset.samples for file in s.files)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("anger/S010_004_00000020.png", "sequence S010/004 is in Happy/ and in anger/; move"),
        ("anger/face.png", r"anger/face\.png: its name must be like S010_004_0000"),
        ("anger/S010_010_9.png", "is frame 9 of sequence S010/010, and so is S010_010_"),
        ("neutral/S010_009_1.png", "neutral: holds images of CK.* not a class .anger, contempt"),
    ],
)
def test_images_that_cannot_belong_are_named(make_ck48, image, message):
    root = make_ck48() / "CK+48"
    (root / image).parent.mkdir(exist_ok=True)
    (root / image).touch()
    with pytest.raises(AttncliError, match=message) as error:
        open_dataset(root, split="all")
    assert "\n" not in str(error.value)


def test_class_folders_of_other_images_are_another_layout(make_ck48):
    root = make_ck48()
    for image in list(root.glob("CK+48/*/*.png")):
        (image.parent / "v1").mkdir(exist_ok=True)
        image.rename(image.parent / "v1" / image.name)
    assert recognise(root / "CK+48") == "class-folders"
    with pytest.raises(AttncliError, match=r"not in CK\+'s layout, looked for cohn-kanade-images/"):
        open_dataset(root / "CK+48", split="all", layout="ckplus")


@pytest.mark.parametrize("split", ["train", "val"])
def test_it_has_no_lists_and_the_user_is_told_what_it_is_for(make_native, make_ck48, split):
    for root in (make_native(), make_ck48("copy") / "copy"):
        with pytest.raises(
            AttncliError,
            match=r"has no lists of training and validation .*; .*attncli train convlstm-ram",
        ):
            open_dataset(root, split=split)


def test_a_file_is_not_in_this_layout(tmp_path):
    (tmp_path / "list.csv").touch()
    with pytest.raises(AttncliError, match="not in CK"):
        open_dataset(Path(tmp_path / "list.csv"), split="all", layout="ckplus")
