import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attncli.config.edit_temporal import SelectConfig
from attncli.data.clips.reading import read_validation_clip
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError, UsageError
from attncli.files.edit_directory import open_edit_directory
from attncli.files.failures import read_failures
from attncli.files.metrics import read_metrics, write_metrics
from attncli.files.predictions import Predictions, write_predictions
from attncli.files.runs import RunDirectory, load
from attncli.files.temporal_edits import write_temporal_edits
from attncli.reporting import Outcome, Silent
from attncli.workflows.edit.select import whole_videos
from attncli.workflows.edit.select.selection import select_clips
from attncli.workflows.edit.temporal.select import TemporalEditing
from tests.support.networks import build
from tests.support.reporters import Told
from tests.support.runs import make_run

CLASSES = ("Pull", "Push", "Roll")


@pytest.fixture
def data(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    """Two training videos and a validation video of each class, of 5 to 13 frames."""
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "path", "label", "split"])
        for number in range(9):
            video = make_video(f"v{number}", 5 + number)
            split = "val" if number >= 6 else "train"
            table.writerow([f"clip/{number}", video, CLASSES[number % 3], split])
    return path


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    return make_run(tmp_path / "run", "st-abn", data, CLASSES, sampling="dense")


def answer(run: Path, split: str, predicted: list[str], **source: str) -> None:
    """Let the run have been evaluated, with these answers."""
    numbers = range(6) if split == "train" else range(6, 9)
    directory = RunDirectory(run).evaluation_path(split)
    directory.mkdir(parents=True, exist_ok=True)
    write_predictions(
        directory / "predictions.csv",
        Predictions(
            ids=[f"clip/{number}" for number in numbers],
            labels=[CLASSES[number % 3] for number in numbers],
            predicted=predicted,
            classes=CLASSES,
            probabilities=np.full((len(numbers), 3), 1 / 3, dtype=np.float32),
        ),
    )
    weights = RunDirectory(run).weights_path
    write_metrics(directory / "metrics.json", {"top1": 0.0, **source}, weights=weights)


@pytest.fixture
def answered(run: Path) -> Path:
    """A run that takes every Push for a Pull, one Pull for a Roll, and knows every Roll."""
    answer(run, "train", ["Roll", "Pull", "Roll", "Pull", "Pull", "Roll"])
    answer(run, "val", ["Pull", "Pull", "Roll"])
    return run


def select(run: Path, out: Path, **options: Any) -> Outcome:
    names = ("below_percent", "weakest_classes", "max_clips")
    settings = {name: options.pop(name) for name in names if name in options}
    defaults = {"device": "cpu", "workers": 0, "reporter": Silent()}
    config = SelectConfig(run=run, **settings)
    return select_clips(config, out, TemporalEditing(), **(defaults | options))


def test_an_edit_directory_holds_all_that_editing_needs(answered: Path, tmp_path: Path) -> None:
    outcome = select(answered, tmp_path / "edits")
    edits = open_edit_directory(tmp_path / "edits")
    clips = edits.read_clips()
    assert [(c.id, c.label, c.predicted, c.frames) for c in clips.values()] == [
        ("clip/1", "Push", "Pull", 6),
        ("clip/4", "Push", "Pull", 9),
    ]
    assert edits.read_edits().unedited == ("clip/1", "clip/4")
    assert edits.classes_path.read_text().split() == list(CLASSES)
    assert edits.read_settings() == SelectConfig(run=answered)
    assert len(list(edits.frames_path("clip/4").iterdir())) == 9
    assert edits.annotators() == {}
    assert outcome == Outcome(
        rows=[
            {
                "run": str(answered),
                "class": "Push",
                "train_accuracy": 0,
                "val_accuracy": 0,
                "clips": 2,
                "frames": 15,
            }
        ],
        inputs=2,
    )
    names = {path.name for path in edits.path.iterdir()}
    assert names == {
        *("config.toml", "classes.txt", "clips.csv", "edits.csv", "attention.csv"),
        *("frames", "annotators"),
    }
    assert not list(tmp_path.glob(".edits*"))


