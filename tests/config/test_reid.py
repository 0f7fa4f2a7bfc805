from dataclasses import replace
from pathlib import Path

import pytest

from attncli.config.fields import settings
from attncli.config.reid import PcbConfig
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError

CONFIG = PcbConfig(data=Path("/market"))


def test_defaults_are_those_of_the_paper():
    assert (CONFIG.size_hw, CONFIG.stripes, CONFIG.width, CONFIG.dropout) == (
        (384, 128),
        6,
        256,
        0.5,
    )
    assert (CONFIG.backbone, CONFIG.output_stride, CONFIG.dilate) == ("resnet50", "16", False)
    assert (CONFIG.optimizer, CONFIG.momentum, CONFIG.weight_decay) == ("sgd", 0.9, 5e-4)
    assert CONFIG.lr == 0.01
    assert CONFIG.lr * CONFIG.head_rate == pytest.approx(0.1)
    assert (CONFIG.epochs, CONFIG.batch_size) == (60, 64)
    assert (CONFIG.schedule, CONFIG.milestones) == ("step", (40,))
    assert not CONFIG.freeze_norms


def test_images_are_mirrored_and_nothing_else():
    jitter = [getattr(CONFIG, name) for name in vars(CONFIG) if name.startswith("jitter_")]
    assert (CONFIG.flip, jitter) == ("plain", [0.0] * 4)


def test_every_image_is_resized_to_one_size():
    config = replace(CONFIG, size_hw=(256, 64))
    assert config.whole_hw == config.crop_hw == (256, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_hw": (0, 128)}, r"--size-hw: must be in \[1, 10000\]"),
        ({"size_hw": (384, 10_001)}, r"--size-hw: must be in"),
        ({"stripes": 0}, "--stripes: must be at least 1"),
        ({"stripes": 25}, "--stripes: must be at most 24, the rows of features"),
        ({"size_hw": (65, 32)}, "--stripes: must be at most 5"),
        ({"width": 0}, "--width: must be at least 1"),
        ({"dropout": 1.0}, r"--dropout: must be in \[0, 1\)"),
        ({"crop_px": 224}, "--crop-px: is for images that are cropped; pcb resizes them"),
        ({"resize": "none"}, "--resize: is for images that are cropped"),
        ({"long_side_max_px": 800}, "--long-side-max-px: is for images that are cropped"),
        ({"backbone": "wide-resnet38", "output_stride": "8"}, "--dilate: is needed for wide"),
    ],
)
def test_networks_that_cannot_be_built_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        replace(CONFIG, **changes)


def test_settings_survive_the_way_to_the_file_and_back(tmp_path):
    asked = replace(CONFIG, size_hw=(256, 128), stripes=4, dilate=True)
    (tmp_path / "config.toml").write_text(dump(asked))
    assert resolve(PcbConfig, tmp_path / "config.toml") == asked


def test_milestones_are_of_the_schedule_that_has_some():
    assert resolve(PcbConfig, None, {"data": "d", "schedule": "cosine"}).milestones == ()
    assert resolve(PcbConfig, None, {"data": "d"}).milestones == (40,)


def test_every_setting_has_help():
    assert all(setting.help for setting in settings(PcbConfig).values())


def test_settings_are_told_apart_by_what_they_are_about():
    headings = {name: setting.heading for name, setting in settings(PcbConfig).items()}
    assert headings["backbone"] == headings["output_stride"] == "Network"
    assert headings["stripes"] == "PCB"
    assert "SSDD" not in headings.values()
