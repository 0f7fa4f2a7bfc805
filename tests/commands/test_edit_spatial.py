import json
import re
from pathlib import Path

import numpy as np
import pytest

from attncli.commands.edit_spatial import SUBCOMMANDS
from attncli.config.edit_spatial import FromMasksCall, SelectSpatialCall, SelectSpatialConfig
from attncli.config.toml import dump
from attncli.files.masks import FrameMasks, Instance, MaskDirectory, MaskWriter
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory, VideoAttention

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def edits(tmp_path):
    directory = SpatialEditDirectory(tmp_path / "spatial")
    directory.path.mkdir()
    directory.config_path.write_text(dump(SelectSpatialConfig(run=tmp_path / "run")))
    directory.write_clips([SpatialClip("a", "Push", "Pull", 2, 12.0, 8, 6)])
    maps = np.zeros((2, 2, 2), np.float16)
    directory.write_attention("a", VideoAttention(maps, (1.0, 0.0, 7.0, 6.0)))
    found = [
        Instance.of(np.ones((6, 8), np.bool_), category=category, score=1.0)
        for category in ("dog", "person")
    ]
    with MaskWriter(tmp_path / "masks", "a") as writer:
        writer.write(FrameMasks(0, (6, 8), (found[0],)))
        writer.write(FrameMasks(1, (6, 8), tuple(found)))
    return directory


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_with_an_example(run_cli, name):
    code, stdout, stderr = run_cli("edit-spatial", name, "--help")
    assert (code, stderr) == (0, "")
    assert re.search(rf"Example: attncli edit-spatial {name}\b", stdout)


def test_the_group_lists_its_subcommands(run_cli):
    code, stdout, _ = run_cli("edit-spatial")
    assert code == 0
    for name, (summary, _) in SUBCOMMANDS.items():
        assert re.search(rf"{name} +{re.escape(summary)}", stdout)


def test_masks_are_taken_and_checked(edits, run_cli, tmp_path):
    words = ("edit-spatial", "from-masks", edits.path, "--masks", tmp_path / "masks", "--json")
    plan = run_cli(*words, "--dry-run")
    assert json.loads(plan.stdout) == [{"edits": str(edits.path), "edited": 1, "edited_frames": 2}]
    assert run_cli(*words, "--keep", "person").exit_code == 0
    refused = run_cli(*words)
    assert refused.exit_code == 1
    assert "clip 'a' is edited already; pass --keep-existing" in refused.stderr
    both = run_cli(*words, "--keep", "person", "--keep", "dog", "--overwrite")
    checked = run_cli("edit-spatial", "check", edits.path, "--json")
    assert both.exit_code == checked.exit_code == 0
    assert json.loads(both.stdout) == json.loads(checked.stdout)
    assert json.loads(checked.stdout)[0]["edited_frames"] == 2


def test_edits_that_are_broken_are_named(edits, run_cli):
    path = edits.edits.path("a")
    path.parent.mkdir()
    path.write_text("no JSON\n")
    code, _, stderr = run_cli("edit-spatial", "check", edits.path)
    assert code == 1
    assert f"{path}:1: not a line of masks" in stderr


def test_masks_that_cannot_be_used_are_told_by_the_exit_code(edits, run_cli, tmp_path):
    MaskDirectory(tmp_path / "masks").path("a").write_text("no JSON\n")
    answer = run_cli("edit-spatial", "from-masks", edits.path, "--masks", tmp_path / "masks")
    assert answer.exit_code == 3


def test_select_refuses_masks_that_are_not_there(run_cli, tmp_path):
    masks = tmp_path / "masks"
    refused = run_cli("edit-spatial", "select", "run", "--masks", masks, "-o", tmp_path / "out")
    assert refused.exit_code == 1
    assert f"{masks}: no such directory; make them" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_options_of_select_become_settings(told):
    words = ("run", "--masks", "masks", "--weakest-classes", "8", "--max-clips", "9")
    assert told(SelectSpatialConfig, *words) == SelectSpatialConfig(
        run=Path("run"), masks=Path("masks"), weakest_classes=8, max_clips=9
    )
    assert told(SelectSpatialCall).out == Path("spatial")
    assert told(SelectSpatialCall, "-o", "out", "-j", "2").workers == 2


def test_two_ways_to_choose_classes_exclude_each_other(run_cli):
    words = ("run", "--weakest-classes", "8", "--below-percent", "40")
    code, _, stderr = run_cli("edit-spatial", "select", *words)
    assert code == 2
    assert "--weakest-classes and --below-percent: exclude each other" in stderr


def test_categories_may_hold_commas(told):
    call = told(FromMasksCall, "spatial", "--keep", "salt, pepper", "--keep", "dog")
    assert call.keep == ("salt, pepper", "dog")
