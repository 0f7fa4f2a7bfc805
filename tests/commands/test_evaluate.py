from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attncli.errors import Failure
from attncli.reporting import Outcome


def test_a_missing_run_is_a_one_line_error(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    answer = run_cli("eval", tmp_path / "absent", "--device", "cpu")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert len(answer.stderr.splitlines()) == 1
    assert "no such run" in answer.stderr


@pytest.mark.parametrize("options", [("--split", "all"), ("--precision", "int8")])
def test_wrong_options_are_usage_errors(
    tmp_path: Path, run_cli: Callable[..., Any], options: tuple[str, str]
) -> None:
    answer = run_cli("eval", tmp_path, *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert options[0] in answer.stderr


def test_options_reach_the_workflow_and_unread_clips_the_exit_code(
    tmp_path: Path, run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def record(runs: list[Path], **options: Any) -> Outcome:
        given.update(options, runs=runs)
        return Outcome(rows=[{"top1": 50.0}], failures=[Failure("a", "a.avi", "broken")])

    monkeypatch.setattr("attncli.workflows.evaluate.networks.evaluate_runs", record)
    words = ["--split", "train", "--checkpoint", "best", "--batch-size", "4", "--workers", "0"]
    words += ["--frames", "6", "--temporal-edits", "edits.csv"]
    answer = run_cli("eval", "-", *words, "--precision", "bf16", "--json", stdin="a\nb\n")
    assert answer.exit_code == 3
    assert given["runs"] == [Path("a"), Path("b")]
    assert (given["split"], given["checkpoint"], given["precision"]) == ("train", "best", "bf16")
    assert (given["batch_size"], given["workers"], given["data"]) == (4, 0, None)
    assert (given["frames"], given["temporal_edits"]) == (6, Path("edits.csv"))


def test_help_says_what_best_means_and_has_an_example(run_cli: Callable[..., Any]) -> None:
    answer = run_cli("eval", "--help")
    assert answer.exit_code == 0
    assert "validation split" in answer.stdout
    assert "Example: attncli eval" in answer.stdout
