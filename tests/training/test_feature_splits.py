from dataclasses import replace

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.features import open_features
from attncli.training.estimator import UNKNOWN
from attncli.training.feature_splits import (
    draw_divisions,
    own_division,
    read_divisions,
    write_divisions,
)
from tests.support.features import make_features

LABELS = np.array([0] * 6 + [1] * 9 + [UNKNOWN])


def drawn(tmp_path, **changes):
    given = {"count": 3, "per_class": None, "seed": 0, "where": tmp_path, **changes}
    return draw_divisions(LABELS, ("a", "b"), **given)


def test_the_own_division_is_that_of_the_dataset(tmp_path):
    directory = open_features(make_features(tmp_path / "f", n_train=6, n_val=3))
    own = own_division(directory)
    assert (own.number, own.part("train").tolist()) == (0, [0, 1, 2, 3, 4, 5])
    assert own.part("val").tolist() == [6, 7, 8]


@pytest.mark.parametrize(("per_class", "counts"), [(None, [3, 4]), (5, [5, 5])])
def test_random_divisions_are_alike_in_classes_and_leave_out_the_unlabelled(
    tmp_path, per_class, counts
):
    for one in drawn(tmp_path, per_class=per_class):
        assert np.bincount(LABELS[one.train]).tolist() == counts
        assert sorted([*one.train, *one.val]) == list(range(15))


def test_random_divisions_follow_from_the_seed_and_their_number(tmp_path):
    first = drawn(tmp_path)
    assert len({tuple(one.train) for one in first}) == 3
    again = drawn(tmp_path, count=2)
    assert [one.train.tolist() for one in again] == [one.train.tolist() for one in first[:2]]
    assert drawn(tmp_path, seed=1)[0].train.tolist() != first[0].train.tolist()


def test_a_class_too_small_to_be_divided_is_named(tmp_path):
    with pytest.raises(AttncliError, match="class 'a' has 6 images, too few for 6 to train"):
        drawn(tmp_path, per_class=6)


def test_divisions_survive_the_way_to_the_file(tmp_path):
    directory = open_features(make_features(tmp_path / "f", n_train=6, n_val=6))
    labels = np.array([0, 1, 2] * 4)
    made = draw_divisions(labels, directory.classes, count=2, per_class=2, seed=0, where=tmp_path)
    write_divisions(tmp_path / "splits.csv", made, directory)
    found = read_divisions(tmp_path / "splits.csv", directory)
    for mine, other in zip(made, found, strict=True):
        assert mine.number == other.number
        assert mine.train.tolist() == other.train.tolist()
        assert mine.val.tolist() == other.val.tolist()


def test_an_image_without_features_is_named_by_its_line(tmp_path):
    directory = open_features(make_features(tmp_path / "f"))
    (tmp_path / "splits.csv").write_text("split,id,part\n1,gone,train\n")
    with pytest.raises(AttncliError, match=r"splits.csv, line 2: does not divide these images"):
        read_divisions(tmp_path / "splits.csv", replace(directory))
