"""Makes options of settings: a field of a settings dataclass is an option of a command.

A command is a function of settings and of flags, such as

    def command(call: SegmentCall, config: SegmentConfig, *, resume: bool, dry_run: bool) -> None:

Every field of both dataclasses becomes an option whose name, type, default and range the field
declares and whose help is its docstring (`attncli.config.fields`). The flags read the same on every
command that has them.
"""

import dataclasses
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from attncli.commands.console import terminal
from attncli.config.environment import (
    HELP,
    from_environment,
    has_variable,
    misspelt,
    variable_of,
)
from attncli.config.fields import Setting, describe, settings
from attncli.errors import UsageError
from attncli.files.text import lines_of

FLAGS = {
    "dry_run": "Print the plan and touch nothing.",
    "overwrite": "Replace an output that is there.",
    "resume": "Go on where an interrupted command stopped.",
}
"""Flags of many commands, with their help; a command's annotation may say it in other words."""


_PLURALS = {int: "integers", float: "numbers", str: "texts"}
"""What a list holds, in words."""


def spread(function: Callable[..., None], *, in_file: type | None = None) -> Callable[..., None]:
    """Return a command as typer takes it, with a parameter for each field of its settings.

    Args:
        function: The command.
        in_file: Settings that a file can give too. The function takes what the command line gives
            of them as `given`, by name.
    """
    hints = get_type_hints(function, include_extras=True)
    words = inspect.signature(function).parameters
    configs = {name: hints[name] for name in words if dataclasses.is_dataclass(hints[name])}
    flags = [name for name in words if name in FLAGS]

    heard = [*configs.values(), *([in_file] if in_file else [])]

    def call(**values: Any) -> None:
        for name, near in misspelt(heard, os.environ).items():
            terminal().warn(f"{name}: no such option; did you mean {near}?")
        with _variables_named(heard, values):
            made = {name: _made(config, given(config, values)) for name, config in configs.items()}
            rest = {} if in_file is None else {"given": given(in_file, values)}
            function(**made, **rest, **{name: values[name] for name in flags})

    options = [] if in_file is None else _parameters(in_file, in_file=True)
    options += [option for config in configs.values() for option in _parameters(config)]
    options += [_flag(name, hints[name]) for name in flags]
    call.__doc__ = function.__doc__
    call.epilog = HELP  # type: ignore[attr-defined]
    call.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return call


