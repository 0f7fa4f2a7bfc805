import numpy as np
import pytest

from attncli.errors import AttncliError, UsageError
from attncli.evaluation import people_features as module
from attncli.evaluation.distances import Cosine, unit_rows
from attncli.evaluation.people_features import (
    embedded,
    embedded_queries,
    layers_to_learn,
    people_features,
    unit_features,
)
from attncli.files.features import open_features
from tests.support.features import make_people


def test_each_layer_and_source_is_by_itself(tmp_path):
    directory = open_features(make_people(tmp_path / "f", sources=("I", "P"), layers=("fc", "all")))
    found = [(one.layer, one.source) for one in people_features(directory)]
    assert found == [("fc", "I"), ("fc", "P"), ("all", "I"), ("all", "P")]
    (one,) = people_features(directory, ["all"], ["P"])
    assert one.name == "all of P"
    assert layers_to_learn(directory, ()) == ("all",)
    assert layers_to_learn(directory, ("fc",)) == ("fc",)
    with pytest.raises(UsageError, match="no such name: conv9"):
        people_features(directory, ["conv9"])


def test_maps_are_refused(tmp_path):
    directory = open_features(make_people(tmp_path / "f", maps_hw=(2, 1)))
    with pytest.raises(AttncliError, match=r"holds maps, not vectors; pool them with .*c-dpcf"):
        people_features(directory)


def test_features_have_length_1_and_blocks_make_no_difference(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 5)
    directory = open_features(make_people(tmp_path / "f"))
    (feature,) = people_features(directory)
    rows = np.arange(12)[::-1].copy()
    whole = unit_rows(np.load(directory.path / "I" / "fc.npy")[rows])
    np.testing.assert_array_equal(unit_features(directory, feature, rows), whole)
    np.testing.assert_array_equal(embedded(Cosine(), directory, feature, rows), whole)


def test_a_number_that_is_not_finite_is_named(tmp_path):
    path = make_people(tmp_path / "f")
    array = np.load(path / "I" / "fc.npy")
    array[3, 1] = np.nan
    np.save(path / "I" / "fc.npy", array)
    directory = open_features(path)
    (feature,) = people_features(directory)
    with pytest.raises(AttncliError, match="fc of I holds a number that is not finite for image"):
        unit_features(directory, feature, np.arange(5))


def test_queries_of_several_images_are_means_of_unit_features(tmp_path):
    directory = open_features(make_people(tmp_path / "f", per_camera=3))
    queries = np.array([0, 1, 2, 3, 6, 7])
    groups = [np.array([0, 1, 2]), np.array([3]), np.array([6, 7])]
    (feature,) = people_features(directory)
    rows = unit_features(directory, feature, queries)
    found = embedded_queries(Cosine(), directory, feature, groups)
    expected = np.stack([rows[:3].mean(axis=0), rows[3], rows[4:].mean(axis=0)])
    np.testing.assert_allclose(found, unit_rows(expected), atol=1e-6)
