from typing import Any

import numpy as np
import pytest
import torch

from attncli.config.svd_fc import SvdFcConfig
from attncli.errors import AttncliError
from attncli.methods.svd_fc.mpn_cbp import mpn_cbp
from attncli.methods.svd_fc.tensor_sketch import TensorSketch
from attncli.workflows.svd_fc.pooling import Pooling, equal_scales, norms

CHANNELS = {"I": {"conv5": 4, "fc": 5}, "P": {"conv5": 3, "fc": 2}}


def pooling(**changes: Any) -> Pooling:
    config = SvdFcConfig(weights=("I=none", "P=none"), layers=("conv5", "fc"), **changes)
    if config.pool != "mpn-cbp":
        return Pooling(config, CHANNELS)
    return Pooling(config, CHANNELS, ("I+P",), {"conv5": {"P": 3.0}, "fc": {"I": 0.5, "P": 2.0}})


def found() -> dict[str, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    return {
        "I": {"conv5": torch.randn(2, 4, 3, 3), "fc": torch.randn(2, 5)},
        "P": {"conv5": torch.randn(2, 3, 2, 2), "fc": torch.randn(2, 2)},
    }


def test_gap_is_the_mean_of_maps() -> None:
    features = pooling().features(found(), {})
    assert list(features) == [("I", "conv5"), ("I", "fc"), ("P", "conv5"), ("P", "fc")]
    expected = found()["I"]["conv5"].sum((2, 3)) / 9
    torch.testing.assert_close(features["I", "conv5"], expected)
    torch.testing.assert_close(features["P", "fc"], found()["P"]["fc"])


def test_nothing_becomes_of_maps_without_pooling() -> None:
    features = pooling(pool="none").features(found(), {})
    torch.testing.assert_close(features["P", "conv5"], found()["P"]["conv5"])


def test_fused_vectors_are_scaled_and_joined_before_they_are_sketched() -> None:
    one = pooling(pool="mpn-cbp", sketch_dim=16, seed=3)
    features = one.features(found(), one.sketches())
    assert set(features) == set(one.targets)
    joined = torch.cat([0.5 * found()["I"]["fc"], 2 * found()["P"]["fc"]], dim=1)
    expected = mpn_cbp(joined, TensorSketch.draw(7, 16, seed=3))
    torch.testing.assert_close(features["I+P", "fc"], expected)
    alone = mpn_cbp(found()["P"]["conv5"], TensorSketch.draw(3, 16, seed=3))
    torch.testing.assert_close(features["P", "conv5"], alone)
    assert features["I+P", "conv5"].shape == (2, 16)


def test_sketches_are_kept_as_they_are_drawn() -> None:
    one = pooling(pool="mpn-cbp", sketch_dim=16)
    kept = one.sketch_arrays()
    assert set(kept) == {
        f"{source}/{layer}/{part}"
        for source in ("I", "P", "I+P")
        for layer in ("conv5", "fc")
        for part in ("hashes", "signs")
    }
    np.testing.assert_array_equal(kept["I+P/fc/hashes"], TensorSketch.draw(7, 16, seed=0).hashes)
    assert pooling().sketch_arrays() == {}


def test_norms_do_not_depend_on_how_fine_a_map_is() -> None:
    cells = torch.tensor([[3.0, 4.0]])
    assert norms(cells).tolist() == [5.0]
    assert norms(cells[:, :, None, None].expand(1, 2, 4, 7)).tolist() == pytest.approx([5.0])


def test_scales_bring_all_to_the_mean_norm() -> None:
    scales = equal_scales({"fc": {"I": 2.0, "P": 6.0}})
    assert scales == {"fc": {"I": 2.0, "P": 0.666667}}
    with pytest.raises(AttncliError, match="layer fc has a mean norm of 0"):
        equal_scales({"fc": {"I": 2.0, "P": 0.0}})