def given(config: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of those settings that the command line gives.

    Raises:
        UsageError: Paths were to be read from stdin, where there are none.
    """
    found = {name: values[name] for name in settings(config) if name in given_names(config, values)}
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    return found | {name: tuple(_with_stdin(value)) for name, value in lists.items()}


def _made(config: type, said: Mapping[str, Any]) -> Any:
    """Return settings: what the command line says of them, before what the environment does."""
    return config(**{**from_environment(config, os.environ), **said})


@contextmanager
def _variables_named(configs: Iterable[type], values: Mapping[str, Any]) -> Iterator[None]:
    """Let an error about an option that a variable gives name the variable, too."""
    try:
        yield
    except UsageError as error:
        for config in configs:
            said = given_names(config, values)
            for name in from_environment(config, os.environ).keys() - said:
                setting = settings(config)[name]
                if str(error).startswith(f"{setting.flag}: "):
                    raise UsageError(str(error), where=variable_of(setting)) from error
        raise


def given_names(config: type, values: Mapping[str, Any]) -> set[str]:
    """Return the names of those settings that the command line gives."""
    return {name for name in settings(config) if values.get(name) not in (None, [])}


def _parameters(config: type, *, in_file: bool = False) -> list[inspect.Parameter]:
    """Return what typer makes options of; what is not given stays None.

    Args:
        config: Dataclass of the settings.
        in_file: Whether a file may give them too: nothing is then required, and every switch can be
            turned off.
    """
    open_to_choice = [s for s in settings(config).values() if not _is_fixed(s)]
    return [_parameter(setting, in_file=in_file) for setting in open_to_choice]


def _is_fixed(setting: Setting) -> bool:
    return get_origin(setting.type) is Literal and len(get_args(setting.type)) == 1


def _parameter(setting: Setting, *, in_file: bool) -> inspect.Parameter:
    is_given = has_variable(setting) and variable_of(setting) in os.environ
    is_required = setting.is_required and not (in_file or is_given)
    held, ways = _held(setting)
    ways |= {"help": _help(setting, in_file=in_file), "show_default": False}
    if setting.option.is_argument:
        described = typer.Argument(**ways)
    else:
        flags = [_switch(setting, in_file=in_file) if held is bool else setting.flag]
        flags += [setting.option.short] if setting.option.short else []
        described = typer.Option(*flags, rich_help_panel=setting.heading, **ways)
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if is_required else None,
        annotation=Annotated[held if is_required else held | None, described],
    )


def _held(setting: Setting) -> tuple[Any, dict[str, Any]]:
    """Return the type typer reads a setting as, and what it is told besides."""
    ways = {} if setting.option.metavar is None else {"metavar": setting.option.metavar}
    if setting.type in (int, float):
        metavar = f"<{setting.type.__name__}>"
        return Any, {"metavar": metavar, "parser": partial(_number, setting.type)} | ways
    if get_origin(setting.type) is not tuple:
        return setting.type, ways
    item, *_ = get_args(setting.type)
    if setting.option.is_argument or setting.option.is_repeated:
        return list[item], ways  # type: ignore[valid-type]
    shape = ",".join(_names(setting.type))
    return Any, {"metavar": f"<{shape}>", "parser": partial(_items, setting)} | ways


def _names(held: Any) -> list[str]:
    """Return what stands for each value of a list.

    >>> _names(tuple[int, int]), _names(tuple[str, ...])
    (['int', 'int'], ['str', 'str', '...'])
    """
    items = get_args(held)
    names = ["..." if item is ... else item.__name__ for item in items]
    return [names[0], *names] if ... in items else names


def _number(held: type[int] | type[float], text: str) -> int | float:
    try:
        return held(text)
    except ValueError:
        raise typer.BadParameter(f"must be {describe(held)}, not {text!r}") from None


def _items(setting: Setting, text: str) -> tuple[Any, ...]:
    """Return what a list between commas holds."""
    item, *rest = get_args(setting.type)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts and not (setting.option.may_be_empty and not text):
        raise typer.BadParameter(f"{text!r} holds no value")
    try:
        found = tuple(map(item, parts))
    except ValueError:
        found = ()
    is_whole = len(found) == len(parts if ... in rest else [item, *rest])
    if not is_whole:
        count = "" if ... in rest else f"{len(rest) + 1} "
        what = f"{count}{_PLURALS[item]} between commas"
        raise typer.BadParameter(f"must be {what}, not {text!r}")
    return found


def _switch(setting: Setting, *, in_file: bool) -> str:
    can_be_off = in_file or setting.default is not False
    return f"{setting.flag}/--no-{setting.flag[2:]}" if can_be_off else setting.flag


def _help(setting: Setting, *, in_file: bool) -> str:
    """Return the help with default and range; that an argument is required typer says itself."""
    extra = [_default(setting, in_file=in_file), _range(setting)]
    extra += ["required"] if setting.is_required and in_file else []
    told = "; ".join(filter(None, extra))
    return f"{setting.help}  [{told}]" if told else setting.help


def _default(setting: Setting, *, in_file: bool) -> str:
    value = setting.default
    if setting.is_required or value in (None, (), "") or (value is False and not in_file):
        return ""
    if setting.type is bool:
        value = str(value).lower()
    elif isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f"default: {value}"


def _range(setting: Setting) -> str:
    least, most = setting.option.least, setting.option.most
    if least is None:
        return ""
    return f"x>={least}" if most is None else f"{least}<=x<={most}"


def _flag(name: str, annotation: Any) -> inspect.Parameter:
    (text,) = getattr(annotation, "__metadata__", (FLAGS[name],))
    option = typer.Option(f"--{name.replace('_', '-')}", help=text)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, option],
    )


def _with_stdin(values: Iterable[Any]) -> list[Any]:
    """Return the values, with paths on stdin, one a line, in the place of the path `-`."""
    found: list[Any] = []
    for value in values:
        if value == Path("-"):
            found += [Path(line) for line in lines_of(sys.stdin.read()) if line]
        else:
            found.append(value)
    if not found:
        raise UsageError("no path on stdin", where="-", remedy="write one a line")
    return found
