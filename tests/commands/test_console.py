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
