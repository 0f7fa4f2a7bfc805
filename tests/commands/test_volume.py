import io
import sys

import pytest

from attncli.commands import console, progress
from attncli.commands.lazy import LazyCommand, command, group
from attncli.commands.volume import ASKED, asked_volume, volume
from attncli.errors import UsageError

heard = []


def listen() -> None:
    """Say how much is to be said."""
    heard.append((volume(), console.terminal()))


def house() -> None:
    """Look after a house."""


@pytest.fixture
def say(capsys):
    """Return a function that runs a command in a group; it returns its volume and reporter."""
    heard.clear()
    made = group("house", house, [LazyCommand("listen", "Listen.", lambda: listening)])
    listening = command("listen", listen)

    def run(*words):
        made.main(list(words), prog_name="house", standalone_mode=False)
        return heard[-1]

    return run


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_is_asked_for_before_or_after_the_name_of_a_command(say, capsys, flag):
    for words in ((flag, "listen"), ("listen", flag)):
        asked, reporter = say(*words)
        reporter.note("a note")
        reporter.warn("look")
        assert list(reporter.track("ab", label="clips")) == ["a", "b"]
        assert (asked, capsys.readouterr().err) == ("quiet", "warning: look\n")


@pytest.mark.parametrize("flag", ["-v", "--verbose"])
def test_who_asks_for_more_is_told_versions_and_each_rate(say, capsys, flag):
    asked, reporter = say("listen", flag)
    assert capsys.readouterr().err.startswith("attncli ")
    list(reporter.track("ab", label="clips", unit="clips"))
    assert asked == "verbose"
    assert capsys.readouterr().err.startswith("clips: 2 clips, ")


def test_what_one_command_was_asked_for_is_forgotten_by_the_next(say, capsys):
    say("listen", "-q")
    assert say("listen")[0] == "normal"
    assert volume() == "normal"
    assert capsys.readouterr().err == ""


def test_quiet_and_verbose_exclude_each_other(say):
    for words in (("listen", "-q", "-v"), ("-v", "listen", "-q")):
        with pytest.raises(UsageError, match="--quiet and --verbose: exclude each other"):
            say(*words)


def test_other_processes_of_a_distributed_run_stay_silent(say, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    say("listen", "-v")
    assert capsys.readouterr() == ("", "")


def test_the_volume_is_that_of_the_context_even_after_an_error():
    with pytest.raises(ZeroDivisionError), asked_volume({ASKED: "quiet"}):
        assert volume() == "quiet"
        _ = 1 / 0
    assert volume() == "normal"


def test_bars_know_how_much_to_say(monkeypatch):
    stderr = io.StringIO()
    stderr.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with asked_volume({ASKED: "verbose"}):
        reporter = console.terminal()
    assert isinstance(reporter, progress.Bars)
    list(reporter.track("ab", label="clips", unit="clips"))
    assert "clips: 2 clips, " in stderr.getvalue()
