from collections.abc import Callable
from typing import Any


def test_a_run_that_is_not_there_is_named(run_cli: Callable[..., Any]) -> None:
    answer = run_cli("predict", "nowhere", "a.mp4")
    assert answer.exit_code == 1
    assert "nowhere" in answer.stderr
