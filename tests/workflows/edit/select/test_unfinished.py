from collections.abc import Callable
from pathlib import Path

import pytest

from attncli.config.edit_spatial import SelectSpatialConfig
from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump
from attncli.errors import AttncliError, Failure
from attncli.files.edit_directory import EditDirectory
from attncli.files.failures import read_failures
from attncli.files.spatial_edits import SpatialEditDirectory
from attncli.workflows.edit.select.mistakes import Mistake
from attncli.workflows.edit.select.unfinished import (
    Kept,
    UnfinishedEdits,
    require_same_settings,
)

SETTINGS = SelectConfig(run=Path("/runs/st_abn"), max_clips=3)
MISTAKES = tuple(Mistake(id_, "Push", "Pull") for id_ in ("clip/2", "clip/10", "other"))
RECORDS = {"clip/2": {"fps": 12.5, "attention": [0.25, 1.0]}, "other": {"fps": 1, "text": "…"}}
Begin = Callable[..., UnfinishedEdits]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Returns a function that begins edits in the directory `edits`, or goes on with them."""

    def make(settings: SelectConfig = SETTINGS, *, resume: bool = False) -> UnfinishedEdits:
        unfinished = UnfinishedEdits(tmp_path / "edits", EditDirectory)
        unfinished.begin(settings, resume=resume)
        return unfinished

    return make


def finish(unfinished: UnfinishedEdits, failures: tuple[Failure, ...] = ()) -> Kept:
    """Finish edits, and return what their tables were to be made of."""
    written: Kept = []

    def write_tables(path: Path, kept: Kept) -> None:
        written.extend(kept)
        (path / "clips.csv").write_text(f"{len(kept)} clips\n")

    unfinished.finish(MISTAKES, ("Pull", "Push"), failures, write_tables)
    return written


def test_what_is_kept_is_held_and_nothing_else(begin: Begin) -> None:
    unfinished = begin()
    unfinished.keep("clip/2", RECORDS["clip/2"])
    held = {id_: unfinished.holds(id_) for id_ in ("clip/2", "clip/10", "clip", "2", "other")}
    assert held == {"clip/2": True, "clip/10": False, "clip": False, "2": False, "other": False}


def test_the_directory_appears_as_a_whole_at_the_end(begin: Begin, tmp_path: Path) -> None:
    unfinished, out = begin(), tmp_path / "edits"
    unfinished.keep("clip/2", RECORDS["clip/2"])
    assert [path.name for path in tmp_path.iterdir()] == [".edits.partial"]
    finish(unfinished)
    assert [path.name for path in tmp_path.iterdir()] == ["edits"]
    assert {path.name for path in out.iterdir()} == {"config.toml", "classes.txt", "clips.csv"}
    assert (out / "config.toml").read_text() == dump(SETTINGS)
    assert (out / "classes.txt").read_text() == "Pull\nPush\n"


def test_tables_are_made_of_the_clips_that_are_there_in_the_mistakes_order(begin: Begin) -> None:
    unfinished = begin()
    for id_ in reversed(RECORDS):
        unfinished.keep(id_, RECORDS[id_])
    first, _, third = MISTAKES  # nothing is known of the second
    assert finish(unfinished) == [(first, RECORDS["clip/2"]), (third, RECORDS["other"])]


def test_a_later_record_of_a_clip_is_the_one_that_counts(begin: Begin) -> None:
    unfinished = begin()
    for fps in (12.5, 25.0):
        unfinished.keep("other", {"fps": fps})
    assert finish(unfinished) == [(MISTAKES[2], {"fps": 25.0})]


def test_without_a_readable_clip_there_is_a_directory_all_the_same(
    begin: Begin, tmp_path: Path
) -> None:
    failure = Failure(id="clip/2", path="/data/2.avi", error="damaged")
    assert finish(begin(), (failure,)) == []
    edits = EditDirectory(tmp_path / "edits")
    assert read_failures(edits.failures_path) == [failure]
    assert edits.clips_path.read_text() == "0 clips\n"


def test_resumed_edits_hold_what_was_there_before(begin: Begin) -> None:
    begin().keep("clip/2", RECORDS["clip/2"])
    resumed = begin(resume=True)
    assert resumed.holds("clip/2")
    assert finish(resumed) == [(MISTAKES[0], RECORDS["clip/2"])]


def test_nothing_to_resume_is_a_beginning(begin: Begin, tmp_path: Path) -> None:
    begin(resume=True)
    assert (tmp_path / ".edits.partial" / "config.toml").read_text() == dump(SETTINGS)


def test_edits_that_begin_anew_hold_nothing_whatever_the_settings_were(begin: Begin) -> None:
    begin().keep("clip/2", RECORDS["clip/2"])
    anew = begin(SelectConfig(run=Path("/runs/other")))
    assert not anew.holds("clip/2")


def test_edits_of_other_settings_are_not_gone_on_with_and_stay(
    begin: Begin, tmp_path: Path
) -> None:
    begin().keep("clip/2", RECORDS["clip/2"])
    with pytest.raises(AttncliError, match="chosen with other settings"):
        begin(SelectConfig(run=Path("/runs/other")), resume=True)
    assert (tmp_path / ".edits.partial" / "config.toml").read_text() == dump(SETTINGS)
    assert begin(resume=True).holds("clip/2")


@pytest.mark.parametrize("content", [b"", b'{"fps": 12', b"\xff\xfe"])
def test_a_damaged_record_is_named_with_what_to_do(
    begin: Begin, tmp_path: Path, content: bytes
) -> None:
    unfinished = begin()
    unfinished.keep("clip/2", RECORDS["clip/2"])
    path = tmp_path / ".edits.partial" / "records" / "clip" / "2.json"
    path.write_bytes(content)
    with pytest.raises(AttncliError) as raised:
        finish(unfinished)
    assert str(raised.value).startswith(f"{path}")
    assert str(raised.value).endswith("; delete it, and go on with --resume")
    assert not (tmp_path / "edits").exists()
    path.unlink()
    assert finish(begin(resume=True)) == []


def test_a_place_is_the_same_from_wherever_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unfinished = UnfinishedEdits(Path("edits"), SpatialEditDirectory)
    assert unfinished.out == tmp_path / "edits"
    assert unfinished.directory == SpatialEditDirectory(tmp_path / ".edits.partial")
    assert UnfinishedEdits(Path(), EditDirectory).out == tmp_path


def test_the_same_settings_pass_and_so_do_the_first(tmp_path: Path) -> None:
    directory = EditDirectory(tmp_path)
    require_same_settings(directory, SETTINGS)
    assert not directory.config_path.exists()
    directory.config_path.write_text(dump(SETTINGS))
    require_same_settings(directory, SelectConfig(run=Path("/runs/st_abn"), max_clips=3))


@pytest.mark.parametrize(
    "other",
    [
        SelectConfig(run=Path("/runs/st_abn"), max_clips=4),
        SelectConfig(run=Path("/runs/st_abn")),
        SelectConfig(run=Path("/runs/st_abn"), max_clips=3, weakest_classes=1),
        SelectSpatialConfig(run=Path("/runs/st_abn"), max_clips=3, masks=Path("/masks")),
    ],
)
def test_any_other_setting_is_refused(tmp_path: Path, other: SelectConfig) -> None:
    directory = EditDirectory(tmp_path)
    directory.config_path.write_text(dump(SETTINGS))
    with pytest.raises(AttncliError) as raised:
        require_same_settings(directory, other)
    assert str(raised.value) == (
        f"{directory.config_path}: these clips were chosen with other settings; repeat those"
        " settings, or write elsewhere"
    )
