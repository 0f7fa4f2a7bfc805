import csv
import io
import json
import math
import sys

import pytest
import typer

from attncli.commands import console, progress
from attncli.config.shown import Shown
from attncli.errors import Failure, UsageError
from attncli.reporting import Outcome, Silent

ROWS = [
    {"run": "runs/" + "x" * 120, "top1": 93.956, "entropy": 2.0264, "clips": 12, "lr": 1e-4},
    {"run": "b", "top1": math.nan, "entropy": None, "mask_iou": 5.0},
]
SHOWN, JSON, CSV = Shown(), Shown(json=True), Shown(format="csv")


class Terminal(io.StringIO):
    """Stands for a terminal."""

    def isatty(self) -> bool:
        return True


def test_rows_are_aligned_and_never_cut_where_stdout_is_no_terminal(capsys):
    console.finish(Outcome(rows=ROWS), SHOWN)
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["run", "top1", "entropy", "clips", "lr", "mask_iou"]
    assert first.split() == ["runs/" + "x" * 120, "93.96", "2.026", "12", "0.0001", "-"]
    assert second.split() == ["b", "-", "-", "-", "-", "5.00"]
    assert len(first) == len(header) == len(second)  # the last column is numeric: to the right


def test_a_table_is_drawn_on_a_terminal_without_losing_anything(monkeypatch):
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    console.finish(Outcome(rows=[{"run": "runs/[bold]a", "top1": 93.956}]), SHOWN)
    assert "runs/[bold]a" in stdout.getvalue()
    assert "93.96" in stdout.getvalue()
    assert "───" in stdout.getvalue()


def test_csv_has_all_keys_all_digits_and_empty_cells(capsys):
    rows = [{"a": 1 / 3, "b": None, "c": 'x,"y"\nz'}, {"a": math.nan, "d": 2}]
    console.finish(Outcome(rows=rows), CSV)
    text = capsys.readouterr().out
    assert text == 'a,b,c,d\r\n0.3333333333333333,,"x,""y""\nz",\r\n,,,2\r\n'
    assert float(next(csv.DictReader(io.StringIO(text)))["a"]) == 1 / 3


def test_json_is_a_list_of_rows_in_which_what_is_not_finite_is_null(capsys):
    console.finish(Outcome(rows=[{"a": math.nan, "b": math.inf, "c": 1.5}]), JSON)
    assert json.loads(capsys.readouterr().out) == [{"a": None, "b": None, "c": 1.5}]


def test_no_rows_are_an_empty_list_or_nothing(capsys):
    console.finish(Outcome(), JSON)
    assert capsys.readouterr().out == "[]\n"
    console.finish(Outcome(), SHOWN)
    console.finish(Outcome(), CSV)
    assert capsys.readouterr() == ("", "")


def test_failures_are_named_and_exit_three_after_the_rows_are_written(capsys):
    failures = [Failure(str(i), f"{i}.avi", f"{i}.avi: no frame decodes") for i in range(5)]
    with pytest.raises(typer.Exit) as ending:
        console.finish(Outcome(rows=[{"a": 1}], failures=failures), JSON)
    assert ending.value.exit_code == 3
    stdout, stderr = capsys.readouterr()
    assert json.loads(stdout) == [{"a": 1}]
    named = ", ".join(f"{i}.avi (no frame decodes)" for i in range(3))
    assert stderr == f"warning: 5 could not be used: {named}, and 2 more\n"


FAILURES = [Failure(str(i), f"{i}.avi", f"{i}.avi: no frame decodes") for i in range(2)]


@pytest.mark.parametrize("allowed", ["2", "3", "20%"])
def test_failures_that_are_allowed_are_named_and_do_no_harm(capsys, allowed):
    outcome = Outcome(rows=[{"a": 1}], failures=FAILURES, inputs=10)
    console.finish(outcome, Shown(json=True, allow_failed=allowed))
    assert "warning: 2 could not be used: 0.avi (no frame decodes), " in capsys.readouterr().err


@pytest.mark.parametrize("allowed", ["0", "1", "19%"])
def test_more_failures_than_are_allowed_exit_three(allowed):
    outcome = Outcome(rows=[{"a": 1}], failures=FAILURES, inputs=10)
    with pytest.raises(typer.Exit) as ending:
        console.finish(outcome, Shown(allow_failed=allowed))
    assert ending.value.exit_code == 3


def test_a_share_of_inputs_that_are_not_counted_is_told_after_the_rows(capsys):
    outcome = Outcome(rows=[{"a": 1}], failures=FAILURES)
    with pytest.raises(UsageError, match="give a number"):
        console.finish(outcome, Shown(json=True, allow_failed="50%"))
    assert json.loads(capsys.readouterr().out) == [{"a": 1}]


def test_only_the_first_process_of_a_distributed_run_shows_anything(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    assert isinstance(console.terminal(), Silent)
    console.finish(Outcome(rows=[{"a": 1}], failures=[Failure("a", "a", "a")]), JSON)
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
