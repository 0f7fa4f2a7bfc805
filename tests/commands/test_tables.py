import io
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from attncli.catalog import COMMANDS, METHODS, load
from attncli.commands import tables
from attncli.commands.tables import aligned, draw, format_cell, lay_out, short_names
from attncli.config.fields import settings
from attncli.reporting import Row
from tests.support.rows import ROWS

SCHEMA = Path(__file__).parents[2] / "attncli" / "files" / "README.md"


class Terminal(io.StringIO):
    """Stands for a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, rows: list[Row], width: int = 80) -> list[str]:
    """Return the lines that a terminal of a width shows, without colours."""
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    draw(rows)
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in stdout.getvalue().splitlines()]


def pieces(text: str) -> list[str]:
    """Return what must not be broken of a text."""
    return [piece for piece in re.split(r"(?<=[ /])|(?<=\w-)(?=[A-Za-z])", text) if piece.strip()]


@pytest.mark.parametrize("command", ROWS)
def test_no_table_of_any_command_has_a_long_line_or_a_broken_word(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    rows = ROWS[command]
    lines = drawn(monkeypatch, rows)
    words = set(" ".join(lines).split())
    assert max(map(len, lines)) <= 80
    for row in rows:
        for key, value in row.items():
            if all(tables._is_empty(one.get(key)) for one in rows):
                continue
            assert all(any(part in line for line in lines) for part in key.split("_"))
            if isinstance(value, int | float):
                assert format_cell(key, value) in words
            elif isinstance(value, str) and key != "run":
                assert all(any(part.strip() in line for line in lines) for part in pieces(value))
    names = short_names([str(row["run"]) for row in rows]) if "run" in rows[0] else []
    assert all(any(name in line for line in lines) for name in names)


@pytest.mark.parametrize("width", [40, 60, 100, 200])
@pytest.mark.parametrize("command", ["eval", "eval folds", "entropy", "runs", "doctor"])
def test_no_number_is_lost_at_other_widths(
    monkeypatch: pytest.MonkeyPatch, command: str, width: int
) -> None:
    rows = ROWS[command]
    words = set(" ".join(drawn(monkeypatch, rows, width)).split())
    numbers = [(k, v) for row in rows for k, v in row.items() if isinstance(v, int | float)]
    assert {format_cell(key, value) for key, value in numbers} <= words


def test_every_command_has_rows_here() -> None:
    told = {name.split()[0] for name in ROWS}
    assert {row.name for row in COMMANDS} - {"export"} <= told


def test_every_key_is_in_the_schema() -> None:
    text = SCHEMA.read_text(encoding="utf-8")
    _, _, section = text.partition("## JSON rows")
    known = re.findall(r"`([a-z0-9_*]+)`", "".join(re.findall(r"(?m)^\|([^|]*)\|", section)))
    options = {name for method in METHODS for name in settings(load(method.config))}
    keys = {key for rows in ROWS.values() for row in rows for key in row} - options
    assert all(re.fullmatch("[a-z][a-z0-9_]*", key) for key in keys)
    assert not {key for key in keys if not any(fnmatchcase(key, one) for one in known)}
    assert len(known) == len(set(known))


def test_figures_and_classes_stay_where_they_are_though_they_are_equal() -> None:
    rows: list[Row] = [
        {"run": name, "split": "val", "top1": 50.0, "predicted": "jump", "clips": 6}
        for name in ("a", "b")
    ]
    layout = lay_out(rows, 80)
    assert layout.said == "split val · clips 6"
    assert [column.head for column in layout.tables[0]] == ["run", "top1", "predicted"]


def test_what_is_alike_is_said_once_and_what_is_empty_is_left_out() -> None:
    rows: list[Row] = [
        {"run": "a", "split": "val", "clips": 54, "top1": 1.0, "top5": None, "std": float("nan")},
        {"run": "b", "split": "val", "clips": 54, "top1": 2.0, "top5": None},
    ]
    layout = lay_out(rows, 80)
    assert layout.said == "split val · clips 54"
    assert [column.head for column in layout.tables[0]] == ["run", "top1"]


def test_what_is_said_above_is_broken_between_facts() -> None:
    rows: list[Row] = [{"id": n, "images": 10582, "failed": 0, "undefined": 0} for n in "ab"]
    assert lay_out(rows, 36).said == "images 10582 · failed 0 ·\nundefined 0"
    assert lay_out(rows, 12).said.split("\n") == ["images 10582", "failed 0 ·", "undefined 0"]


def test_a_single_row_says_everything_in_the_table() -> None:
    layout = lay_out([{"run": "a", "split": "val", "clips": 54, "top5": None}], 80)
    assert layout.said == ""
    assert [column.head for column in layout.tables[0]] == ["run", "split", "clips"]


def test_equal_rows_keep_a_column() -> None:
    layout = lay_out([{"run": "a", "top1": 1.0}] * 2, 80)
    assert layout.said == "run a"
    assert layout.tables[0][0].cells == ("1.00", "1.00")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["runs/a/eval", "runs/b/eval"], ["a", "b"]),
        (["runs/abn", "runs/abn/fold01"], ["abn", "abn/fold01"]),
        (["/x/runs/seed0/abn", "/x/runs/seed1/abn"], ["seed0", "seed1"]),
        (["a/x/c", "b/c"], ["a/x", "b"]),
        (["abn", "x/abn"], ["abn", "x/abn"]),
        (["runs/abn"] * 2, ["runs/abn"] * 2),
        (["runs/abn", "runs/abn", "runs/x3d"], ["abn", "abn", "x3d"]),
    ],
)
def test_names_are_shortened_to_what_differs(names: list[str], expected: list[str]) -> None:
    assert short_names(names) == expected
    assert len(set(expected)) == len(set(names))


def test_a_table_that_is_too_wide_gets_high_heads_then_lies_on_its_side_then_is_cut() -> None:
    rows: list[Row] = [
        {"run": f"run{n}", "accuracy_fold_mean": 90.0 + n, "accuracy_fold_std": 1.0 + n}
        for n in range(4)
    ]
    heads = [lay_out(rows, width).tables[0][1].head for width in (43, 42, 26, 25)]
    assert heads == ["accuracy_fold_mean", *["accuracy_\nfold_mean"] * 2, "run0"]
    runs = [[column.head for column in table] for table in lay_out(rows, 25).tables]
    assert runs == [["run", f"run{n}"] for n in range(4)]  # keys take 18 letters, a run 2 + 5
    wide: list[Row] = [{**row, "accuracy_fold_third": 50.0 + n} for n, row in enumerate(rows)]
    assert [len(table) - 1 for table in lay_out(wide, 33).tables] == [2, 2]


def test_texts_are_broken_between_words_where_a_table_stays_upright() -> None:
    rows: list[Row] = [{"check": f"check {n}", "found": f"{n} words " * 6} for n in range(9)]
    (table,) = lay_out(rows, 40).tables
    assert [column.head for column in table] == ["check", "found"]
    assert "\n  " in table[1].cells[0]


def test_wide_letters_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Row] = [{"class": "食べる" * 5, "id": "x" * 20, "n": n} for n in range(2)]
    assert tables._column(rows, "class").width == 30
    assert "食べる" * 5 in "\n".join(drawn(monkeypatch, rows))


def test_control_letters_are_shown_as_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = drawn(monkeypatch, [{"id": "a\x1b[2Jb", "n": 1}])[2:]
    assert line.split() == [r"a\x1b[2Jb", "1"]


def test_piped_columns_are_those_of_all_keys_and_whole_names() -> None:
    rows: list[Row] = [{"run": "runs/a", "top1": 1.0, "x": None}, {"run": "runs/食", "top1": 20.0}]
    assert aligned(rows) == ["run       top1  x", "runs/a    1.00  -", "runs/食  20.00  -"]


def test_a_single_row_of_very_many_keys_is_piped_a_key_a_line() -> None:
    row: Row = {f"key{n}": n for n in range(40)}
    lines = aligned([row])
    assert [line.split() for line in lines] == [[f"key{n}", str(n)] for n in range(40)]
