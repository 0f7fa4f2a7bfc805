"""Some damaged files; `long.py` beside this file tries as many as you like."""

import subprocess
import sys
from pathlib import Path

import pytest

LONG = Path(__file__).with_name("long.py")


@pytest.mark.slow
def test_damaged_inputs_are_refused_in_one_line_or_named_and_left_out() -> None:
    # In a process of its own: nothing may run beside the forks, and warnings are what is looked at.
    words = [sys.executable, str(LONG), "--cases", "100", "--seconds", "12"]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=3000)
    assert answer.returncode == 0, answer.stdout + answer.stderr