def test_attention_is_the_networks_own_over_the_whole_video(
    answered: Path, data: Path, tmp_path: Path
) -> None:
    select(answered, tmp_path / "edits")
    config = load(answered).config
    network = build("st-abn", config, len(CLASSES)).model.eval()
    sample = VideoSample("clip/1", tmp_path / "videos" / "v1", 1)
    # Six frames in clips of four: 0 to 3 and 2 to 5, frames 2 and 3 are in both.
    with torch.inference_mode():
        first, second = (
            network(read_validation_clip(sample, config, frames)).temporal_attention[0].numpy()
            for frames in (np.arange(4), np.arange(2, 6))
        )
    expected = [*first[:2], *(first[2:] + second[:2]) / 2, *second[2:]]
    found = open_edit_directory(tmp_path / "edits").read_attention()["clip/1"]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_run_is_evaluated_first_where_it_was_not(run: Path, tmp_path: Path) -> None:
    reporter = Told()
    outcome = select(run, tmp_path / "edits", weakest_classes=3, reporter=reporter)
    for split, clips in (("train", 6), ("val", 3)):
        assert read_metrics(run / "eval" / split / "metrics.json")["clips"] == clips
        assert f"{run} was not evaluated on {split} yet; doing so first" in reporter.texts
    assert sum(int(row["clips"] or 0) for row in outcome.rows) > 0


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"weakest_classes": 2}, ["clip/1", "clip/4", "clip/0"]),
        ({"below_percent": 51.0}, ["clip/1", "clip/4"]),
        ({"weakest_classes": 2, "max_clips": 2}, ["clip/1", "clip/0"]),
    ],
)
def test_other_rules_take_other_clips(
    answered: Path, tmp_path: Path, options: dict[str, float], ids: list[str]
) -> None:
    select(answered, tmp_path / "edits", **options)
    assert list(open_edit_directory(tmp_path / "edits").read_clips()) == ids


