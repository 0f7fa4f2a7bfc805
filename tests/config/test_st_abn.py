import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attncli.config.st_abn import Resnet3dConfig, StAbnConfig
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError

CONFIG = StAbnConfig(data=Path())
TUNING = {"data": "d", "init": "run", "temporal_edits": "edits.csv"}


def test_the_network_and_its_losses_are_the_papers_by_default() -> None:
    assert (CONFIG.depth, CONFIG.weights, CONFIG.dropout) == ("50", "imagenet", 0.5)
    assert (CONFIG.lambda_att, CONFIG.gamma_t, CONFIG.gamma_s) == (1, 10, 10)
    assert CONFIG.masks is CONFIG.temporal_edits is CONFIG.spatial_edits is None
    assert not CONFIG.skip_partial
    assert (CONFIG.lambda_mask, CONFIG.mask_resize, CONFIG.empty_frames) == (10, "nearest", "zero")


def test_the_optimisation_is_the_papers_by_default() -> None:
    assert (CONFIG.optimizer, CONFIG.momentum, CONFIG.weight_decay) == ("sgd", 0.9, 5e-4)
    assert (CONFIG.lr, CONFIG.schedule, CONFIG.milestones) == (0.01, "step", (75, 125))
    assert (CONFIG.epochs, CONFIG.batch_size, CONFIG.clip_grad_norm) == (150, 64, 20)


def test_clips_are_the_papers_by_default() -> None:
    assert (CONFIG.frames, CONFIG.sampling, CONFIG.frame_stride) == (32, "uniform", 1)
    assert (CONFIG.short_videos, CONFIG.crop, CONFIG.crop_area_min) == ("clamp", "area", 0.08)
    assert (CONFIG.short_side_val_px, CONFIG.crop_px, CONFIG.flip) == (256, 224, "auto")


@pytest.mark.parametrize(
    ("given", "lr"),
    [
        ({"data": "d"}, 0.01),
        (TUNING, 1e-4),
        (TUNING | {"lr": 0.003}, 0.003),
        ({"data": "d", "init": "run", "spatial_edits": "spatial"}, 1e-4),
    ],
)
def test_tuning_on_edits_has_the_papers_lower_rate_unless_one_is_given(
    given: dict[str, Any], lr: float
) -> None:
    assert resolve(StAbnConfig, None, given).lr == lr


def test_the_rate_that_edits_imply_is_kept_with_the_run(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(dump(resolve(StAbnConfig, None, TUNING)))
    assert resolve(StAbnConfig, tmp_path / "c.toml") == resolve(StAbnConfig, None, TUNING)


@pytest.mark.parametrize(
    ("given", "lr"), [({}, 0.01), (TUNING, 1e-4), (TUNING | {"lr": 0.003}, 0.003)]
)
def test_options_imply_their_defaults_over_a_file_too(
    tmp_path: Path, given: dict[str, Any], lr: float
) -> None:
    trained = resolve(StAbnConfig, None, {"data": "d", "sampling": "dense", "frame_stride": 2})
    (tmp_path / "c.toml").write_text(dump(trained))
    config = resolve(StAbnConfig, tmp_path / "c.toml", given)
    assert (config.lr, config.sampling, config.frame_stride) == (lr, "dense", 2)
    uniform = resolve(StAbnConfig, tmp_path / "c.toml", {**given, "sampling": "uniform"})
    assert (uniform.lr, uniform.frame_stride) == (lr, 1)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_another_schedule_needs_no_milestones(schedule: str) -> None:
    config = resolve(Resnet3dConfig, None, {"data": "d", "schedule": schedule})
    assert (config.schedule, config.milestones) == (schedule, ())
    with pytest.raises(UsageError, match="--milestones: must be given with --schedule step"):
        resolve(Resnet3dConfig, None, {"data": "d", "schedule": schedule, "milestones": (3,)})


def test_edits_need_a_run_to_tune() -> None:
    with pytest.raises(UsageError, match="--init: is needed with --temporal-edits"):
        StAbnConfig(data=Path(), temporal_edits=Path("edits.csv"))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("width_factor", 0.125, 0.0),
        ("width_factor", 100.0, math.inf),
        ("dropout", 0.0, 1.0),
        ("lambda_att", 0.0, -1.0),
        ("gamma_t", 10.0, math.nan),
        ("lambda_mask", 10.0, math.inf),
        ("clip_grad_norm", math.inf, 0.0),
    ],
)
def test_a_setting_outside_its_range_is_named(name: str, good: float, bad: float) -> None:
    assert getattr(replace(CONFIG, **{name: good}), name) == good
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must be"):
        replace(CONFIG, **{name: bad})


def test_weights_to_come_are_not_fetched() -> None:
    assert CONFIG.without_published_weights() == replace(CONFIG, weights="none")
