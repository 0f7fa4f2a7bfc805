import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import pytest

from attncli.commands.lazy import INVOKED, LazyCommand, command, family, group
from attncli.config.fields import ARGUMENT, Checked, Option


@dataclass(frozen=True, kw_only=True)
class Paint(Checked):
    """How to paint."""

    walls: Annotated[tuple[str, ...], ARGUMENT]
    """Walls to paint."""
    coats: Annotated[int, Option(least=1)] = 2
    """Coats of paint."""
    color: Annotated[tuple[str, ...], Option(is_repeated=True)] = ()
    """Colours to mix."""


calls = []


def paint(config: Paint, *, overwrite: bool) -> None:
    """Paint walls.

    Example: paint north
    """
    calls.append((config, overwrite))


def house() -> None:
    """Look after a house."""


def run(entry, *words):
    """Run a command; return its exit code and what it wrote."""
    stdout = io.StringIO()
    with redirect_stdout(stdout):
        try:
            code = entry.main(list(words), prog_name="house", standalone_mode=False)
        except SystemExit as ending:
            code = ending.code
    return code, stdout.getvalue()


@pytest.fixture(autouse=True)
def forgotten():
    calls.clear()


def test_the_list_names_commands_without_loading_them():
    def load():
        raise AssertionError("was loaded")

    made = group("house", house, [LazyCommand("paint", "Paint the walls of a house.", load)])
    for words in (("--help",), ()):
        _, shown = run(made, *words)
        assert "Look after a house." in shown
        assert "Paint the walls of a house." in shown


def test_a_command_is_loaded_when_it_is_called_and_gets_its_settings():
    loaded = []

    def load():
        loaded.append("paint")
        return command("paint", paint)

    made = group("house", house, [LazyCommand("paint", "Paint.", load)])
    run(made, "paint", "north", "south", "--coats", "3", "--overwrite")
    assert loaded == ["paint"]
    assert calls == [(Paint(walls=("north", "south"), coats=3), True)]


def test_help_has_arguments_and_options_under_headings_of_their_own():
    _, shown = run(command("paint", paint), "--help")
    assert "Example: paint north" in shown
    assert shown.index("Arguments:") < shown.index("Walls to paint") < shown.index("Options:")
    assert shown.index("Options:") < shown.index("--coats") < shown.index("--debug")
    assert "<list[" not in shown


def test_a_family_is_a_group_of_commands_of_one_module():
    made = family("house", house, {"paint": ("Paint the walls.", paint)})
    assert "Paint the walls." in run(made, "--help")[1]
    run(made, "paint", "north")
    assert calls == [(Paint(walls=("north",)), False)]


def test_whoever_says_how_to_go_on_learns_what_was_called():
    made = command("paint", paint)
    with made.make_context("paint", ["north"]) as context:
        made.invoke(context)
    assert context.meta[INVOKED] is made


def test_a_lazy_command_completes_as_the_real_one_does():
    lazy = LazyCommand("paint", "Paint.", partial(command, "paint", paint))
    context = lazy.make_context("paint", ["north"], resilient_parsing=True)
    assert type(context.command) is type(command("paint", paint))
    assert context.command.name == "paint"
