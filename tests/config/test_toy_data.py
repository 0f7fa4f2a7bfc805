from pathlib import Path

import pytest

from attncli.catalog import TOY_DATA, load
from attncli.config.fields import settings
from attncli.config.toy_data import ToyDataConfig
from attncli.errors import UsageError

HELP = {name: " ".join(s.help.split()) for name, s in settings(ToyDataConfig).items()}


@pytest.mark.parametrize("row", TOY_DATA, ids=lambda row: row.name)
def test_help_tells_the_defaults_of_every_dataset(row):
    assert f"{row.frames} for {row.name}" in HELP["frames"]
    assert f"{row.frame_hw[0]},{row.frame_hw[1]} for {row.name}" in HELP["frame_hw"]
    usual = TOY_DATA[0].size
    told = f"default: {usual}" if row.size == usual else f"{row.size} for {row.name}"
    assert told in HELP["size"]


@pytest.mark.parametrize("row", TOY_DATA, ids=lambda row: row.name)
def test_what_makes_every_dataset_is_there(row):
    assert callable(load(row.make))
    assert callable(load(row.count))
    assert row.frames >= (load(row.fewest_frames) if row.fewest_frames else 1)


def test_a_dataset_that_cannot_be_made_is_refused():
    with pytest.raises(UsageError, match="name: must be ucf101 or ssv2 or ckplus, not 'voc'"):
        ToyDataConfig(name="voc", directory=Path("toy"))
