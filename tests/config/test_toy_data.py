from inspect import signature
from pathlib import Path

import pytest

from attncli.catalog import load
from attncli.config.fields import settings
from attncli.config.toy_data import ToyDataConfig
from attncli.data.toy.voc2012 import COINCIDENCE
from attncli.errors import UsageError
from attncli.toy_catalog import TOY_DATA

HELP = {name: " ".join(s.help.split()) for name, s in settings(ToyDataConfig).items()}


@pytest.mark.parametrize("row", TOY_DATA, ids=lambda row: row.name)
def test_help_tells_the_defaults_of_every_dataset(row):
    if row.frames is not None:
        assert f"{row.frames} for {row.name}" in HELP["frames"]
    assert f"{row.frame_hw[0]},{row.frame_hw[1]} for {row.name}" in HELP["frame_hw"]
    usual = TOY_DATA[0].size
    told = f"default: {usual}" if row.size == usual else f"{row.size} for {row.name}"
    assert told in HELP["size"]


@pytest.mark.parametrize("row", TOY_DATA, ids=lambda row: row.name)
def test_what_makes_every_dataset_is_there(row):
    assert callable(load(row.make))
    assert callable(load(row.count))
    if row.frames is not None:
        assert row.frames >= (load(row.fewest_frames) if row.fewest_frames else 1)


@pytest.mark.parametrize("row", TOY_DATA, ids=lambda row: row.name)
def test_options_of_few_datasets_are_settings_that_name_them(row):
    for option in row.options:
        assert row.name in HELP[option]
        assert option in signature(load(row.make)).parameters


def test_help_tells_how_often_colour_misleads():
    assert f"default: {COINCIDENCE}" in HELP["coincidence"]


def test_a_dataset_that_cannot_be_made_is_refused():
    with pytest.raises(
        UsageError,
        match="name: must be ucf101 or ssv2 or ckplus or voc2012 or image-folder or market1501,"
        " not 'voc'",
    ):
        ToyDataConfig(name="voc", directory=Path("toy"))


def test_help_tells_which_set_of_scenes_is_the_usual_one():
    usual = signature(load("attncli.data.toy.image_folder:make_image_folder")).parameters
    assert f"default: {usual['scene_set'].default}" in HELP["scene_set"]


def test_help_tells_how_many_cameras_there_are():
    usual = signature(load("attncli.data.toy.market1501:make_market1501")).parameters
    assert f"default: {usual['cameras'].default}" in HELP["cameras"]
