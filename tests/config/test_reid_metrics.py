from pathlib import Path

import pytest

from attncli.config.reid_metrics import KernelXqdaConfig, XqdaConfig
from attncli.errors import UsageError

DATA = Path("feats")


def test_defaults_are_those_of_the_papers():
    assert XqdaConfig(data=DATA).regularization == 1e-3
    assert KernelXqdaConfig(data=DATA).regularization == 1e-7


@pytest.mark.parametrize("config", [XqdaConfig, KernelXqdaConfig])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"regularization": 0.0}, "--regularization: must be positive and finite"),
        ({"regularization": float("inf")}, "--regularization: must be positive"),
        ({"layers": ("fc", "fc")}, "--layers: must not name the same one twice"),
        ({"sources": ("I", "I")}, "--sources: must not name the same one twice"),
        ({"splits": 2, "train_share": 1.0}, r"--train-share: must be in \(0, 1\)"),
        ({"train_share": 0.3}, "--train-share: needs --splits"),
        ({"splits": -1}, r"--splits: must be in \[0, 10000\]"),
    ],
)
def test_what_has_no_meaning_is_refused(config, settings, message):
    with pytest.raises(UsageError, match=message):
        config(data=DATA, **settings)
