import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest

from attncli.catalog import METHODS, load
from attncli.config.fields import Option, convert, describe, require_declared, settings
from attncli.errors import UsageError


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

    heading: ClassVar[str] = "Derived"

    kind: Literal["a", "b"] = "a"
    """Which one."""
    sizes_px: Annotated[tuple[int, ...], Option(flag="--size", short="-s", least=1, most=9)] = ()
    """How large."""
    share: Annotated[float | None, Option(least=0, most=1)] = None
    """How much."""
    animal: Annotated[str, Option(choices=("cat", "dog"))] = "cat"
    """Which animal."""
    rate: float | None = 2.0
    """How very fast."""


def test_fields_come_in_order_with_type_default_help_and_heading():
    data, rate, kind, *_ = settings(DerivedConfig).values()
    assert (data.name, data.type, data.help, data.heading) == (
        "data",
        Path,
        "Where the data\nis.",
        "Options",
    )
    assert data.is_required
    assert data.default is dataclasses.MISSING
    assert (rate.type, rate.default, rate.is_required) == (float, 2.0, False)
    assert (kind.type, kind.default, kind.flag) == (Literal["a", "b"], "a", "--kind")
    assert kind.heading == "Derived"


def test_what_a_field_is_marked_with_is_known_in_classes_that_redeclare_it_too():
    @dataclass(frozen=True, kw_only=True)
    class LastConfig(DerivedConfig):
        """Settings that derive once more."""

        sizes_px: tuple[int, ...] = (3,)
        """How large at last."""

    sizes, animal = settings(LastConfig)["sizes_px"], settings(LastConfig)["animal"]
    assert (sizes.type, sizes.flag, sizes.option.short) == (tuple[int, ...], "--size", "-s")
    assert (sizes.help, sizes.default) == ("How large at last.", (3,))
    assert animal.type == Literal["cat", "dog"]


@pytest.mark.parametrize(
    "good", [{}, {"sizes_px": (1, 9)}, {"share": 0.0}, {"share": 1.0}, {"animal": "dog"}]
)
def test_what_is_declared_is_taken(good):
    require_declared(DerivedConfig(data=Path("d"), **good))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"sizes_px": (1, 10)}, r"--size: must be in \[1, 9\]"),
        ({"sizes_px": (0,)}, r"--size: must be in \[1, 9\]"),
        ({"share": -0.1}, r"--share: must be in \[0, 1\]"),
        ({"share": float("nan")}, r"--share: must be in \[0, 1\]"),
        ({"animal": "cow"}, "--animal: must be cat or dog, not 'cow'"),
    ],
)
def test_what_is_not_as_declared_is_refused_by_its_flag(bad, message):
    with pytest.raises(UsageError, match=message):
        require_declared(DerivedConfig(data=Path("d"), **bad))


def test_a_redeclared_field_has_the_help_of_the_last_class_and_the_heading_of_the_first():
    rate = settings(DerivedConfig)["rate"]
    assert (rate.help, rate.heading) == ("How very fast.", "Options")
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
        ([1, 2], tuple[int, int], (1, 2)),
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
        ([1], tuple[int, int], r"must be a list of 2 times an integer, not \[1\]"),
    ],
)
def test_a_value_of_another_type_is_refused_in_words(value, expected, message):
    with pytest.raises(TypeError, match=message):
        convert(value, expected)
