import numpy as np

from attncli.training.estimator import Estimator, FeatureTable
from tests.support.settings import tiny


def test_a_table_has_the_numbers_of_all_sources():
    parts = (np.zeros((2, 3), np.float32), np.zeros((2, 4, 5), np.float32))
    assert FeatureTable(parts, np.array([0, 1]), ("a", "b"), "fc").n_dims == 23


def test_what_the_catalog_builds_is_an_estimator(tmp_path):
    from attncli.methods.svd_fc.linear_svm import build_linear_svm

    assert isinstance(build_linear_svm(tiny("linear-svm", data=tmp_path)), Estimator)
