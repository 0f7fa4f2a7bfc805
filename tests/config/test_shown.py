import pytest

from attncli.config.shown import RowsShown, Shown, ShownBesideFigure
from attncli.errors import UsageError


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (Shown(), "table"),
        (Shown(json=True), "json"),
        (Shown(format="csv"), "csv"),
        (Shown(format="json", json=True), "json"),
        (ShownBesideFigure(rows="csv"), "csv"),
        (ShownBesideFigure(json=True), "json"),
        (RowsShown(), "table"),
    ],
)
def test_rows_are_shown_as_asked(shown: RowsShown, expected: str) -> None:
    assert shown.rows_as == expected


def test_two_formats_at_once_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"^--json and --format csv: exclude each other"):
        Shown(json=True, format="csv")
    with pytest.raises(UsageError, match=r"^--json and --rows table: exclude each other"):
        ShownBesideFigure(json=True, rows="table")


@pytest.mark.parametrize(
    ("text", "inputs", "allowed"),
    [
        (None, None, 0),
        ("3", None, 3),
        ("0", 10, 0),
        ("2%", 100, 2),
        ("2%", 149, 2),  # 2.98: a third one would be more than 2 %
        ("2.5%", 40, 1),
        ("29%", 100, 29),  # 28.999999999999996 in binary
        ("100%", 7, 7),
    ],
)
def test_a_number_or_a_share_of_the_inputs_may_fail(
    text: str | None, inputs: int | None, allowed: int
) -> None:
    assert Shown(allow_failed=text).failures_allowed(inputs) == allowed


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "%", "101%", "2 %", ""])
def test_what_is_neither_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--allow-failed: must be a number, such as 3, or"):
        Shown(allow_failed=text)


def test_a_share_of_what_nobody_counts_is_wrong_usage() -> None:
    shown = Shown(allow_failed="5%")
    with pytest.raises(UsageError, match=r"^--allow-failed 5%: .* not count .*; give a number"):
        shown.failures_allowed(None)
