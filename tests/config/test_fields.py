import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from attncli.catalog import METHODS, load
from attncli.config.fields import convert, describe, settings


@dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Settings to derive from."""

    data: Path
    """Where the data
    is."""
    rate: float | None = None
    """How fast."""
    undocumented = 3

    def method(self) -> str:
        """Is no field."""
        return "x"


@dataclass(frozen=True, kw_only=True)
class DerivedConfig(BaseConfig):
    """Settings that derive."""

    kind: Literal["a", "b"] = "a"
    """Which one."""
    rate: float | None = 2.0
    """How very fast."""


def test_fields_come_in_order_with_type_default_help_and_heading():
    data, rate, kind = settings(DerivedConfig).values()
    assert (data.name, data.type, data.help, data.heading) == (
        "data",
        Path,
        "Where the data\nis.",
        "Base options",
    )
    assert data.is_required
    assert data.default is dataclasses.MISSING
    assert (rate.type, rate.default, rate.is_required) == (float, 2.0, False)
    assert (kind.type, kind.default, kind.flag) == (Literal["a", "b"], "a", "--kind")


def test_a_redeclared_field_has_the_help_of_the_class_that_redeclares_it():
    rate = settings(DerivedConfig)["rate"]
    assert (rate.help, rate.heading) == ("How very fast.", "Derived options")
    assert settings(BaseConfig)["rate"].help == "How fast."


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_setting_of_every_method_has_help_and_a_type_that_converts(method):
    for setting in settings(load(method.config)).values():
        assert setting.help.endswith((".", ")"))
        assert describe(setting.type)
        if setting.default not in (dataclasses.MISSING, None):
            assert convert(setting.default, setting.type) == setting.default


@pytest.mark.parametrize(
    ("value", "expected", "converted"),
    [
        (3, int, 3),
        (3, float, 3.0),
        (0.5, float, 0.5),
        (True, bool, True),
        ("a", str, "a"),
        ("a/b", Path, Path("a/b")),
        (Path("a"), Path, Path("a")),
        ("x", Literal["x", "y"], "x"),
        ([1, 2], tuple[int, ...], (1, 2)),
        ((), tuple[int, ...], ()),
    ],
)
def test_a_value_becomes_what_the_setting_holds(value, expected, converted):
    result = convert(value, expected)
    assert result == converted
    assert type(result) is type(converted)


@pytest.mark.parametrize(
    ("value", "expected", "message"),
    [
        (0.5, int, "must be an integer, not 0.5"),
        (True, int, "must be an integer, not True"),
        (True, float, "must be a number, not True"),
        (1, bool, "must be true or false, not 1"),
        (3, str, "must be a text, not 3"),
        (3, Path, "must be a path, not 3"),
        ("z", Literal["x", "y"], "must be x or y, not 'z'"),
        (3, tuple[int, ...], "must be a list of an integer, not 3"),
        (["a"], tuple[int, ...], "must be an integer, not 'a'"),
    ],
)
def test_a_value_of_another_type_is_refused_in_words(value, expected, message):
    with pytest.raises(TypeError, match=message):
        convert(value, expected)
