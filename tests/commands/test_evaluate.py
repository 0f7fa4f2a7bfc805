from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attncli.config.evaluate import EvaluateCall
from attncli.errors import UsageError


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


def test_options_become_settings(told: Callable[..., Any]) -> None:
    words = ["--split", "train", "--checkpoint", "best", "--batch-size", "4", "-j", "0"]
    words += ["--frames", "6", "--temporal-edits", "edits.csv", "--precision", "bf16"]
    assert told(EvaluateCall, "a", "b", *words) == EvaluateCall(
        runs=(Path("a"), Path("b")),
        split="train",
        checkpoint="best",
        batch_size=4,
        workers=0,
        frames=6,
        temporal_edits=Path("edits.csv"),
        precision="bf16",
    )


@pytest.mark.parametrize(("name", "least"), [("batch_size", 1), ("workers", 0), ("frames", 1)])
def test_a_number_too_small_is_named(name: str, least: int) -> None:
    assert getattr(EvaluateCall(runs=(Path("a"),), **{name: least}), name) == least
    flag = f"--{name.replace('_', '-')}"
    with pytest.raises(UsageError, match=f"{flag}: must be at least {least}"):
        EvaluateCall(runs=(Path("a"),), **{name: least - 1})


def test_help_says_what_best_means_and_has_an_example(run_cli: Callable[..., Any]) -> None:
    answer = run_cli("eval", "--help")
    assert answer.exit_code == 0
    assert "validation split" in answer.stdout
    assert "Example: attncli eval" in answer.stdout
