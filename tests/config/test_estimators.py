from pathlib import Path

import pytest

from attncli.config.estimators import EstimatorConfig
from attncli.errors import UsageError


def test_one_division_of_the_dataset_and_all_its_features_unless_said_otherwise():
    config = EstimatorConfig(data=Path("f"))
    assert (config.layers, config.sources, config.fuse, config.splits) == ((), (), (), 0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"layers": ("fc", "fc")}, "--layers: must not name the same one twice"),
        ({"fuse": ("none", "I+P")}, "--fuse: must be 'none' or fusions, not both"),
        ({"train_per_class": 3}, "--train-per-class: needs --splits"),
        ({"splits": -1}, "--splits: must be in"),
        ({"workers": -1}, "--workers: must be at least 0"),
    ],
)
def test_what_has_no_meaning_is_refused(bad, message):
    with pytest.raises(UsageError, match=message):
        EstimatorConfig(data=Path("f"), **bad)
