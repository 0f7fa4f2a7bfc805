import io
import json
import math
import sys

import pytest
import typer

from attncli.commands import console, progress
from attncli.errors import Failure
from attncli.reporting import Outcome, Silent

ROWS = [
    {"run": "runs/" + "x" * 120, "top1": 93.956, "entropy": 2.0264, "clips": 12, "lr": 1e-4},
    {"run": "b", "top1": math.nan, "entropy": None, "mask_iou": 5.0},
]


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


def test_rows_are_aligned_and_never_cut_where_stdout_is_no_terminal(capsys):
    console.finish(Outcome(rows=ROWS), as_json=False)
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["run", "top1", "entropy", "clips", "lr", "mask_iou"]
    assert first.split() == ["runs/" + "x" * 120, "93.96", "2.026", "12", "0.0001", "-"]
    assert second.split() == ["b", "-", "-", "-", "-", "5.00"]
    assert len(first) == len(header) == len(second)  # the last column is numeric: to the right


def test_a_table_is_drawn_on_a_terminal_without_losing_anything(monkeypatch):
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    console.finish(Outcome(rows=[{"run": "runs/[bold]a", "top1": 93.956}]), as_json=False)
    assert "runs/[bold]a" in stdout.getvalue()
    assert "93.96" in stdout.getvalue()
    assert "┃" in stdout.getvalue()


def test_json_is_a_list_of_rows_in_which_what_is_not_finite_is_null(capsys):
    console.finish(Outcome(rows=[{"a": math.nan, "b": math.inf, "c": 1.5}]), as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"a": None, "b": None, "c": 1.5}]


def test_no_rows_are_an_empty_list_or_nothing(capsys):
    console.finish(Outcome(), as_json=True)
    assert capsys.readouterr().out == "[]\n"
    console.finish(Outcome(), as_json=False)
    assert capsys.readouterr() == ("", "")


def test_failures_are_named_and_exit_three_after_the_rows_are_written(capsys):
    failures = [Failure(str(i), f"{i}.avi", f"{i}.avi: no frame decodes") for i in range(5)]
    with pytest.raises(typer.Exit) as ending:
        console.finish(Outcome(rows=[{"a": 1}], failures=failures), as_json=True)
    assert ending.value.exit_code == 3
    stdout, stderr = capsys.readouterr()
    assert json.loads(stdout) == [{"a": 1}]
    named = ", ".join(f"{i}.avi (no frame decodes)" for i in range(3))
    assert stderr == f"warning: 5 could not be used: {named}, and 2 more\n"


def test_only_the_first_process_of_a_distributed_run_shows_anything(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    assert isinstance(console.terminal(), Silent)
    console.finish(Outcome(rows=[{"a": 1}], failures=[Failure("a", "a", "a")]), as_json=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("term", "is_terminal", "reporter"),
    [
        ("xterm", True, progress.Bars),
        ("xterm", False, progress.Lines),
        ("dumb", True, progress.Lines),
    ],
)
def test_bars_are_drawn_only_where_they_can_be(monkeypatch, term, is_terminal, reporter):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", Terminal() if is_terminal else io.StringIO())
    assert isinstance(console.terminal(), reporter)


def test_lines_tell_rate_and_time_left_now_and_then(monkeypatch, capsys):
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    assert list(progress.Lines().track("abcdef", label="epoch 1", unit="clips")) == list("abcdef")
    # One item takes 4 s: a line at the third (12 s) and the sixth (24 s), and one at the end.
    assert capsys.readouterr().err.splitlines() == [
        "epoch 1: 3/6 clips, 4.0 s/clips, 0:00:12 left",
        "epoch 1: 6/6 clips, 4.0 s/clips, 0:00:00 left",
        "epoch 1: 6 clips, 4.7 s/clips",
    ]


def test_lines_of_a_stream_without_length_tell_no_time_left(monkeypatch, capsys):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    list(progress.Lines().track(iter("a"), label="frames", unit="frames"))
    assert capsys.readouterr().err.splitlines()[0] == "frames: 1 frames, 10.0 s/frames"


def test_lines_of_nothing_still_end(capsys):
    assert list(progress.Lines().track([], label="clips", unit="clips")) == []
    assert capsys.readouterr().err == "clips: 0 clips, 0.0 clips/s\n"


def test_bars_nest_and_are_gone_when_done_or_left_early(draw_on):
    drawn = draw_on()
    bars = progress.Bars()
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
    bars = progress.Bars()
    with pytest.raises(ZeroDivisionError):
        for item in bars.track(range(3), label="clips"):
            _ = 1 / item
    assert not bars.progress.live.is_started
    assert drawn.getvalue().rindex("\x1b[?25h") > drawn.getvalue().rindex("\x1b[?25l")


def test_bars_without_colour_where_the_user_wants_none(draw_on, monkeypatch):
    drawn = draw_on()
    progress.Bars().warn("look")
    assert "\x1b[33m" in drawn.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    drawn = draw_on()
    progress.Bars().warn("look")
    assert "\x1b[33m" not in drawn.getvalue()


def test_a_long_note_is_one_line_however_narrow_the_terminal(draw_on):
    drawn = draw_on()
    progress.Bars().note("x" * 500)
    assert drawn.getvalue().count("\n") == 1
