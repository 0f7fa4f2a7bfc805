"""A few kills and calls of two at once; `long.py` beside this file does as many as you like."""

import subprocess
import sys
from pathlib import Path

import pytest

LONG = Path(__file__).with_name("long.py")


@pytest.mark.slow
def test_what_is_killed_or_called_twice_ends_with_the_same_files() -> None:
    # In a process of its own, as nothing may run beside the forks.
    words = [sys.executable, str(LONG), "--kills", "6", "--races", "1", "--seconds", "20"]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=3000)
    assert answer.returncode == 0, answer.stdout + answer.stderr
