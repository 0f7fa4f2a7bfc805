from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attncli.config.evaluate import AskCall


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


def test_options_become_settings(told: Callable[..., Any]) -> None:
    words = ["--split", "train", "--checkpoint", "best", "--batch-size", "4", "--workers", "0"]
    assert told(AskCall, "a", "b", *words, "--precision", "bf16", "--data", "d") == AskCall(
        runs=(Path("a"), Path("b")),
        split="train",
        checkpoint="best",
        batch_size=4,
        workers=0,
        precision="bf16",
        data=Path("d"),
    )
