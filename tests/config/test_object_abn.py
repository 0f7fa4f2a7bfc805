import math
from dataclasses import replace
from pathlib import Path

import pytest

from attncli.config.object_abn import ObjectAbnConfig
from attncli.errors import UsageError

CONFIG = ObjectAbnConfig(data=Path(), masks=Path())


def test_the_network_and_its_losses_are_the_papers_by_default() -> None:
    assert (CONFIG.size, CONFIG.weights) == ("m", "kinetics400")
    assert (CONFIG.attention_branch, CONFIG.mechanism) == ("abn", "residual")
    assert (CONFIG.lambda_att, CONFIG.lambda_mask) == (1, 10)
    assert (CONFIG.mask_resize, CONFIG.empty_frames) == ("nearest", "zero")


def test_the_optimisation_is_the_papers_by_default() -> None:
    assert (CONFIG.optimizer, CONFIG.lr, CONFIG.schedule) == ("adam", 1e-4, "constant")
    assert (CONFIG.epochs, CONFIG.warmup_epochs, CONFIG.weight_decay) == (50, 0, 0)
    assert CONFIG.clip_grad_norm is None


def test_clips_are_the_papers_by_default() -> None:
    assert (CONFIG.split_number, CONFIG.frames, CONFIG.frame_stride) == (1, 16, 4)
    assert (CONFIG.short_side_min_px, CONFIG.short_side_max_px) == (256, 320)
    assert (CONFIG.short_side_val_px, CONFIG.crop_px, CONFIG.flip) == (256, 224, "auto")
    assert CONFIG.val_start == "centre"  # the paper's is random; a centred one can be repeated


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("seed", 2**63 - 1, 2**63),
        ("lr", 1e-9, math.inf),
        ("lr", 1.0, math.nan),
        ("weight_decay", 0.0, -1e-9),
        ("weight_decay", 1.0, math.nan),
        ("momentum", 0.0, -0.1),
        ("momentum", 0.99, 1.0),
        ("warmup_epochs", 0.0, -1.0),
        ("warmup_epochs", 0.5, math.inf),
        ("frames", 100_000, 100_001),
        ("frame_stride", 100_000, 100_001),
        ("crop_px", 1, 10**12),
        ("short_side_max_px", 100_000, 100_001),
        ("short_side_val_px", 100_000, 100_001),
        ("width_factor", 100.0, 100.1),
        ("width_factor", 0.1, math.nan),
        ("depth_factor", 100.0, math.inf),
        ("depth_factor", None, 0.0),
    ],
)
def test_a_setting_outside_its_range_is_named(name: str, good: float, bad: float) -> None:
    assert getattr(replace(CONFIG, **{name: good}), name) == good
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must be"):
        replace(CONFIG, **{name: bad})
