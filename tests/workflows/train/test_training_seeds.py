"""Trainings that differ in their seeds, from the command line to their table."""

import json
import shutil
import statistics
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.errors import UsageError
from attncli.reporting import Silent
from attncli.workflows.train.training_seeds import SeveralTrainings
from tests.support.settings import tiny

Run = Callable[..., Any]
TINY = (
    *("--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--workers", "0"),
    *("--crop-px", "32", "--long-side-min-px", "32", "--long-side-max-px", "40"),
    *("--epochs", "1", "--batch-size", "4", "--device", "cpu"),
)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Return three images of each of three classes, for training and for validation."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for name in ("cat", "dog", "owl"):
            place = tmp_path / "data" / split / name
            place.mkdir(parents=True)
            for number in range(3):
                pixels = rng.integers(0, 256, (30, 40, 3), np.uint8)
                Image.fromarray(pixels).save(place / f"{name}{number}.png")
    return tmp_path / "data"


def trained(run_cli: Run, data: Path, out: Path, *words: object) -> Any:
    return run_cli("train", "cam", "--data", data, *TINY, "-o", out, "--json", *words)


def test_runs_end_with_a_table_of_means_and_spreads_and_go_on(
    run_cli: Run, folders: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cam"
    answer = trained(run_cli, folders, out, "--seeds", "2", "--seed", "3", "--limit", "6")
    assert answer.exit_code == 0, answer.stderr
    *runs, mean = json.loads(answer.stdout)
    assert [row["run"] for row in runs] == [str(out / "seed3"), str(out / "seed4")]
    assert (mean["run"], mean["seeds"], mean["limit"]) == (str(out), 2, 6)
    figures = [row["map"] for row in runs]
    assert mean["map"] == pytest.approx(statistics.fmean(figures))
    assert mean["map_std"] == pytest.approx(statistics.stdev(figures))
    for seed in (3, 4):
        kept = tomllib.loads((out / f"seed{seed}" / "config.toml").read_text())
        assert (kept["seed"], kept["limit"]) == (seed, 6)

    weights = (out / "seed3" / "model.safetensors").stat().st_mtime_ns
    shutil.rmtree(out / "seed4")
    again = run_cli("train", "cam", "--resume", "-o", out, "--json")
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout) == [*runs, mean]
    assert (out / "seed3" / "model.safetensors").stat().st_mtime_ns == weights

    scored = run_cli("eval", out, "--json")
    assert scored.exit_code == 0, scored.stderr
    assert json.loads(scored.stdout)[-1] == mean


def test_side_by_side_they_come_to_the_same(run_cli: Run, folders: Path, tmp_path: Path) -> None:
    words = ("--seeds", "2", "--limit", "4", "--classes", "cat,owl")
    answers = [
        trained(run_cli, folders, tmp_path / name, *words, *more)
        for name, more in (("a", ()), ("b", ("--parallel-seeds", "2")))
    ]
    one, other = (
        [{k: v for k, v in row.items() if k != "run"} for row in json.loads(answer.stdout)]
        for answer in answers
    )
    assert one == other
    assert one[0]["only_classes"] == "cat,owl"
    logs = sorted(path.name for path in (tmp_path / "b" / "logs").iterdir())
    assert logs == ["seed0.txt", "seed1.txt"]


def test_what_was_begun_otherwise_is_refused(run_cli: Run, folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "cam"
    assert trained(run_cli, folders, out, "--seeds", "2").exit_code == 0
    settings = (out / "config.toml").read_bytes()
    for words, message in (
        (("--seeds", "2"), "exists already; pass --overwrite or --resume"),
        (("--seeds", "1", "--resume"), "was begun with 2 seeds from 0; pass --seed 0 and at"),
        (("--seeds", "2", "--seed", "1", "--resume"), "was begun with 2 seeds from 0"),
        (("--seeds", "3", "--lr", "0.5", "--resume"), "begun with other settings: --lr"),
    ):
        answer = trained(run_cli, folders, out, *words)
        assert answer.exit_code in (1, 2)
        assert message in answer.stderr
    assert (out / "config.toml").read_bytes() == settings
    assert not (out / "seed2").exists()
    answer = trained(run_cli, folders, out / "seed0", "--seeds", "2", "--resume")
    assert "holds one run, not one for each seed" in answer.stderr
    assert trained(run_cli, folders, out, "--seeds", "1", "--overwrite").exit_code == 0
    assert not (out / "seed1").exists()


def test_what_no_training_could_use_is_refused_before_anything_is_written(
    run_cli: Run, folders: Path, tmp_path: Path
) -> None:
    answer = trained(run_cli, folders, tmp_path / "r", "--seeds", "2", "--classes", "cat,dig")
    assert answer.exit_code == 2
    assert "--classes: no such class: 'dig'; did you mean 'dog'?" in answer.stderr
    assert not (tmp_path / "r").exists()


def test_a_method_that_draws_nothing_is_refused(tmp_path: Path) -> None:
    class Nothing:
        """Settings without a seed."""

    trainings = SeveralTrainings("abn", Nothing(), 2, tmp_path)
    ways = {"resume": False, "overwrite": False, "dry_run": True}
    with pytest.raises(UsageError, match="--seeds: abn draws nothing at random; leave it out"):
        trainings.run(**ways, reporter=Silent())


def test_processes_of_torchrun_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    trainings = SeveralTrainings("abn", tiny("abn"), 2, tmp_path)
    ways = {"resume": False, "overwrite": False, "dry_run": True}
    with pytest.raises(UsageError, match="start it without torchrun, with --parallel-seeds"):
        trainings.run(**ways, reporter=Silent())


def test_a_logger_that_is_not_installed_is_told_before_anything_is_written(
    run_cli: Run, folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    answer = trained(run_cli, folders, tmp_path / "r", "--logger", "wandb")
    assert answer.exit_code == 4
    assert 'pip install "attncli[wandb]"' in answer.stderr
    assert not (tmp_path / "r").exists()
