import doctest
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from attncli.commands import wrong_usage
from attncli.config.fields import ARGUMENT, Checked, Option


@dataclass(frozen=True, kw_only=True)
class Words(Checked):
    """Settings of every sort."""

    kind: Annotated[Literal["cat", "dog"], ARGUMENT]
    """Animal."""
    data: Path
    """Dataset, or a list."""
    count: Annotated[int, Option(least=1)] = 1
    """How many."""
    rate: float = 0.5
    """How fast."""
    sharp: bool = False
    """Whether edges show."""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("cat",), "--data: is required; it is: Dataset, or a list."),
        (("--data", "d"), "kind: is required; it is: Animal."),
        (("cow", "--data", "d"), "kind: must be cat or dog, not 'cow'; see `attncli words --help`"),
        (("--count", "1.5"), "--count: must be an integer, not '1.5'; see `attncli words --help`"),
        (("--rate", "x"), "--rate: must be a number, not 'x'; see `attncli words --help`"),
        (("--cont", "1"), "--cont: no such option (nearest: --count); see `attncli words --help`"),
        (("--xyzw", "1"), "--xyzw: no such option; see `attncli words --help`"),
        (("cat", "dog", "--data", "d"), "dog: not expected here; see `attncli words --help`"),
    ],
)
def test_it_is_told_in_our_own_words(failing_words, run_cli, words, line):
    assert run_cli("words", *words) == (2, "", f"attncli: error: {line}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--count",), "--count: needs a value"), (("--sharp=3",), "--sharp: takes no value")],
)
def test_values_that_are_missing_or_too_many_are_told(failing_words, run_cli, words, message):
    assert run_cli("words", *words).stderr.startswith(f"attncli: error: {message}; see ")


def test_examples():
    assert doctest.testmod(wrong_usage).failed == 0


@pytest.fixture
def failing_words(monkeypatch):
    """Have a command `words` that has options of every sort."""
    import sys
    from types import ModuleType

    from attncli import cli
    from attncli.catalog import Command

    def command(settings: Words) -> None:
        """Take words."""

    module = ModuleType("words_command")
    module.command = command
    monkeypatch.setitem(sys.modules, "words_command", module)
    monkeypatch.setattr(cli, "COMMANDS", (Command("words", "Words.", "words_command"),))
