from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.data.layouts import ckplus as layout
from attncli.data.toy import ckplus as module
from attncli.data.toy.ckplus import (
    EXPRESSIONS,
    FaceVideo,
    ToySequence,
    count_ckplus,
    draw,
    make_ckplus,
    toy_sequences,
)
from attncli.data.toy.faces import Unit
from attncli.errors import UsageError
from attncli.files.masks import MaskDirectory
from attncli.reporting import Silent

SIZE_HW = (48, 56)
FRAMES = 6
PEOPLE = 3


def make(directory: Path, *, seed: int = 0, size: int = PEOPLE) -> Path:
    make_ckplus(directory, size=size, seed=seed, frames=FRAMES, size_hw=SIZE_HW, reporter=Silent())
    return directory


def video(expression: str | None, person: int = 0, **options: int) -> FaceVideo:
    drawing = {"seed": 0, "frames": 14, **options}
    return draw(ToySequence(person, 1, expression), size_hw=(144, 160), **drawing)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "ckplus")


def test_it_reads_as_ckplus(toy):
    assert layout.fits(toy)
    dataset = layout.open_split(toy, "all")
    assert tuple(dataset.classes) == tuple(EXPRESSIONS)
    sequences = {each.id: each for each in toy_sequences(PEOPLE, 0)}
    labelled = {id_ for id_, each in sequences.items() if each.expression is not None}
    assert {sample.id for sample in dataset.samples} == labelled
    for sample in dataset.samples:
        assert dataset.classes[sample.label] == sequences[sample.id].expression
        assert sample.subject == sample.id[:4]


def test_every_frame_has_an_image_landmarks_and_a_mask(toy):
    masks = MaskDirectory(toy / "masks")
    for sequence in toy_sequences(PEOPLE, 0):
        images = sorted((toy / "cohn-kanade-images" / sequence.id).iterdir())
        points = sorted((toy / "Landmarks" / sequence.id).iterdir())
        names = [sequence.file(number + 1) for number in range(len(images))]
        assert [image.name for image in images] == [f"{name}.png" for name in names]
        assert [file.name for file in points] == [f"{name}_landmarks.txt" for name in names]
        frames = list(masks.frames(sequence.id))
        assert [frame.frame for frame in frames] == list(range(len(images)))
        assert {frame.size_hw for frame in frames} == {SIZE_HW}
        assert {i.category for frame in frames for i in frame.instances} == {"expression"}
        with Image.open(images[0]) as image:
            assert (image.mode, image.size) == ("L", SIZE_HW[::-1])


def test_files_are_written_as_in_ckplus(toy):
    labelled = [each for each in toy_sequences(PEOPLE, 0) if each.expression is not None]
    for sequence in labelled:
        (emotion,) = (toy / "Emotion" / sequence.id).iterdir()
        n_frames = len(list((toy / "cohn-kanade-images" / sequence.id).iterdir()))
        assert emotion.name == f"{sequence.file(n_frames)}_emotion.txt"
        number = 1 + list(EXPRESSIONS).index(sequence.expression)
        assert emotion.read_text() == f"   {number}.0000000e+00\n"
    drawn = draw(labelled[0], seed=0, frames=FRAMES, size_hw=SIZE_HW)
    name = f"{labelled[0].file(1)}_landmarks.txt"
    text = (toy / "Landmarks" / labelled[0].id / name).read_text()
    assert len(text.splitlines()) == 68
    x, y = drawn.landmarks[0, 0]
    assert text.splitlines()[0] == f"   {x:.7e}   {y:.7e}"
    with Image.open(
        toy / "cohn-kanade-images" / labelled[0].id / f"{labelled[0].file(1)}.png"
    ) as i:
        np.testing.assert_array_equal(np.asarray(i), drawn.frames[0])


def test_sequences_without_a_label_have_no_folder_or_an_empty_one(tmp_path):
    shown = {each.expression for each in toy_sequences(20, 0)}
    assert None in shown
    for person, there in ((0, False), (1, True)):
        folder = tmp_path / str(person)
        module._write_emotion(folder, ToySequence(person, 1, None), last=8)
        assert folder.is_dir() == there
        assert not list(folder.glob("*"))


def test_counts_are_those_of_what_is_written(toy):
    counts = count_ckplus(size=PEOPLE, seed=0, frames=FRAMES)
    assert counts == {
        "subjects": len(list((toy / "cohn-kanade-images").iterdir())),
        "sequences": len(list((toy / "cohn-kanade-images").glob("*/*"))),
        "labelled": len(list((toy / "Emotion").glob("*/*/*.txt"))),
        "frames": len(list((toy / "cohn-kanade-images").glob("*/*/*.png"))),
        "classes": 7,
    }


