import pytest

from attncli.config.svd_fc import SvdFcConfig
from attncli.errors import UsageError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": ()}, "--weights: must name a network"),
        ({"layers": ("fc", "conv5", "fc")}, "--layers: names fc twice"),
        ({"fuse": ("I+P",)}, "--fuse: needs --pool mpn-cbp"),
        ({"resize_px": 64, "crop_px": 65}, "--crop-px: is more than --resize-px 64"),
        ({"size_hw": (0, 64)}, "--size-hw: must be in"),
        ({"size_hw": (128, 64), "crop_px": 64}, "--size-hw: shows whole images: leave out"),
        ({"tolerance": 1.5}, "--tolerance: must be in"),
        ({"sketch_dim": 0}, "--sketch-dim: must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SvdFcConfig(**{"weights": ("I=none",), **changes})


def test_no_fusion_goes_with_any_pooling() -> None:
    assert SvdFcConfig(weights=("I=none",), fuse=("none",)).pool == "gap"