def test_a_dry_run_says_what_would_be_taken_and_touches_nothing(run: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    (row,) = select(run, tmp_path / "edits", dry_run=True).rows
    assert row["plan"] == "evaluate train and val first"
    assert sorted(tmp_path.rglob("*")) == before
    answer(run, "train", ["Roll"] * 6)
    answer(run, "val", ["Roll"] * 3)
    before = sorted(tmp_path.rglob("*"))
    rows = select(run, tmp_path / "edits", dry_run=True).rows
    assert [(row["class"], row["clips"]) for row in rows] == [("Pull", 2), ("Push", 2)]
    assert sorted(tmp_path.rglob("*")) == before


def test_unreadable_videos_are_named_and_the_rest_is_done(answered: Path, tmp_path: Path) -> None:
    broken = tmp_path / "videos" / "v4" / "000003.png"
    broken.write_bytes(b"no picture")
    outcome = select(answered, tmp_path / "edits")
    assert [failure.id for failure in outcome.failures] == ["clip/4"]
    edits = open_edit_directory(tmp_path / "edits")
    assert list(edits.read_clips()) == ["clip/1"]
    assert read_failures(edits.failures_path) == outcome.failures
    assert outcome.rows[0]["clips"] == 1


def test_where_no_video_can_be_read_the_tables_are_empty(answered: Path, tmp_path: Path) -> None:
    for number in (1, 4):
        (tmp_path / "videos" / f"v{number}" / "000001.png").write_bytes(b"no picture")
    outcome = select(answered, tmp_path / "edits")
    assert len(outcome.failures) == 2
    assert open_edit_directory(tmp_path / "edits").read_clips() == {}


def test_an_interrupted_command_goes_on_where_it_stopped(
    answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = select(answered, tmp_path / "whole", weakest_classes=2)
    watch, seen = whole_videos.watch, []

    def interrupted(network: Any, samples: Any, config: Any, **options: Any) -> Any:
        seen.append([sample.id for sample in samples])
        for number, found in enumerate(watch(network, samples, config, **options)):
            if number == 1 and len(seen) == 1:
                raise KeyboardInterrupt
            yield found

    monkeypatch.setattr(whole_videos, "watch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        select(answered, tmp_path / "edits", weakest_classes=2)
    assert not (tmp_path / "edits").exists()
    with pytest.raises(AttncliError, match="chosen with other settings"):
        select(answered, tmp_path / "edits", resume=True)
    resumed = select(answered, tmp_path / "edits", weakest_classes=2, resume=True)
    assert seen == [["clip/1", "clip/4", "clip/0"], ["clip/4", "clip/0"]]
    assert resumed == whole
    files = ("clips.csv", "attention.csv", "edits.csv", "config.toml")
    for name in files:
        assert (tmp_path / "edits" / name).read_text() == (tmp_path / "whole" / name).read_text()
    select(answered, tmp_path / "edits", weakest_classes=2, resume=True)
    assert len(seen) == 2


def test_without_resume_an_interrupted_command_begins_anew(answered: Path, tmp_path: Path) -> None:
    left_over = tmp_path / ".edits.partial" / "records" / "clip"
    left_over.mkdir(parents=True)
    (left_over / "1.json").write_text("half of")
    select(answered, tmp_path / "edits")
    assert list(open_edit_directory(tmp_path / "edits").read_clips()) == ["clip/1", "clip/4"]
    assert not (tmp_path / ".edits.partial").exists()


def test_what_is_there_stays_unless_it_may_go_and_holds_no_edits(
    answered: Path, tmp_path: Path
) -> None:
    out = tmp_path / "edits"
    select(answered, out)
    with pytest.raises(AttncliError, match="exists already; pass --overwrite or --resume"):
        select(answered, out)
    assert len(select(answered, out, overwrite=True, weakest_classes=2).rows) == 2
    edits = open_edit_directory(out)
    filled = {"clip/1": np.array([0, 1, None, None, None, None], dtype=np.float32)}
    write_temporal_edits(edits.edits_path, filled)
    with pytest.raises(AttncliError, match="holds edits already"):
        select(answered, out, overwrite=True)
    write_temporal_edits(edits.edits_path, {"clip/1": np.full(6, np.nan, np.float32)})
    edits.annotator_path("anna").touch()
    with pytest.raises(AttncliError, match="holds edits already"):
        select(answered, out, overwrite=True)


def test_the_dataset_of_the_run_is_never_emptied(
    answered: Path, data: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "dataset" / data.name
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(data.read_bytes())
    (elsewhere.parent / "config.toml").write_text("format_version = 1")
    settings = answered / "config.toml"
    settings.write_text(settings.read_text().replace(str(data), str(elsewhere)))
    with pytest.raises(AttncliError, match=f"holds {elsewhere}, which must stay"):
        select(answered, elsewhere.parent, overwrite=True)
    assert elsewhere.exists()


def test_resume_and_overwrite_exclude_each_other(answered: Path, tmp_path: Path) -> None:
    out = tmp_path / "edits"
    select(answered, out)
    with pytest.raises(UsageError, match="exclude each other"):
        select(answered, out, overwrite=True, resume=True, weakest_classes=2)


def test_a_run_without_temporal_attention_is_refused(data: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "plain", "resnet3d", data, CLASSES)
    with pytest.raises(AttncliError, match="resnet3d has no temporal attention"):
        select(run, tmp_path / "edits")
    assert not (tmp_path / "edits").exists()


@pytest.mark.parametrize("source", ["checkpoint", "data", "frames"])
def test_an_evaluation_of_anything_but_the_run_itself_is_refused(
    answered: Path, tmp_path: Path, source: str
) -> None:
    answer(answered, "train", ["Roll"] * 6, **{source: "other"})
    with pytest.raises(AttncliError, match=f"another {source} .*attncli eval {answered} --split t"):
        select(answered, tmp_path / "edits")


def test_an_evaluation_of_other_weights_is_pointed_out(
    answered: Path, data: Path, tmp_path: Path
) -> None:
    reporter = Told()
    select(answered, tmp_path / "own", reporter=reporter)
    assert reporter.warnings == []
    other = make_run(tmp_path / "other", "st-abn", data, CLASSES, seed=1)
    (other / "model.safetensors").replace(answered / "model.safetensors")
    select(answered, tmp_path / "edits", reporter=reporter)
    told = [f"{answered}/eval/{split}/predictions.csv" for split in ("train", "val")]
    for path, warning in zip(told, reporter.warnings, strict=True):
        assert warning.startswith(f"{path} is not known to be of the run's weights")


def test_clips_that_the_dataset_lost_are_named(answered: Path, data: Path, tmp_path: Path) -> None:
    data.write_text(data.read_text().replace("clip/4", "clip/44"))
    with pytest.raises(AttncliError, match=r"manifest\.csv: has no training clip 'clip/4'"):
        select(answered, tmp_path / "edits")


def test_attention_that_is_not_finite_is_refused(
    answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = whole_videos.watch

    def broken(*args: Any, **options: Any) -> Any:
        for found in watch(*args, **options):
            yield replace(found, attention=found.attention * np.float32(np.nan))

    monkeypatch.setattr(whole_videos, "watch", broken)
    with pytest.raises(AttncliError, match=r"model\.safetensors: .* not finite"):
        select(answered, tmp_path / "edits")
    assert not (tmp_path / "edits").exists()
