import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from attncli.config.runs_list import RunsListCall
from attncli.errors import AttncliError, UsageError
from attncli.files.metrics import write_metrics
from attncli.files.runs import RunDirectory
from attncli.reporting import Row, Silent
from attncli.workflows.runs_list import list_runs
from tests.support.runs import begin_run


def trained(path: Path, method: str = "x3d", *, epochs: int = 2, asked: int = 2) -> Path:
    """Write what a training of some epochs leaves."""
    fold = int(path.name[4:]) if path.name.startswith("fold") else None
    changes = {} if fold is None else {"fold": fold, "folds": 2}
    begin_run(path, method, Path("data"), epochs=asked, **changes)
    lines = ["epoch,loss", *(f"{epoch},0.5" for epoch in range(1, epochs + 1))]
    RunDirectory(path).log_path.write_text("\n".join(lines) + "\n")
    if epochs == asked:
        RunDirectory(path).weights_path.write_bytes(b"")
    return path


def evaluated(path: Path, split: str, **figures: float) -> None:
    own = {"run": "elsewhere", "method": "x", "split": split, "clips": 6, **figures}
    write_metrics(RunDirectory(path).evaluation_path(split) / "metrics.json", own)


def listed(*tops: Path, **options: str) -> list[Row]:
    outcome = list_runs(RunsListCall(directories=tops, **options), reporter=Silent())
    assert not outcome.failures
    return outcome.rows


def test_a_run_has_a_row_for_each_split_it_was_evaluated_on(tmp_path: Path) -> None:
    run = trained(tmp_path / "a" / "deep")
    evaluated(run, "val", top1=80.0)
    evaluated(run, "train", top1=95.0)
    train, val = listed(tmp_path)
    assert (val["run"], val["method"], val["split"]) == (str(run), "x3d", "val")
    assert (train["split"], train["top1"], val["top1"], val["clips"]) == ("train", 95.0, 80.0, 6)
    assert (val["state"], val["epochs_done"], val["epochs"]) == ("complete", 2, 2)
    assert listed(tmp_path, split="val") == [val]


def test_a_run_without_figures_has_a_row_and_says_how_far_it_is(tmp_path: Path) -> None:
    trained(tmp_path / "b", epochs=1, asked=5)
    begin_run(tmp_path / "c", "x3d", Path("data"), epochs=5)
    first, second = listed(tmp_path, split="val")
    assert (first["state"], first["epochs_done"], first["epochs"]) == ("unfinished", 1, 5)
    assert (second["state"], second["epochs_done"]) == ("unfinished", 0)
    assert "split" not in first


def test_a_run_that_is_to_go_on_longer_is_unfinished(tmp_path: Path) -> None:
    run = trained(tmp_path / "b", epochs=1, asked=5)
    RunDirectory(run).weights_path.write_bytes(b"")  # of fewer epochs
    assert listed(tmp_path)[0]["state"] == "unfinished"


def test_folds_are_one_row(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "ram", "convlstm-ram", Path("data"), epochs=2, folds=2)
    trained(run / "fold01", "convlstm-ram")
    trained(run / "fold02", "convlstm-ram", epochs=1)
    evaluated(run, "val", accuracy=70.0)
    evaluated(run / "fold01", "val", accuracy=60.0)
    (row,) = listed(tmp_path)
    assert (row["state"], row["folds_done"], row["folds"]) == ("unfinished", 1, 2)
    assert (row["epochs_done"], row["accuracy"]) == (1, 70.0)
    trained(run / "fold02", "convlstm-ram")
    assert listed(tmp_path)[0]["state"] == "complete"
    assert listed(run / "fold01")[0]["accuracy"] == 60.0  # where it is asked for


def test_the_date_is_that_of_the_last_training(tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    for path in run.rglob("*"):
        os.utime(path, (86400 * 365, 86400 * 365))
    evaluated(run, "val", top1=80.0)  # an evaluation trains nothing
    assert str(listed(tmp_path)[0]["date"]).startswith("1971-01-0")


def test_figures_are_sorted_from_the_greatest_and_texts_from_a(tmp_path: Path) -> None:
    for name, top1 in (("a", 70.0), ("b", 90.0), ("c", None), ("d", 80.0)):
        run = trained(tmp_path / name)
        evaluated(run, "val", **({} if top1 is None else {"top1": top1}))
    order = [Path(str(row["run"])).name for row in listed(tmp_path, sort="top1")]
    assert order == ["b", "d", "a", "c"]
    assert [Path(str(row["run"])).name for row in listed(tmp_path, sort="run")] == [*"abcd"]
    with pytest.raises(UsageError, match=r"^--sort: no such key: 'top7'; keys: run, .*top1"):
        listed(tmp_path, sort="top7")


def test_what_is_no_run_is_passed_over_and_links_do_not_go_round(tmp_path: Path) -> None:
    trained(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "back").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "config.toml").write_text('backend = "motion"\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.toml").write_text("no TOML\n")
    (tmp_path / "seeds").mkdir()
    several = 'method = "x3d"\ntraining_seeds = 2\n'
    (tmp_path / "seeds" / "config.toml").write_text(several)
    trained(tmp_path / "seeds" / "seed0")
    names = [str(row["run"]) for row in listed(tmp_path, tmp_path / "runs")]
    assert names == [str(tmp_path / "runs" / "a"), str(tmp_path / "seeds" / "seed0")]


def test_damaged_runs_are_named_and_the_others_listed(tmp_path: Path) -> None:
    trained(tmp_path / "good")
    RunDirectory(trained(tmp_path / "config")).config_path.write_text("no TOML\n")
    RunDirectory(trained(tmp_path / "log")).log_path.write_text("epoch,loss\nmany,1\n")
    run = trained(tmp_path / "metrics")
    evaluated(run, "val", top1=1.0)
    (run / "eval" / "val" / "metrics.json").write_text("{")
    RunDirectory(trained(tmp_path / "nothing")).classes_path.unlink()
    outcome = list_runs(RunsListCall(directories=(tmp_path,)), reporter=Silent())
    names = [Path(str(row["run"])).name for row in outcome.rows]
    assert names == ["good", "log", "metrics"]
    assert outcome.inputs == 5
    told = [(Path(failure.path).name, failure.error) for failure in outcome.failures]
    assert [name for name, _ in told] == ["config", "log", "metrics.json", "nothing"]
    assert "log.csv: is not the log of a training" in told[1][1]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match="no such directory; name one with runs in it"):
        listed(tmp_path / "gone")


def test_it_loads_nothing_heavy(tmp_path: Path) -> None:
    trained(tmp_path / "a")
    code = (
        "import sys; from attncli.cli import run; code = run(sys.argv[1:]);"
        " heavy = {'torch', 'numpy', 'pandas', 'matplotlib'} & set(sys.modules);"
        " sys.exit(code or len(heavy))"
    )
    command = [sys.executable, "-c", code, "runs", str(tmp_path), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)[0]["state"] == "complete"
