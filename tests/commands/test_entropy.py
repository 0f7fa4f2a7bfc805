import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.files.attention import AttentionWriter, ClipRecord


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "abn"
    maps = np.linspace(0, 1, 2 * 2 * 10, dtype=np.float32).reshape(2, 2, 1, 10)
    records = [
        ClipRecord(i, f"A/{i}", "A", "A", (0, 4), (0.0, 0.0, 8.0, 8.0), False) for i in (0, 1)
    ]
    with AttentionWriter(run / "eval" / "val" / "attention") as writer:
        writer.append(records, spatial=maps)
    return run


def test_rows_come_as_json(run: Path, run_cli: Callable[..., Any]) -> None:
    answer = run_cli("entropy", run, "--json")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert row["run"] == str(run)
    assert row["entropy"] == pytest.approx(np.log2(10), abs=1e-6)
    assert "entropy.csv" in answer.stderr


def test_runs_are_read_from_stdin(run: Path, run_cli: Callable[..., Any]) -> None:
    answer = run_cli("entropy", "-", "--json", "--bins", "2", stdin=f"{run}\n")
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)[0]["entropy"] == pytest.approx(1)


def test_no_run_on_stdin_is_wrong_usage(run_cli: Callable[..., Any]) -> None:
    answer = run_cli("entropy", "-", stdin="\n")
    assert answer.exit_code == 2
    assert "no path on stdin" in answer.stderr


def test_a_run_without_maps_is_a_one_line_error(
    tmp_path: Path, run: Path, run_cli: Callable[..., Any]
) -> None:
    (tmp_path / "x3d" / "eval" / "val").mkdir(parents=True)
    answer = run_cli("entropy", run, tmp_path / "x3d")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert len(answer.stderr.splitlines()) == 1
    assert "holds no attention maps" in answer.stderr


@pytest.mark.parametrize(
    "options", [("--bins", "1"), ("--range", "video"), ("--threshold", "2"), ("--split", "x")]
)
def test_wrong_options_are_usage_errors(
    run: Path, run_cli: Callable[..., Any], options: tuple[str, str]
) -> None:
    answer = run_cli("entropy", run, *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert options[0] in answer.stderr


def test_help_has_an_example(run_cli: Callable[..., Any]) -> None:
    answer = run_cli("entropy", "--help")
    assert answer.exit_code == 0
    assert "Example: attncli entropy" in answer.stdout


def test_it_loads_no_torch(run: Path) -> None:
    code = (
        "import sys; from attncli.cli import run; "
        "code = run(sys.argv[1:]); assert 'torch' not in sys.modules; sys.exit(code)"
    )
    command = [sys.executable, "-c", code, "entropy", str(run), "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)[0]["clips"] == 2
