import io
import sys

import pytest

from attncli.commands import progress
from attncli.commands.progress import Bars, Lines


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
        "epoch 1: 3/6 clips, 4.0 s/clips, 0:00:12 left",
        "epoch 1: 6/6 clips, 4.0 s/clips, 0:00:00 left",
        "epoch 1: 6 clips, 4.7 s/clips",
    ]


def test_lines_of_a_stream_without_length_tell_no_time_left(monkeypatch, capsys):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    list(Lines().track(iter("a"), label="frames", unit="frames"))
    assert capsys.readouterr().err.splitlines()[0] == "frames: 1 frames, 10.0 s/frames"


def test_lines_of_nothing_still_end(capsys):
    assert list(Lines().track([], label="clips", unit="clips")) == []
    assert capsys.readouterr().err == "clips: 0 clips, 0.0 clips/s\n"


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
