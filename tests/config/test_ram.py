from pathlib import Path

import pytest

from attncli.config.ram import (
    ConvLstmConfig,
    ConvLstmRamConfig,
    EnhancedConvLstmConfig,
    EnhancedConvLstmRamConfig,
)
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError

CONFIGS = (ConvLstmConfig, ConvLstmRamConfig, EnhancedConvLstmConfig, EnhancedConvLstmRamConfig)


def test_the_papers_protocol_is_the_default():
    config = EnhancedConvLstmRamConfig(data=Path("CK+"))
    assert (config.folds, config.frames, config.frames - config.clip_step) == (10, 8, 6)
    assert config.lambda_att == 1.0
    assert config.fold is None


def test_peepholes_are_those_of_the_equations():
    kinds = [config(data=Path("CK+")).peephole for config in CONFIGS]
    assert kinds == ["hadamard", "hadamard", "convolution", "convolution"]


@pytest.mark.parametrize("config", CONFIGS)
def test_settings_survive_the_way_to_a_file_and_back(config, tmp_path):
    before = config(data=Path("CK+"), fold=3, widths=(8, 8, 16, 16, 32))
    file = tmp_path / "config.toml"
    file.write_text(dump(before))
    assert resolve(config, file) == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "--folds: must be at least 2"),
        ({"fold": 0}, r"--fold: must be in \[1, 10\]"),
        ({"fold": 11}, r"--fold: must be in \[1, 10\]"),
        ({"parallel_folds": 0}, "--parallel-folds: must be at least 1"),
        ({"frames": 0}, "--frames: must be in"),
        ({"clip_step": 0}, "--clip-step: must be in"),
        ({"face_px": 7}, "--face-px: must be at least 8"),
        ({"margin_px": -1}, "--margin-px: must not be negative"),
        ({"widths": (8, 8)}, "--widths: must be 5 numbers"),
        ({"widths": (8, 8, 8, 8, 0)}, "--widths: must be in"),
        ({"kernel_size": 4}, "--kernel-size: must be odd"),
        ({"dropout": 1.0}, "--dropout: must be in"),
        ({"groups": 0}, "--groups: must be at least 1"),
        ({"groups": 3}, r"--groups: must divide all .* but the first \(\d.*\), which 3 does not"),
        ({"lambda_att": float("inf")}, "--lambda-att: must be finite"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(settings, message):
    with pytest.raises(UsageError, match=message):
        EnhancedConvLstmRamConfig(data=Path("CK+"), **settings)
