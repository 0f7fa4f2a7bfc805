import pytest

from attncli.errors import AttncliError
from attncli.workflows.visualize.feature_images import features_behind, images_of, samples_of
from tests.support.people import make_people_images, make_people_maps
from tests.support.runs import begin_run


@pytest.fixture
def data(tmp_path):
    return make_people_images(tmp_path / "people")


@pytest.fixture
def features(tmp_path, data):
    return make_people_maps(tmp_path / "maps", data, ids=["train/7_1"])


def test_images_of_features_are_those_they_were_made_of(features, data):
    dataset = images_of(features, None)
    assert dataset.root == data
    assert {sample.subject for sample in dataset.samples} == {"7", "8"}


def test_images_of_a_run_that_saw_images_are_its_own(tmp_path, data):
    run = begin_run(tmp_path / "cam", "cam", data)
    assert features_behind(run) is None
    assert images_of(run, None).root == data


def test_images_of_a_run_that_was_fitted_to_features_are_theirs(tmp_path, features, data):
    run = begin_run(tmp_path / "svm", "linear-svm", features)
    found = features_behind(run)
    assert found is not None
    assert found.path == features
    assert images_of(run, None).root == data


def test_images_of_features_that_a_run_made_of_others_are_those_of_the_others(
    tmp_path, features, data
):
    make_people_maps(tmp_path / "dpcf" / "features", features, ids=["train/7_1"])
    run = begin_run(tmp_path / "svm", "linear-svm", tmp_path / "dpcf")
    found = features_behind(run)
    assert found is not None
    assert found.path == tmp_path / "dpcf" / "features"
    assert images_of(run, None).root == data


def test_another_dataset_may_be_named(tmp_path, features):
    other = make_people_images(tmp_path / "copy")
    assert images_of(features, other).root == other


def test_an_image_that_is_not_there_is_named(features, data):
    dataset = images_of(features, None)
    assert samples_of(dataset, ["query/7"])["query/7"].camera == "1"
    with pytest.raises(AttncliError, match="people: no such image: 'query/9'; give the dataset"):
        samples_of(dataset, ["query/7", "query/9"])
