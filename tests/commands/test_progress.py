import io
import sys

import pytest

from attncli import __version__
from attncli.commands import progress
from attncli.commands.progress import Bars, Lines, Quiet, versions
from attncli.reporting import detail


class Terminal(io.StringIO):
    """Stands for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def draw_on(monkeypatch):
    """Return a function that makes stderr a terminal that can draw, and returns it."""

    def make() -> Terminal:
        stderr = Terminal()
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        return stderr

    return make


def test_lines_tell_rate_and_time_left_now_and_then(monkeypatch, capsys):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    assert list(Lines().track("abcdef", label="epoch 1", unit="clips")) == list("abcdef")
    # One item takes 4 s: a line at the third (12 s) and the sixth (24 s), and one at the end.
    assert capsys.readouterr().err.splitlines() == [
        "epoch 1: 3/6 clips, 4.0 s/clip, 0:00:12 left",
        "epoch 1: 6/6 clips, 4.0 s/clip, 0:00:00 left",
        "epoch 1: 6 clips, 4.7 s/clip",
    ]


def test_lines_of_a_stream_without_length_tell_no_time_left(monkeypatch, capsys):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    list(Lines().track(iter("a"), label="frames", unit="frames"))
    assert capsys.readouterr().err.splitlines()[0] == "frames: 1 frame, 10.0 s/frame"


def test_lines_of_what_is_done_at_once_are_for_those_who_ask(capsys):
    assert list(Lines().track([], label="clips", unit="clips")) == []
    assert capsys.readouterr().err == ""
    assert list(Lines(verbose=True).track([], label="clips", unit="clips")) == []
    assert capsys.readouterr().err == "clips: 0 clips, 0.0 clips/s\n"


def test_lines_tell_figures_and_leave_the_end_to_who_has_them(monkeypatch, capsys):
    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    losses = iter(["", "loss 0.5"])
    for _ in Lines().track(range(4), label="epoch 1", unit="steps", live=lambda: next(losses)):
        pass
    assert capsys.readouterr().err.splitlines() == [
        "epoch 1: 2/4 steps, 6.0 s/step, 0:00:12 left",
        "epoch 1: 4/4 steps, 6.0 s/step, 0:00:00 left, loss 0.5",
    ]


@pytest.mark.parametrize("reporter", [Lines, Bars])
def test_nothing_is_said_twice_in_a_run(draw_on, reporter):
    drawn = draw_on()
    shown = reporter()
    for _ in range(2):
        shown.note("no label")
        shown.warn("no label")
    assert drawn.getvalue().count("no label") == 2
    reporter().note("no label")  # another run
    assert drawn.getvalue().count("no label") == 3


@pytest.mark.parametrize("reporter", [Lines, Bars])
def test_details_are_for_those_who_ask(draw_on, reporter):
    drawn = draw_on()
    detail("layout ucf101", reporter())
    assert drawn.getvalue() == ""
    detail("layout ucf101", reporter(verbose=True))
    assert drawn.getvalue() == "layout ucf101\n"


def test_who_is_quiet_warns_alone(capsys):
    quiet = Quiet(Lines(verbose=True))
    quiet.note("a note")
    detail("a detail", quiet)
    assert list(quiet.track("ab", label="clips")) == ["a", "b"]
    quiet.warn("look")
    assert capsys.readouterr().err == "warning: look\n"


def test_versions_name_what_is_installed_and_nothing_else(monkeypatch):
    assert versions().startswith(f"attncli {__version__}, Python 3.")
    monkeypatch.setattr(progress, "LIBRARIES", ("torch", "nothing-of-this-name"))
    assert ", torch 2." in versions()
    assert "nothing" not in versions()


def test_bars_show_figures_beside_rate_and_time_in_80_columns(draw_on, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    drawn = draw_on()
    bars = Bars()
    steps = range(100, 220)
    for _ in bars.track(steps, label="epoch 13/50", unit="steps", live=lambda: "loss 0.412"):
        bars.progress.refresh()
    bars.note("done")
    assert "loss 0.412" in drawn.getvalue()
    assert "119/120" in drawn.getvalue()


def test_bars_nest_and_are_gone_when_done_or_left_early(draw_on):
    drawn = draw_on()
    bars = Bars()
    for _ in bars.track(range(2), label="epoch [red]", unit="epochs"):
        assert list(bars.track("ab", label="clips")) == ["a", "b"]
        bars.note("a note [red]")
        break
    bars.warn("look")
    assert bars.progress.tasks == []
    assert not bars.progress.live.is_started
    for shown in ("epoch [red]", "a note [red]", "warning: look"):
        assert shown in drawn.getvalue()


def test_an_error_leaves_the_terminal_without_bars_and_with_its_cursor(draw_on):
    drawn = draw_on()
    bars = Bars()
    with pytest.raises(ZeroDivisionError):
        for item in bars.track(range(3), label="clips"):
            _ = 1 / item
    assert not bars.progress.live.is_started
    assert drawn.getvalue().rindex("\x1b[?25h") > drawn.getvalue().rindex("\x1b[?25l")


def test_bars_without_colour_where_the_user_wants_none(draw_on, monkeypatch):
    drawn = draw_on()
    Bars().warn("look")
    assert "\x1b[33m" in drawn.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    drawn = draw_on()
    Bars().warn("look")
    assert "\x1b[33m" not in drawn.getvalue()


def test_a_long_note_is_one_line_however_narrow_the_terminal(draw_on):
    drawn = draw_on()
    Bars().note("x" * 500)
    assert drawn.getvalue().count("\n") == 1
