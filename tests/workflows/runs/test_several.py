from pathlib import Path

import pytest

from attncli.config.toml import dump
from attncli.errors import AttncliError, UsageError
from attncli.files.runs import load
from attncli.workflows.runs.several import over_seeds, runs_of, training_seeds
from tests.support.runs import begin_run
from tests.support.settings import tiny

RUN = Path("runs/a")


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return the directory of runs with the seeds 4 and 5, of which one was begun."""
    run = tmp_path / "abn"
    begin_run(run / "seed4", "abn", tmp_path, seed=4)
    text = dump(tiny("abn", data=tmp_path, seed=4), method="abn", several=2)
    (run / "config.toml").write_text(text)
    return run


def test_a_directory_says_which_seeds_its_runs_have(several: Path) -> None:
    assert list(training_seeds(several)) == [4, 5]
    assert list(training_seeds(several / "seed4")) == []
    assert list(training_seeds(several / "gone")) == []


def test_its_runs_are_named_where_all_were_begun(several: Path, tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"1 of 2 runs are not trained, such as seed5; go on: "):
        runs_of(several)
    begin_run(several / "seed5", "abn", tmp_path, seed=5)
    assert runs_of(several) == [several / "seed4", several / "seed5"]
    assert runs_of(several / "seed4") == [several / "seed4"]


def test_it_is_no_run_itself(several: Path) -> None:
    with pytest.raises(UsageError, match=r"holds several runs, .*; name one, such as .*/seed4"):
        load(several)


@pytest.mark.parametrize("count", ["0", '"2"', "true"])
def test_a_number_of_runs_that_cannot_be_is_refused(several: Path, count: str) -> None:
    (several / "config.toml").write_text(f"training_seeds = {count}\n")
    with pytest.raises(AttncliError, match="training_seeds must be a whole number of at least 1"):
        training_seeds(several)


def test_figures_become_means_with_spreads_and_what_all_have_alike_stays() -> None:
    rows = [
        {"run": "runs/a/seed0", "method": "abn", "clips": 8, "failed": 0, "top1": 50.0, "n": 1},
        {"run": "runs/a/seed1", "method": "abn", "clips": 8, "failed": 1, "top1": 75.0, "n": 1},
    ]
    (row,) = over_seeds(RUN, rows)
    assert row == {
        "run": "runs/a",
        "seeds": 2,
        "method": "abn",
        "clips": 8,
        "top1": 62.5,
        "top1_std": pytest.approx(25 / 2**0.5),
        "n": 1,
    }


def test_rows_about_one_thing_are_taken_together() -> None:
    rows = [
        {"run": f"runs/a/seed{seed}", "layer": layer, "accuracy": value, "accuracy_std": 9.0}
        for seed, shift in enumerate((0.0, 2.0))
        for layer, value in (("fc", 50.0 + shift), ("cam", 70.0 - shift))
    ]
    fc, cam = over_seeds(RUN, rows)
    assert (fc["layer"], fc["accuracy"], cam["layer"], cam["accuracy"]) == ("fc", 51.0, "cam", 69.0)
    assert fc["accuracy_std"] == pytest.approx(2**0.5)  # over seeds, not the rows' own


def test_a_figure_that_a_run_lacks_has_no_mean() -> None:
    rows = [{"run": "a", "top1": 50.0}, {"run": "b", "top1": None}, {"run": "c", "top1": 50.0}]
    (row,) = over_seeds(RUN, rows)
    assert (row["top1"], row["top1_std"], row["seeds"]) == (None, None, 3)


def test_one_run_has_no_spread() -> None:
    assert over_seeds(RUN, [{"run": "a", "top1": 50.0}]) == [
        {"run": "runs/a", "seeds": 1, "top1": 50.0, "top1_std": None}
    ]
