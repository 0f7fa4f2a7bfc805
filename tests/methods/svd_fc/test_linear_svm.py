import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from attncli.config.linear_svm import LinearSvmConfig
from attncli.errors import AttncliError
from attncli.methods.svd_fc.linear_svm import (
    build_linear_svm,
    choose_c,
    rotated,
    scaled,
    scales_of,
)
from attncli.training.estimator import FeatureTable

CLASSES = ("a", "b", "c")


def config(**changes):
    return LinearSvmConfig(data=Path("f"), **changes)


def table(n=30, dims=(50,), *, factor=1.0, seed=0, n_classes=3, noise=1.0, labels=None):
    """Return features around a point a class, alike for the same numbers."""
    labels = np.arange(n) % n_classes if labels is None else np.array(labels)
    points, rng = np.random.default_rng(9), np.random.default_rng(seed)
    parts = [
        points.normal(size=(3, d))[labels] + noise * rng.normal(size=(len(labels), d)) for d in dims
    ]
    features = tuple((factor * part).astype(np.float32) for part in parts)
    return FeatureTable(features, labels.astype(np.int64), CLASSES, "fc of I")


def fitted(given, **changes):
    machine = build_linear_svm(config(**changes))
    return machine, machine.fit(given)


@pytest.mark.parametrize(("n", "d"), [(30, 50), (60, 20)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_answers_are_those_of_scikit_learn_on_features_as_they_are(n, d, n_classes):
    train = table(n, (d,), n_classes=n_classes, noise=3)
    test = table(90, (d,), seed=1, n_classes=n_classes, noise=3)
    machine, _ = fitted(train, c=0.01, scaling="none", tolerance=1e-8)
    theirs = LinearSVC(C=0.01, tol=1e-8, max_iter=100_000, random_state=3)
    theirs.fit(train.features[0].astype(np.float64), train.labels)
    expected = theirs.decision_function(test.features[0].astype(np.float64))
    if n_classes == 2:
        expected = np.stack([-expected, expected], axis=1)
    scores = machine.answer(test)
    np.testing.assert_allclose(scores[:, :n_classes], expected, atol=1e-3)
    assert np.array_equal(scores.argmax(axis=1), expected.argmax(axis=1))
    assert np.isneginf(scores[:, n_classes:]).all()


def test_coordinates_in_the_span_have_the_same_inner_products():
    features = np.random.default_rng(0).normal(size=(6, 20))
    features[5] = features[0] + features[1]  # which spans nothing new
    coordinates, basis = rotated(features)
    assert basis is not None
    assert coordinates.shape == (6, 6)
    np.testing.assert_allclose(coordinates @ coordinates.T, features @ features.T, atol=1e-12)
    np.testing.assert_allclose(features @ basis, coordinates, atol=1e-12)
    np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=1e-12)
    assert rotated(features.T)[1] is None


@pytest.mark.parametrize("scaling", ["mean-norm", "l2"])
@pytest.mark.parametrize("dims", [(50,), (20, 10)])
def test_features_times_a_million_are_told_alike(scaling, dims):
    test = table(60, dims, seed=1, noise=3)
    large = table(60, dims, seed=1, noise=3, factor=1e6)
    one, facts = fitted(table(30, dims, noise=3), scaling=scaling)
    other, same = fitted(table(30, dims, noise=3, factor=1e6), scaling=scaling)
    assert facts["c"] == same["c"]
    told = one.answer(test).argmax(axis=1)
    assert np.array_equal(told, other.answer(large).argmax(axis=1))


def test_sources_have_an_equal_mean_norm_and_all_together_one_of_1():
    first = np.array([[3.0, 4.0], [0.0, 15.0]])  # norms 5 and 15
    second = np.array([[0.0], [2.0]])  # norms 0 and 2
    scales = scales_of([first, second], scaling="mean-norm", equal_sources=True)
    assert scales.sources == pytest.approx((1 / 10, 1))
    # side by side: norms 0.5 and sqrt(1.5 ** 2 + 2 ** 2) = 2.5
    assert scales.overall == pytest.approx(1 / 1.5)
    expected = [[0.2, 4 / 15, 0.0], [0.0, 1.0, 4 / 3]]
    np.testing.assert_allclose(scaled([first, second], scales), expected)
    alone = scales_of([first, second], scaling="none", equal_sources=False)
    assert (alone.sources, alone.overall) == ((1.0, 1.0), 1.0)


def test_each_image_has_norm_1_and_one_without_features_stays_without():
    features = [np.array([[3.0, 4.0], [0.0, 0.0]])]
    scales = scales_of(features, scaling="l2", equal_sources=True)
    np.testing.assert_allclose(scaled(features, scales), [[0.6, 0.8], [0.0, 0.0]])


def test_the_smallest_of_equally_good_values_of_c_is_chosen():
    given = table(30, (8,), noise=0.01)
    features = given.features[0].astype(np.float64)
    assert choose_c(features, given.labels, config(c_grid=(100.0, 1.0, 10.0))) == (1.0, 100.0)


def test_what_was_chosen_is_told():
    _, facts = fitted(table(30, (20, 10), noise=0.01), c_grid=(1.0, 10.0, 100.0))
    assert (facts["c"], facts["cv_accuracy"], facts["c_at_grid_end"]) == (1.0, 100.0, 1)
    assert (facts["converged"], facts["smallest_class"]) == (1, 10)
    assert len(str(facts["source_scales"]).split(";")) == 2
    _, given = fitted(table(), c=3.0)
    assert (given["c"], given["cv_accuracy"], given["c_at_grid_end"]) == (3.0, None, None)


def test_a_fit_that_is_cut_short_says_so_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, facts = fitted(table(noise=9), c=1e6, max_iter=1)
    assert (facts["converged"], facts["iterations"]) == (0, 1)


def test_a_class_of_one_image_takes_part():
    _, facts = fitted(table(labels=[0, 1] * 6 + [2]))
    assert facts["smallest_class"] == 1


@pytest.mark.parametrize(
    ("labels", "changes", "message"),
    [
        ([1, 1, 1], {}, "training images are all of one class"),
        ([0, 1, 2], {}, "at most 1 training images of a class, too few to choose C in 3 folds"),
        ([0, 0, 1, 1], {}, "at most 2 training images of a class.*give --c, or fewer --folds"),
        ([0, 0, 0, 1], {}, "too few to choose C in 3 folds; give --c$"),
    ],
)
def test_too_few_images_are_refused_with_a_remedy(labels, changes, message):
    with pytest.raises(AttncliError, match=f"fc of I: .*{message}"):
        fitted(table(labels=labels), **changes)


def test_features_that_are_zero_throughout_are_refused():
    with pytest.raises(AttncliError, match="fc of I: features are zero in all training images"):
        fitted(table(factor=0.0))


@pytest.mark.parametrize("scaling", ["mean-norm", "l2", "none"])
def test_what_was_learnt_answers_alike_after_the_way_to_the_file(scaling):
    machine, _ = fitted(table(30, (20, 30)), c=1.0, scaling=scaling)
    other = build_linear_svm(config(c=1.0, scaling=scaling))
    other.restore(machine.state())
    test = table(9, (20, 30), seed=2)
    np.testing.assert_allclose(other.answer(test), machine.answer(test), rtol=1e-5, atol=1e-5)


def test_features_of_other_dimensions_are_refused():
    machine, _ = fitted(table())
    with pytest.raises(AttncliError, match="has 51 dimensions, not 50 as in training"):
        machine.answer(table(dims=(51,)))


def test_nothing_is_answered_before_a_fit():
    machine = build_linear_svm(config())
    with pytest.raises(ValueError, match="nothing was learnt"):
        machine.answer(table())
    with pytest.raises(ValueError, match="nothing was learnt"):
        machine.state()


def test_memory_grows_with_both_sides_of_the_table():
    machine = build_linear_svm(config())
    assert machine.memory_bytes(1000, 500) >= 1000 * 500 * (8 + 16)
    assert machine.memory_bytes(2000, 500) == 2 * machine.memory_bytes(1000, 500)
    assert machine.memory_bytes(10, 500) > machine.memory_bytes(10, 250)
