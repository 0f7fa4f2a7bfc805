"""What both kinds of edits have in common; what each of them writes is tested beside it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.config.edit_temporal import SelectConfig
from attncli.errors import AttncliError
from attncli.files.edit_directory import open_edit_directory
from attncli.files.locks import hold_beside
from attncli.files.metrics import write_metrics
from attncli.files.predictions import Predictions, write_predictions
from attncli.files.runs import RunDirectory
from attncli.files.spatial_edits import open_spatial_edits
from attncli.reporting import Outcome, Silent
from attncli.workflows.edit.select import whole_videos
from attncli.workflows.edit.select.selection import Editing, select_clips
from attncli.workflows.edit.spatial.select import SpatialEditing
from attncli.workflows.edit.temporal.select import TemporalEditing
from tests.support.reporters import Told
from tests.support.runs import begin_run, make_run

CLASSES = ("Pull", "Push")
VIDEOS = {
    "v0": ("train", 0),
    "v1": ("train", 1),
    "v2": ("train", 1),
    "v3": ("val", 1),
    "v4": ("val", 0),
}
"""Split and class of each video."""


@pytest.fixture
def run(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    """A run on five videos of five frames."""
    rows = ["id,path,label,split"]
    for name, (split, label) in VIDEOS.items():
        rows.append(f"{name},{make_video(name, 5)},{CLASSES[label]},{split}")
    data = tmp_path / "manifest.csv"
    data.write_text("\n".join(rows) + "\n")
    return make_run(tmp_path / "run", "st-abn", data, CLASSES)


def answer(run: Path, split: str, predicted: Sequence[str]) -> None:
    """Let the run have been evaluated on a split, with these answers."""
    ids = [name for name, (where, _) in VIDEOS.items() if where == split]
    directory = RunDirectory(run).evaluation_path(split)
    directory.mkdir(parents=True)
    answers = Predictions(
        ids=ids,
        labels=[CLASSES[VIDEOS[name][1]] for name in ids],
        predicted=list(predicted),
        classes=CLASSES,
        probabilities=np.full((len(ids), 2), 0.5, dtype=np.float32),
    )
    write_predictions(directory / "predictions.csv", answers)
    weights = RunDirectory(run).weights_path
    write_metrics(directory / "metrics.json", {"top1": 0.0}, weights=weights)


@pytest.fixture
def answered(run: Path) -> Path:
    """The run, which takes every Push for a Pull and knows each Pull."""
    answer(run, "train", ["Pull", "Pull", "Pull"])
    answer(run, "val", ["Pull", "Pull"])
    return run


def select(run: Path, out: Path, **options: Any) -> Outcome:
    editing = options.pop("editing", TemporalEditing())
    settings = SelectConfig(run=run, weakest_classes=options.pop("weakest_classes", 1))
    defaults = {"device": "cpu", "workers": 0, "reporter": Silent()}
    return select_clips(settings, out, editing, **(defaults | options))


@pytest.mark.parametrize("editing", [TemporalEditing(), SpatialEditing()])
def test_either_kind_of_edits_gets_the_same_clips(
    answered: Path, tmp_path: Path, editing: Editing
) -> None:
    assert isinstance(editing, Editing)
    (row,) = select(answered, tmp_path / "edits", editing=editing).rows
    assert row == {
        "run": str(answered),
        "class": "Push",
        "train_accuracy": 0,
        "val_accuracy": 0,
        "clips": 2,
        "frames": 10,
    }
    opened = {"temporal": open_edit_directory, "spatial": open_spatial_edits}[editing.kind]
    assert list(opened(tmp_path / "edits").read_clips()) == ["v1", "v2"]


@pytest.mark.parametrize("editing", [TemporalEditing(), SpatialEditing()])
def test_it_says_where_the_clips_are_and_what_edits_them(
    answered: Path, tmp_path: Path, editing: Editing
) -> None:
    reporter, out = Told(), tmp_path / "edits"
    select(answered, out, editing=editing, reporter=reporter)
    command = f"attncli edit-{editing.kind} serve {out}"
    assert reporter.texts == [f"clips are in {out}; edit them with `{command}`"]


def test_a_run_that_is_not_trained_on_videos_is_refused(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "faces", "convlstm-ram", tmp_path / "CK+", CLASSES)
    with pytest.raises(AttncliError) as raised:
        select(run, tmp_path / "edits", editing=SpatialEditing())
    assert str(raised.value) == (
        f"{run}: clips of convlstm-ram cannot be edited; name a run that is trained on videos"
    )
    assert not (tmp_path / "edits").exists()


def test_a_plan_names_the_split_that_is_not_evaluated_yet(run: Path, tmp_path: Path) -> None:
    answer(run, "train", ["Pull", "Pull", "Pull"])
    out = tmp_path / "edits"
    (row,) = select(run, out, dry_run=True).rows
    assert row == {"run": str(run), "out": str(out), "plan": "evaluate val first"}


def test_a_plan_of_what_is_known_counts_the_clips(answered: Path, tmp_path: Path) -> None:
    (row,) = select(answered, tmp_path / "edits", dry_run=True).rows
    assert (row["class"], row["clips"]) == ("Push", 2)
    assert "frames" not in row
    assert not list(tmp_path.glob("*edits*"))


def test_a_plan_is_refused_as_the_choice_would_be(answered: Path, tmp_path: Path) -> None:
    out = tmp_path / "edits"
    select(answered, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with pytest.raises(AttncliError, match="exists already"):
        select(answered, out, dry_run=True)
    with pytest.raises(AttncliError, match="chosen with other settings"):
        select(answered, out, dry_run=True, resume=True, weakest_classes=2)
    assert select(answered, out, dry_run=True, resume=True).rows
    assert select(answered, out, dry_run=True, overwrite=True).rows
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_only_the_split_that_is_missing_is_evaluated(run: Path, tmp_path: Path) -> None:
    answer(run, "train", ["Pull", "Pull", "Pull"])
    reporter = Told()
    select(run, tmp_path / "edits", weakest_classes=2, reporter=reporter)
    assert reporter.notes[0] == f"{run} was not evaluated on val yet; doing so first"
    assert "train" not in " ".join(reporter.texts[1:])


def test_clips_that_cannot_be_evaluated_are_pointed_out(run: Path, tmp_path: Path) -> None:
    answer(run, "train", ["Pull", "Pull", "Pull"])
    for picture in (tmp_path / "videos" / "v4").iterdir():
        picture.write_bytes(b"no picture")
    reporter = Told()
    select(run, tmp_path / "edits", weakest_classes=2, reporter=reporter)
    failures = run / "eval" / "val" / "failures.jsonl"
    assert reporter.warnings == [f"1 clips could not be read, see {failures}"]
    assert len(failures.read_text().splitlines()) == 1


def test_a_run_is_kept_by_its_absolute_path(
    answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    select(Path("run"), Path("edits"))
    assert open_edit_directory(tmp_path / "edits").read_settings().run == answered


def test_what_is_complete_is_not_done_again(
    answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, out = Told(), tmp_path / "edits"
    first = select(answered, out)

    def watch(*args: object, **options: object) -> None:
        raise AssertionError("there is nothing to watch")

    monkeypatch.setattr(whole_videos, "watch", watch)
    assert select(answered, out, resume=True, reporter=reporter) == first
    assert reporter.texts == [f"{out} is complete"]
    with pytest.raises(AttncliError, match="chosen with other settings"):
        select(answered, out, resume=True, weakest_classes=2)


@pytest.mark.parametrize(("batch_size", "expected"), [(None, 3), (2, 2)])
def test_videos_are_watched_in_batches_of_the_runs_size_or_another(
    answered: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int | None,
    expected: int,
) -> None:
    watch, seen = whole_videos.watch, []

    def remember(network: Any, samples: Any, config: Any, **options: Any) -> Any:
        seen.append((config.batch_size, options["kind"], options["picture_px"]))
        return watch(network, samples, config, **options)

    monkeypatch.setattr(whole_videos, "watch", remember)
    select(answered, tmp_path / "edits", batch_size=batch_size)
    assert seen == [(expected, "temporal", 96)]


def test_two_commands_do_not_write_the_same_edits(answered: Path, tmp_path: Path) -> None:
    out = tmp_path / "edits"
    hold = hold_beside(out, remedy="wait")
    try:
        with pytest.raises(AttncliError, match=r"edits: is in use by process .*; wait until it"):
            select(answered, out)
    finally:
        hold.end()
    assert not list(tmp_path.glob("*edits*"))
    select(answered, out)
    assert out.is_dir()
