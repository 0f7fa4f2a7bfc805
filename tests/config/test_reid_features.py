from pathlib import Path

import pytest

from attncli.config.reid_features import CDpcfConfig
from attncli.errors import UsageError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ("conv4", "conv4")}, "--layers: must not name the same one twice"),
        ({"regularization": -0.1}, "--regularization: must be 0 or more"),
        ({"regularization": float("inf")}, "--regularization: must be 0 or more"),
        ({"regularization": float("nan")}, "--regularization"),
        ({"grid_hw": (0, 8)}, "--grid-hw: must be at least 1 each"),
        ({"maps": 0}, "--maps"),
        ({"projection": -1}, "--projection"),
        ({"stripes": 0}, "--stripes"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        CDpcfConfig(data=Path(), **changes)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_weights_are_learnt_for_each_camera_by_default() -> None:
    config = CDpcfConfig(data=Path())
    assert (config.pooling, config.maps, config.projection) == ("c-dpcf", 4, 48)
