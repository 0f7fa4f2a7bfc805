"""Reads a settings dataclass: what each field is called, holds and means."""

import ast
import dataclasses
import inspect
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Setting:
    """One field of a settings dataclass: an option, a TOML key and a line of help."""

    name: str
    """Name of the field."""
    type: Any
    """What it holds, without None: a class, a `Literal`, or `tuple[int, ...]`."""
    default: Any
    """Value where nothing else is said; `dataclasses.MISSING` where something must be."""
    help: str
    """The docstring under the field."""
    heading: str
    """What the class that declares the field is about, such as `Clip options`."""

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def is_required(self) -> bool:
        """Whether it must be set."""
        return self.default is dataclasses.MISSING


def settings(config: type) -> dict[str, Setting]:
    """Return the fields of a dataclass by name, those of its base classes first."""
    types = get_type_hints(config)
    declared = {
        name: (text, cls)
        for cls in reversed(config.__mro__)
        if dataclasses.is_dataclass(cls)
        for name, text in _field_docstrings(cls).items()
    }
    return {
        field.name: Setting(
            name=field.name,
            type=_without_none(types[field.name]),
            default=field.default,
            help=declared[field.name][0],
            heading=f"{declared[field.name][1].__name__.removesuffix('Config')} options",
        )
        for field in dataclasses.fields(config)
    }


def convert(value: Any, expected: Any) -> Any:
    """Return `value`, as TOML or the command line gives it, as what a setting holds.

    >>> convert([10, 20], tuple[int, ...])
    (10, 20)

    Raises:
        TypeError: It cannot be that; the message says what it should be.
    """
    if get_origin(expected) is tuple:
        if isinstance(value, list | tuple):
            return tuple(convert(item, get_args(expected)[0]) for item in value)
    elif get_origin(expected) is Literal:
        if value in get_args(expected):
            return value
    elif expected is float and type(value) is int:
        return float(value)
    elif expected is Path and isinstance(value, str):
        return Path(value)
    elif isinstance(value, expected) and (expected is bool or not isinstance(value, bool)):
        return value
    raise TypeError(f"must be {describe(expected)}, not {value!r}")


def describe(expected: Any) -> str:
    """Return in words what a setting holds.

    >>> describe(Literal["adam", "sgd"])
    'adam or sgd'
    """
    if get_origin(expected) is tuple:
        return f"a list of {describe(get_args(expected)[0])}"
    if get_origin(expected) is Literal:
        return " or ".join(get_args(expected))
    words = {int: "an integer", float: "a number", bool: "true or false", str: "a text"}
    return words.get(expected, "a path")


@cache
def _field_docstrings(cls: type) -> dict[str, str]:
    """Return the docstring of each field that the class itself declares."""
    tree = ast.parse(inspect.cleandoc(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 - narrows the type: source of a class
    return {
        statement.target.id: inspect.cleandoc(str(following.value.value))
        for statement, following in pairwise(tree.body)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
    }


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    (held,) = (part for part in get_args(annotation) if part is not type(None))
    return held
