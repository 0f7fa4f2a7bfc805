from pathlib import Path

import pytest

from attncli.config.edit_spatial import FromMasksCall, SelectSpatialCall, SelectSpatialConfig
from attncli.config.fields import settings
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError


def test_settings_survive_the_way_to_the_file_and_back(tmp_path):
    chosen = SelectSpatialConfig(run=Path("/run"), masks=Path("/masks"), weakest_classes=8)
    (tmp_path / "config.toml").write_text(dump(chosen))
    assert resolve(SelectSpatialConfig, tmp_path / "config.toml") == chosen


def test_clips_are_chosen_by_the_rule_of_temporal_edits():
    assert SelectSpatialConfig(run=Path("run")).below_percent == 50
    message = "--weakest-classes and --below-percent: exclude each other"
    with pytest.raises(UsageError, match=message):
        SelectSpatialConfig(run=Path("run"), weakest_classes=8, below_percent=30.0)


def test_edits_of_both_kinds_do_not_go_to_one_directory_by_themselves():
    assert SelectSpatialCall().out == Path("spatial")
    with pytest.raises(UsageError, match=r"^--batch-size: must be"):
        SelectSpatialCall(batch_size=0)


def test_edits_that_are_there_are_kept_only_where_that_is_asked_for():
    assert not FromMasksCall(edits=Path("spatial")).keep_existing
    assert settings(FromMasksCall)["keep_existing"].flag == "--keep-existing"


def test_instances_of_all_categories_become_edits_unless_some_are_named():
    assert FromMasksCall(edits=Path("spatial")).keep == ()
    assert settings(FromMasksCall)["keep"].option.is_repeated
