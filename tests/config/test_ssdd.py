from dataclasses import replace
from pathlib import Path

import pytest

from attncli.config.ssdd import (
    CamConfig,
    PsaConfig,
    SegmentationConfig,
    SsddConfig,
    SsddDynamicConfig,
)
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError

CONFIG = CamConfig(data=Path("/voc"))


def test_defaults_are_those_of_psa_with_a_head_that_learns_ten_times_as_fast():
    assert (CONFIG.epochs, CONFIG.batch_size, CONFIG.lr, CONFIG.weight_decay) == (
        15,
        16,
        0.01,
        5e-4,
    )
    assert (CONFIG.head_rate, CONFIG.dropout, CONFIG.output_stride) == (10, 0.5, "16")
    assert CONFIG.freeze_norms


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"head_rate": 0.0}, "--head-rate: must be positive and finite"),
        ({"head_rate": float("inf")}, "--head-rate: must be positive and finite"),
        ({"head_rate": float("nan")}, "--head-rate: must be positive and finite"),
        ({"dropout": 1.0}, r"--dropout: must be in \[0, 1\)"),
        ({"dropout": -0.1}, r"--dropout: must be in \[0, 1\)"),
        ({"crop_px": 0}, "--crop-px: must be in"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        replace(CONFIG, **changes)


def test_for_weights_to_come_the_same_network_is_built_without_any():
    asked = replace(CONFIG, backbone="resnet18", normalization="half", dropout=0.0)
    assert asked.without_published_weights() == replace(asked, weights="none")


def test_settings_survive_the_way_to_the_file_and_back(tmp_path):
    asked = replace(CONFIG, backbone="timm:resnet10t", output_stride="8", head_rate=2.5)
    (tmp_path / "config.toml").write_text(dump(asked))
    assert resolve(CamConfig, tmp_path / "config.toml") == asked


def test_differences_are_learnt_in_some_epoch():
    with pytest.raises(UsageError, match=r"--segmentation-epochs: must be fewer than --epochs"):
        SsddConfig(data=Path(), knowledge=Path(), advice=Path(), epochs=3, segmentation_epochs=3)


def test_as_psas_code_the_momentum_is_the_weight_decay():
    given = {"data": "d", "cams": "c"}
    assert (resolve(PsaConfig, None, given).lr, resolve(PsaConfig, None, given).momentum) == (
        0.01,
        0.9,
    )
    compat = resolve(PsaConfig, None, {**given, "compat_reference": True, "weight_decay": 1e-4})
    assert (compat.lr, compat.momentum) == (0.1, 1e-4)
    own = resolve(PsaConfig, None, {**given, "compat_reference": True, "lr": 0.02})
    assert own.lr == 0.02


@pytest.mark.parametrize("config", [PsaConfig, SegmentationConfig])
def test_crops_are_whole_cells(config):
    needed = {"cams": Path()} if config is PsaConfig else {"seeds": Path()}
    with pytest.raises(UsageError, match=r"--crop-px: must be a multiple of 8"):
        config(data=Path(), crop_px=100, **needed)


def test_what_seeds_are_called_and_how_often_a_crf_runs():
    static = SsddConfig(data=Path(), knowledge=Path("k"), advice=Path("a"))
    assert static.seed_directories == {"knowledge": Path("k"), "advice": Path("a")}
    dynamic = SsddDynamicConfig(data=Path(), seeds=Path("s"))
    assert dynamic.seed_directories == {"seed": Path("s")}
    assert (dynamic.crf_iterations, dynamic.advice_bias, dynamic.resize) == (3, 0.4, "square")
