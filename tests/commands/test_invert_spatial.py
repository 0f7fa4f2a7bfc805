from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attncli.errors import Failure
from attncli.reporting import Outcome


def test_a_missing_run_is_a_one_line_error(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    answer = run_cli("invert-spatial", tmp_path / "absent", "--device", "cpu")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert len(answer.stderr.splitlines()) == 1
    assert "no such run" in answer.stderr


@pytest.mark.parametrize("options", [("--split", "all"), ("--precision", "int8")])
def test_wrong_options_are_usage_errors(
    tmp_path: Path, run_cli: Callable[..., Any], options: tuple[str, str]
) -> None:
    answer = run_cli("invert-spatial", tmp_path, *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert options[0] in answer.stderr


def test_options_reach_the_workflow_and_unread_clips_the_exit_code(
    run_cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def record(runs: list[Path], **options: Any) -> Outcome:
        given.update(options, runs=runs)
        return Outcome(rows=[{"top1_drop": 31.5}], failures=[Failure("a", "a.avi", "broken")])

    monkeypatch.setattr("attncli.workflows.evaluate.invert_spatial.invert_runs", record)
    words = ["--split", "train", "--checkpoint", "best", "--batch-size", "4", "--workers", "0"]
    answer = run_cli("invert-spatial", "-", *words, "--precision", "bf16", stdin="a\nb\n")
    assert answer.exit_code == 3
    assert "31.50" in answer.stdout
    assert given["runs"] == [Path("a"), Path("b")]
    assert (given["split"], given["checkpoint"], given["precision"]) == ("train", "best", "bf16")
    assert (given["batch_size"], given["workers"], given["data"]) == (4, 0, None)
