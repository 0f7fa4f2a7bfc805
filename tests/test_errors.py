import pytest

from attncli.errors import (
    LONGEST_TEXT,
    AttncliError,
    ExitCode,
    MissingDependencyError,
    PartialError,
    Remark,
    UsageError,
    printable,
    reason,
    shortened,
)


@pytest.mark.parametrize(
    ("where", "remedy", "line"),
    [
        (None, None, "no such run"),
        ("runs/a", None, "runs/a: no such run"),
        (None, "train one", "no such run; train one"),
        ("runs/a", "train one", "runs/a: no such run; train one"),
    ],
)
def test_an_error_says_where_what_and_what_to_do(where, remedy, line):
    assert str(AttncliError("no such run", where=where, remedy=remedy)) == line


def test_each_kind_of_error_has_the_exit_code_of_the_contract():
    kinds = (AttncliError, UsageError, PartialError, MissingDependencyError)
    assert [kind("x").exit_code for kind in kinds] == [1, 2, 3, 4]
    assert (ExitCode.DONE, ExitCode.INTERRUPTED) == (0, 130)


def test_what_a_terminal_would_obey_is_escaped_and_all_is_one_line():
    assert printable("caf\u00e9\n\x1b[2J") == "caf\u00e9 \\x1b[2J"
    assert str(AttncliError("a\nb", where="c\rd")) == "c\\rd: a b"


def test_a_long_text_keeps_its_beginning_and_its_end():
    text = "".join(str(number % 10) for number in range(LONGEST_TEXT + 1))
    short = shortened(text)
    assert short.startswith(text[:400])
    assert short.endswith(text[-150:])
    assert len(short) == 400 + len(" … ") + 150
    assert shortened(text[:-1]) == text[:-1]


def test_what_a_reading_process_of_torch_says_stays_whole():
    told = "Caught KeyError.\nOriginal Traceback (most recent call last):\n" + "x" * 1000
    assert shortened(told) == told


def test_the_reason_is_what_the_system_says_without_the_file():
    assert reason(PermissionError(13, "Permission denied", "a.csv")) == "permission denied"
    assert reason(ValueError("No number")) == "no number"


def test_there_is_a_remark_where_there_is_a_text(tmp_path):
    assert Remark.on("a", tmp_path, None) is None
    assert Remark.on("a", tmp_path, "odd") == Remark("a", str(tmp_path), "odd")
