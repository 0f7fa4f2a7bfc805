from pathlib import Path

import numpy as np
import pytest

from attncli.config.seeds import Background
from attncli.data.images.seeds import (
    Scored,
    labels_of,
    one_hot,
    read_labels,
    read_scores,
    require_shown,
    with_background,
    write_scored,
)
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import SeedDirectory, open_seeds, write_description

CLASSES = ("cat", "cow", "dog")


@pytest.fixture
def seeds(tmp_path: Path) -> SeedDirectory:
    write_description(tmp_path, stage="x", parameters={}, classes=CLASSES, ids=["a"], parents={})
    return open_seeds(tmp_path)


def scored(*classes: int, scores: list[list[list[float]]]) -> Scored:
    return Scored(np.array(classes, np.int64), np.array(scores, np.float32))


def read(seeds: SeedDirectory, **background: float) -> Scored:
    return read_scores(seeds, "a", background=Background(**background))


def test_the_label_is_the_class_of_the_highest_score_the_first_of_equals() -> None:
    found = labels_of(np.array([0, 3]), np.array([[[0.2, 0.5]], [[0.7, 0.5]]], np.float32))
    assert found.tolist() == [[3, 0]]


def test_where_nothing_is_scored_there_is_no_label() -> None:
    scores = np.array([[[0.0, 9e-6, 2e-5]]], np.float32)
    assert labels_of(np.array([2]), scores).tolist() == [[255, 255, 2]]
    assert labels_of(np.empty(0, np.int64), scores[:0]).tolist() == [[255, 255, 255]]


def test_eq_background_of_class_activation_maps_by_hand() -> None:
    cams = scored(1, 3, scores=[[[0.5, 0.0]], [[0.25, 1.0]]])
    found = with_background(cams, Background(background_power=4.0))
    assert found.classes.tolist() == [0, 1, 3]
    np.testing.assert_allclose(found.scores[0], [[0.5**4, 0.0]])
    np.testing.assert_allclose(
        with_background(cams, Background()).scores[0], [[0.5**16, 0.0]], rtol=1e-6
    )
    assert with_background(cams, Background(background_score=0.3)).scores[0].tolist() == [
        [np.float32(0.3)] * 2
    ]


def test_an_image_without_a_class_is_all_background(seeds: SeedDirectory) -> None:
    write_score_maps(seeds.path, "a", np.empty(0, np.int64), np.empty((0, 2, 3), np.float32))
    assert read(seeds).label_map.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_scores_with_a_background_keep_it(seeds: SeedDirectory) -> None:
    write_score_maps(seeds.path, "a", np.array([0, 2]), np.full((2, 1, 1), 0.5, np.float32))
    assert read(seeds, background_power=4.0).classes.tolist() == [0, 2]


def test_a_label_map_alone_is_scored_by_ones(seeds: SeedDirectory) -> None:
    labels = np.array([[0, 2], [255, 2]], np.uint8)
    write_label_map(seeds.label_map_path("a"), labels)
    found = read(seeds)
    assert found.classes.tolist() == [0, 2, 255]
    np.testing.assert_array_equal(found.label_map, labels)
    np.testing.assert_array_equal(one_hot(labels).scores.sum(axis=0), 1)
    np.testing.assert_array_equal(read_labels(seeds, "a", background=Background()), labels)


def test_what_is_written_has_the_label_map_of_its_scores(seeds: SeedDirectory) -> None:
    # In 16 bits these two are the same, so that the first class wins.
    near = np.array([[[0.50001]], [[0.50002]]], np.float32)
    write_scored(seeds.path, "a", Scored(np.array([1, 2]), near))
    labels = read_labels(seeds, "a", background=Background())
    assert labels.tolist() == [[1]]
    kept = read(seeds, background_score=0.0)
    assert kept.label_map.tolist() == [[1]]


@pytest.mark.parametrize("kind", ["scores", "labels"])
def test_a_seed_of_another_size_is_refused_by_name(seeds: SeedDirectory, kind: str) -> None:
    if kind == "scores":
        write_score_maps(seeds.path, "a", np.array([1]), np.zeros((1, 2, 3), np.float32))
    else:
        write_label_map(seeds.label_map_path("a"), np.zeros((2, 3), np.uint8))
    with pytest.raises(AttncliError, match=r"a\.(npz|png).*3x2"):
        read_scores(seeds, "a", size_hw=(3, 2), background=Background())


def test_classes_that_the_dataset_has_not_are_refused(seeds: SeedDirectory) -> None:
    write_score_maps(seeds.path, "a", np.array([4]), np.zeros((1, 2, 3), np.float32))
    with pytest.raises(AttncliError, match=r"a\.npz: scores class 4, the dataset has 3"):
        read(seeds)


def test_an_image_without_a_seed_is_named(seeds: SeedDirectory) -> None:
    with pytest.raises(AttncliError, match=r"a\.png: holds no seed of this image"):
        read(seeds)


def test_scores_of_a_class_the_image_does_not_show_are_refused(seeds: SeedDirectory) -> None:
    found = scored(0, 1, 3, 255, scores=[[[0.1]]] * 4)
    require_shown(found, ImageSample("a", Path("a.jpg"), frozenset({0, 2})), seeds)
    require_shown(found, ImageSample("a", Path("a.jpg"), None), seeds)
    write_score_maps(seeds.path, "a", found.classes, found.scores)
    with pytest.raises(AttncliError, match=r"a\.npz: holds dog, which the image does not show"):
        require_shown(found, ImageSample("a", Path("a.jpg"), frozenset({0})), seeds)
