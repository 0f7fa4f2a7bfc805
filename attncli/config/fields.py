"""Reads a settings dataclass: what each field is called, holds and means.

Type and default of a field stand beside it and its help below it; an `Option` says the rest. A
class may have a `heading` for the fields it declares.
"""

import ast
import dataclasses
import inspect
import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from attncli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Option:
    """Marks a field, within `Annotated`, with what neither its name nor its type says."""

    flag: str | None = None
    """Name on the command line, where it is not the field's."""
    short: str | None = None
    """Its letter, such as `-o`."""
    is_argument: bool = False
    """Whether it is known by its place on the command line, without a name."""
    is_repeated: bool = False
    """Whether a list is given one value at a time, and not between commas."""
    metavar: str | None = None
    """What stands for the value in the help, where it is not the type."""
    may_be_empty: bool = False
    """Whether an empty list says something; else it is refused, as a variable that is not set."""
    choices: tuple[str, ...] = ()
    """The texts there are, where the type does not list them."""
    least: int | float | None = None
    """Smallest number allowed."""
    most: int | float | None = None
    """Greatest number allowed, where there is a smallest."""


ARGUMENT = Option(is_argument=True)
PLAIN = Option()
COMMON = "Options"
"""Heading of what is no matter of a certain method or picture."""


@dataclass(frozen=True)
class Setting:
    """One field of a settings dataclass: an option, a TOML key and a line of help."""

    name: str
    """Name of the field."""
    type: Any
    """What it holds, without None: a class, a `Literal`, or a tuple of texts or numbers."""
    default: Any
    """Value where nothing else is said; `dataclasses.MISSING` where something must be."""
    help: str
    """The docstring under the field."""
    heading: str
    """What the class that declares the field first is about, such as `ST-ABN`."""
    option: Option = PLAIN
    """What else is said of it."""

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return self.option.flag or flag_of(self.name)

    @property
    def is_required(self) -> bool:
        """Whether it must be set."""
        return self.default is dataclasses.MISSING


def flag_of(name: str) -> str:
    """Return what a field is called on the command line.

    >>> flag_of("min_area_px")
    '--min-area-px'
    """
    return f"--{name.replace('_', '-')}"


def settings(config: type) -> dict[str, Setting]:
    """Return the fields of a dataclass by name, those of its base classes first."""
    types, options = get_type_hints(config), _options(config)
    texts: dict[str, str] = {}
    headings: dict[str, str] = {}
    for cls in filter(dataclasses.is_dataclass, reversed(config.__mro__)):
        for name, text in _field_docstrings(cls).items():
            texts[name] = text
            headings.setdefault(name, getattr(cls, "heading", COMMON))
    return {
        field.name: Setting(
            name=field.name,
            type=_type(types[field.name], options[field.name]),
            default=field.default,
            help=texts[field.name],
            heading=headings[field.name],
            option=options[field.name],
        )
        for field in dataclasses.fields(config)
    }


def require_declared(config: Any) -> None:
    """Make sure that the settings are within the bounds and choices that their options declare.

    Raises:
        UsageError: One is not; the message names the option.
    """
    for name, option in _options(type(config)).items():
        value, where = getattr(config, name), option.flag or flag_of(name)
        if value is None:
            continue
        if option.choices and value not in option.choices:
            raise UsageError(f"must be {' or '.join(option.choices)}, not {value!r}", where=where)
        most = math.inf if option.most is None else option.most
        for number in value if isinstance(value, tuple) else (value,):
            if option.least is not None and not option.least <= number <= most:
                raise UsageError(f"must be {bounds(option)}", where=where)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Settings that are within what their options declare."""

    def __post_init__(self) -> None:
        """Refuse what is not.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        require_declared(self)


def bounds(option: Option) -> str:
    """Return in words which numbers an option takes.

    >>> bounds(Option(least=1)), bounds(Option(least=0, most=1))
    ('at least 1', 'in [0, 1]')
    """
    if option.most is None:
        return f"at least {option.least}"
    return f"in [{option.least}, {option.most}]"


def convert(value: Any, expected: Any) -> Any:
    """Return `value`, as TOML or the command line gives it, as what a setting holds.

    >>> convert([10, 20], tuple[int, ...])
    (10, 20)

    Raises:
        TypeError: It cannot be that; the message says what it should be.
    """
    if get_origin(expected) is tuple:
        first, *rest = get_args(expected)
        if isinstance(value, list | tuple) and (... in rest or len(value) == len(rest) + 1):
            return tuple(convert(item, first) for item in value)
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
        first, *rest = get_args(expected)
        return f"a list of {'' if ... in rest else f'{len(rest) + 1} times '}{describe(first)}"
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


def _options(config: type) -> dict[str, Option]:
    """Return how each field is marked, by the last class that marks it."""
    marked: dict[str, Option] = {}
    for cls in reversed(config.__mro__):
        for name, annotation in inspect.get_annotations(cls).items():
            for mark in getattr(annotation, "__metadata__", ()):  # of what is `Annotated`
                if isinstance(mark, Option):
                    marked[name] = mark
    return {field.name: marked.get(field.name, PLAIN) for field in dataclasses.fields(config)}


def _type(annotation: Any, option: Option) -> Any:
    if option.choices:
        return Literal[option.choices]
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    (held,) = (part for part in get_args(annotation) if part is not type(None))
    return held
