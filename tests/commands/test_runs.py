import csv
import io
import json
from pathlib import Path

from attncli.files.metrics import write_metrics
from tests.support.runs import begin_run


def test_runs_are_listed_as_they_are_asked_for(run_cli, tmp_path: Path) -> None:
    for name, top1 in (("a", 100 / 3), ("b", 50.0)):
        run = begin_run(tmp_path / name, "x3d", Path("data"))
        write_metrics(run / "eval" / "val" / "metrics.json", {"run": name, "top1": top1})
    code, stdout, stderr = run_cli("runs", tmp_path, "--sort", "top1", "--json")
    assert (code, stderr) == (0, "")
    assert [row["top1"] for row in json.loads(stdout)] == [50.0, 100 / 3]
    _, stdout, _ = run_cli("runs", tmp_path, "--split", "val", "--format", "csv")
    assert [float(row["top1"]) for row in csv.DictReader(io.StringIO(stdout))] == [100 / 3, 50.0]


def test_a_damaged_run_is_named_with_exit_code_three(run_cli, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "a", "x3d", Path("data"))
    (run / "config.toml").write_text("no TOML\n")
    code, stdout, stderr = run_cli("runs", tmp_path, "--json")
    assert (code, json.loads(stdout)) == (3, [])
    assert f"1 could not be used: {run}" in stderr
    assert run_cli("runs", tmp_path, "--allow-failed", "100%").exit_code == 0


def test_an_empty_directory_is_told(run_cli, tmp_path: Path) -> None:
    assert run_cli("runs", tmp_path) == (0, "", f"no run in {tmp_path}\n")
