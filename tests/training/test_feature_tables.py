from dataclasses import replace

import numpy as np
import pytest

from attncli.config.estimators import EstimatorConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import open_features
from attncli.training.estimator import UNKNOWN
from attncli.training.feature_tables import (
    choose_features,
    class_numbers,
    feature_table,
    n_dims,
    require_finite,
)
from tests.support.features import make_features


def opened(tmp_path, **settings):
    given = {"sources": ("I", "P"), "dim": 4, **settings}
    return open_features(make_features(tmp_path / "f", **given))


def chosen(directory, **settings):
    return choose_features(directory, EstimatorConfig(data=directory.path, **settings))


def names(directory, **settings):
    return [(one.layer, one.source) for one in chosen(directory, **settings)]


def test_every_layer_of_every_source_and_of_all_together_unless_said_otherwise(tmp_path):
    directory = opened(tmp_path)
    assert names(directory) == [
        *[("fc", "I"), ("fc", "P"), ("fc", "I+P")],
        *[("svd-fc", "I"), ("svd-fc", "P"), ("svd-fc", "I+P")],
    ]
    assert chosen(directory)[2].parts == (("I", "fc"), ("P", "fc"))
    assert names(directory, layers=("fc",), fuse=("none",)) == [("fc", "I"), ("fc", "P")]
    assert names(directory, layers=("fc",), sources=("P",)) == [("fc", "P")]
    fused = names(directory, layers=("fc",), sources=("P",), fuse=("P+I",))
    assert fused == [("fc", "P"), ("fc", "P+I")]


def test_every_layer_of_one_source_stands_beside_every_layer_of_the_other(tmp_path):
    directory = opened(tmp_path)
    grid = names(directory, combinations=True)[6:]
    assert grid == [("fc+svd-fc", "I+P"), ("svd-fc+fc", "I+P")]  # the others are fusions
    assert chosen(directory, combinations=True)[-1].parts == (("I", "svd-fc"), ("P", "fc"))
    only = names(directory, combinations=True, fuse=("none",))[4:]
    assert only == [("fc", "I+P"), ("fc+svd-fc", "I+P"), ("svd-fc+fc", "I+P"), ("svd-fc", "I+P")]


def test_what_was_pooled_together_has_arrays_of_its_own(tmp_path):
    directory = opened(tmp_path, pool="mpn-cbp", fusions=("I+P",), layers=("fc",))
    assert chosen(directory)[-1].parts == (("I+P", "fc"),)
    with pytest.raises(AttncliError, match=r"has no fc of P\+I; extract it"):
        chosen(directory, fuse=("P+I",))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": ("gone",)}, "--layers: no such name: gone; use fc, svd-fc"),
        ({"sources": ("Q",)}, "--sources: no such name: Q; use I, P"),
        ({"fuse": ("I+Q",)}, "--fuse: no such name: Q"),
        ({"fuse": ("I",)}, "--fuse: must be two or more sources, not 'I'"),
        ({"sources": ("I",), "combinations": True}, "--combinations: needs two sources"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path, wrong, message):
    with pytest.raises(UsageError, match=message):
        chosen(opened(tmp_path), **wrong)


def test_maps_are_refused(tmp_path):
    with pytest.raises(AttncliError, match="holds maps, not vectors; extract with --pool gap"):
        chosen(opened(tmp_path, pool="none"))


def test_a_table_holds_the_rows_that_are_asked_for(tmp_path):
    directory = opened(tmp_path)
    labels = class_numbers(directory, directory.classes)
    fused, rows = chosen(directory)[2], np.array([5, 1])
    table = feature_table(directory, fused, rows, labels, directory.classes)
    assert table.labels.tolist() == [2, 1]
    assert np.array_equal(table.features[1], directory.open("P", "fc")[[5, 1]])
    assert table.n_dims == n_dims(directory, fused) == 8
    assert table.name.endswith("f: fc of I+P")


def test_classes_are_numbers_and_none_where_there_is_no_name(tmp_path):
    directory = opened(tmp_path, n_train=3, n_val=1)
    named = replace(directory, labels=("b", "", "a", "b"))
    assert class_numbers(named, ("a", "b")).tolist() == [1, UNKNOWN, 0, 1]
    with pytest.raises(AttncliError, match="is of class 'class2', which is not among the 2 known"):
        class_numbers(directory, ("class0", "class1"))


def test_a_number_that_is_not_finite_is_named(tmp_path):
    directory = opened(tmp_path)
    array = np.load(directory.array_path("P", "svd-fc"))
    array[7, 2] = np.nan
    np.save(directory.array_path("P", "svd-fc"), array)
    message = f"svd-fc of P holds a number that is not finite for image {directory.ids[7]};"
    with pytest.raises(AttncliError, match=message):
        require_finite(directory, chosen(directory))
    require_finite(directory, chosen(directory, layers=("fc",)))
