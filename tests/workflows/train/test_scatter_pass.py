from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.config.reid_features import CDpcfConfig
from attncli.errors import AttncliError
from attncli.files.features import FeatureDirectory, open_features
from attncli.methods.reid.c_dpcf import Pooling
from attncli.reporting import Silent
from attncli.workflows.train import scatter_pass
from attncli.workflows.train.scatter_pass import Learners, channel_blocks, learners_of, scatter_of
from tests.support.features import make_people


@pytest.fixture
def features(tmp_path: Path) -> FeatureDirectory:
    return open_features(make_people(tmp_path / "f", maps_hw=(4, 2), layers=("conv5",)))


def pooling(**settings: Any) -> Pooling:
    return Pooling(CDpcfConfig(data=Path(), **settings))


def scatter(features: FeatureDirectory, learners: Learners, how: Pooling) -> tuple[Any, Any]:
    array = features.open("I", "conv5")
    found = scatter_of(array, learners, how, name="conv5 of I", reporter=Silent())
    return found.within, found.between


def rewritten(features: FeatureDirectory, before: str, after: str) -> FeatureDirectory:
    index = features.path / "index.csv"
    index.write_text(index.read_text().replace(before, after))
    return open_features(features.path)


def test_training_images_are_learnt_from(features: FeatureDirectory) -> None:
    learners = learners_of(features, needs_cameras=True)
    assert (len(learners.rows), learners.n_people, learners.n_sums) == (16, 4, 8)
    assert learners.cameras == ("1", "1", "2", "2") * 4
    assert learners.identities.tolist() == [n for n in range(1, 5) for _ in range(4)]
    assert learners.ids[-1] == "0004_c2_1"


@pytest.mark.parametrize(
    ("shared", "projection", "n_blocks"),
    [(False, 0, 4), (False, 3, 2), (True, 0, 2), (True, 3, 1)],
)
def test_scatter_is_that_of_all_images_at_once_however_few_fit_into_memory(
    features: FeatureDirectory,
    monkeypatch: pytest.MonkeyPatch,
    shared: bool,
    projection: int,
    n_blocks: int,
) -> None:
    learners = learners_of(features, needs_cameras=True)
    how = pooling(projection=projection, pooling="shared-maps" if shared else "c-dpcf")
    array = features.open("I", "conv5")
    n_rows = projection or 8
    sums = how.sums(8, (4, 2), range(n_rows))
    sums.add(np.array(array[learners.rows]), learners.identities, learners.cameras)
    whole = sums.scatter()
    monkeypatch.setattr(scatter_pass, "CHUNK_BYTES", 3 * array[:1].nbytes)
    monkeypatch.setattr(scatter_pass, "SUMS_BYTES", 2 * 8 * 8 * learners.n_sums)
    assert len(channel_blocks(array.shape, learners, how)) == n_blocks
    within, between = scatter(features, learners, how)
    np.testing.assert_allclose(within, whole.within, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(between, whole.between, rtol=1e-5, atol=1e-6)


def test_an_image_that_is_not_finite_is_named(features: FeatureDirectory) -> None:
    path = features.array_path("I", "conv5")
    values = np.load(path)
    values[5, 2, 1, 1] = np.nan
    np.save(path, values)
    learners = learners_of(features, needs_cameras=True)
    with pytest.raises(AttncliError, match=r"conv5 of I holds a number .* for image 0002_c1_1"):
        scatter(features, learners, pooling())


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("0002,train,0002,1,", ",train,,1,", "such as 0002_c1_0, it is not known who is shown"),
        ("0002,train,0002,1,", "0002,train,0002,,", "it is not known which camera took it; name"),
        ("0005,1,", "0005,9,", "0005_c1_0 is of camera '9', and no training image is"),
        ("train", "val", "no image is of split 'train'"),
        (",1,", ',"1,2",', "camera '1,2' has a comma in its name"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(
    features: FeatureDirectory, before: str, after: str, message: str
) -> None:
    with pytest.raises(AttncliError) as error:
        learners_of(rewritten(features, before, after), needs_cameras=True)
    assert message in str(error.value)


def test_cameras_need_not_be_known_where_all_are_pooled_alike(features: FeatureDirectory) -> None:
    changed = rewritten(features, "0002,train,0002,1,", "0002,train,0002,,")
    assert learners_of(changed, needs_cameras=False).n_people == 4