@pytest.mark.parametrize("seed", range(5))
def test_few_people_show_every_expression_and_twice_as_many_show_it_twice(seed):
    for size, times in ((3, 1), (6, 2)):
        shown = Counter(each.expression for each in toy_sequences(size, seed))
        assert min(shown[expression] for expression in EXPRESSIONS) >= times


def test_expressions_are_as_uneven_as_in_ckplus():
    shown = Counter(each.expression for each in toy_sequences(600, 0))
    assert shown["surprise"] > shown["happy"] > shown["disgust"] > shown["anger"]
    assert shown["anger"] > shown["sadness"] > shown["contempt"] > 60
    people = Counter(each.person for each in toy_sequences(600, 0) if each.expression)
    assert set(people.values()) <= {1, 2, 3, 4, 5, 6}
    assert len(people) == 600


def test_a_number_says_nothing_of_the_expression():
    first = Counter(each.expression for each in toy_sequences(300, 0) if each.number == 1)
    assert set(EXPRESSIONS) <= first.keys()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_grows_from_nothing(expression):
    for person in range(2):
        masks = video(expression, person, frames=8).masks
        area = masks.sum(axis=(1, 2))
        assert area[0] == 0
        assert area[-1] > 40
        assert area[-1] >= 0.8 * area.max()
        assert masks[-1].mean() < 0.25


@pytest.mark.parametrize(
    ("expression", "points"),
    [
        ("anger", [19, 24]),
        ("disgust", [33, 51]),
        ("fear", [21, 22]),
        ("happy", [48, 54]),
        ("sadness", [48, 54]),
        ("surprise", [57]),
    ],
)
def test_masks_show_the_parts_that_move(expression, points):
    for person in range(2):
        drawn = video(expression, person, frames=6)
        rows, columns = np.nonzero(drawn.masks[-1])
        for x, y in drawn.landmarks[-1, points]:
            assert np.hypot(columns - x, rows - y).min() < 6


def test_contempt_is_on_either_side():
    sides = set()
    for person in range(6):
        drawn = video("contempt", person, frames=6)
        middle = drawn.landmarks[-1, 51, 0]
        columns = np.nonzero(drawn.masks[-1])[1]
        sides.add(bool((columns > middle).mean() > 0.5))
    assert sides == {True, False}


def test_faces_move_whatever_they_express():
    idle = [module._idle(14, np.random.default_rng(seed)) for seed in range(60)]
    moving = (np.abs(np.stack(idle)).max(axis=1) > 0.05).mean(axis=0)
    for unit in (Unit.BLINK, Unit.GAZE_X, Unit.JAW_DROP, Unit.SMILE, Unit.BROW_DOWN):
        assert 0.05 < moving[unit] <= 1
    assert np.abs(idle).max() <= 3


def test_lengths_vary_about_the_usual_one():
    lengths = {module._length(np.random.default_rng(seed), 14) for seed in range(100)}
    assert lengths == set(range(8, 21))


def test_one_person_looks_alike_in_all_sequences():
    own = [video(expression, 3, frames=6).landmarks[0] for expression in ("happy", "fear")]
    other = video("happy", 4, frames=6).landmarks[0]

    def jaw_shape(points: np.ndarray) -> np.ndarray:
        jaw = points[:17] - points[:17].mean(axis=0)
        return jaw / np.linalg.norm(jaw)

    alike = np.linalg.norm(jaw_shape(own[0]) - jaw_shape(own[1]))
    assert alike < np.linalg.norm(jaw_shape(own[0]) - jaw_shape(other))


def test_the_seed_decides_every_byte(toy, tmp_path):
    again = make(tmp_path / "again")
    files = sorted(path.relative_to(toy) for path in toy.rglob("*.*"))
    assert all((toy / file).read_bytes() == (again / file).read_bytes() for file in files)
    first, other = (video("happy", seed=seed, frames=6) for seed in (0, 1))
    assert not np.array_equal(first.landmarks[0], other.landmarks[0])


def test_a_sequence_does_not_depend_on_how_many_there_are():
    assert set(toy_sequences(5, 0)) <= set(toy_sequences(60, 0))
    ids = [each.id for each in toy_sequences(60, 0)]
    assert len(ids) == len(set(ids))


def test_too_few_people_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--size: must be at least 3"):
        make(tmp_path / "toy", size=2)
    assert not (tmp_path / "toy").exists()


def test_what_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(module, "_write_emotion", broken)
    with pytest.raises(OSError, match="disk full"):
        make(tmp_path / "toy")
    assert list(tmp_path.iterdir()) == []
