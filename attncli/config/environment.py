"""Settings that variables of the environment give: `ATTNCLI_EPOCHS=3` is `--epochs 3`."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from attncli.catalog import METHODS, load
from attncli.config.fields import Setting, convert, describe, settings
from attncli.errors import UsageError

PREFIX = "ATTNCLI_"
"""How names of all variables begin."""
HELP = (
    f"Options can also be set in the environment: {PREFIX}DEVICE=cpu is --device cpu. "
    "The option counts if both are given; the variable counts more than --config."
)
"""One line for the help of every command with such options."""
_ALWAYS_TYPED = frozenset(
    {"out", "config_file", "print_config", "training_seeds", "parallel_seeds"}
    | {"format", "rows", "json"}
)
"""What is about one call alone: where it writes, what it reads its settings from, and how it shows
what it did."""
TYPED_ALONE = "is_typed_alone"
"""Attribute of settings classes that no variable gives: what toy data are like is no matter of how
networks are trained, though options are called the same."""
_SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def has_variable(setting: Setting) -> bool:
    """Return whether a variable may give a setting: any option that is not about one call alone."""
    return not setting.option.is_argument and setting.name not in _ALWAYS_TYPED


def misspelt(configs: Iterable[type], variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables that no training knows, each with the one of `configs` it all but is."""
    known, heard = _names_of(configs), [name for name in variables if name.startswith(PREFIX)]
    close = {name: get_close_matches(name, known, n=1, cutoff=0.95) for name in heard}
    found = {name: near[0] for name, near in close.items() if near and near[0] != name}
    others = _names_of(load(method.config) for method in METHODS) if found else set()
    return {name: near for name, near in found.items() if name not in others}


def _names_of(configs: Iterable[type]) -> set[str]:
    return {
        variable_of(setting)
        for config in configs
        for setting in settings(config).values()
        if has_variable(setting) and not getattr(config, TYPED_ALONE, False)
    }


def variable_of(setting: Setting) -> str:
    """Return the name of the variable that gives a setting, such as `ATTNCLI_BATCH_SIZE`."""
    return PREFIX + setting.flag.lstrip("-").replace("-", "_").upper()


def from_environment(config: type, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return what variables say of the settings in `config`, by the setting's name.

    A variable that is empty says nothing, nor does any of a class with `TYPED_ALONE`. A list stands
    between commas, a switch is `1`, `true` or `yes`, or else `0`, `false` or `no`.

    Args:
        config: Dataclass of the settings.
        variables: The environment.

    Raises:
        UsageError: A value is none that the setting takes; the message names the variable.
    """
    if getattr(config, TYPED_ALONE, False):
        return {}
    return {
        name: _parsed(setting, variables[variable_of(setting)])
        for name, setting in settings(config).items()
        if has_variable(setting) and variables.get(variable_of(setting))
    }


def without_settings(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a call of `attncli` that is told all its settings otherwise."""
    return {name: value for name, value in variables.items() if not name.startswith(PREFIX)}


def _parsed(setting: Setting, text: str) -> Any:
    try:
        found = convert(_value(setting.type, text.strip()), setting.type)
    except (TypeError, ValueError) as error:
        what = f"must be {describe(setting.type)}, not {text!r}"
        raise UsageError(what, where=variable_of(setting)) from error
    if found == () and not setting.option.may_be_empty:
        raise UsageError(f"{text!r} holds no value", where=variable_of(setting))
    return found


def _value(held: Any, text: str) -> Any:
    """Return what a text stands for where `held` is wanted; `convert` refuses what is wrong yet.

    >>> _value(tuple[int, ...], "8, 16"), _value(bool, "yes"), _value(str, "cpu")
    ([8, 16], True, 'cpu')
    """
    if get_origin(held) is tuple:
        item = get_args(held)[0]
        return [_value(item, part.strip()) for part in text.split(",") if part.strip()]
    if held is bool:
        return _SWITCH.get(text.lower(), text)
    if held in (int, float):
        return held(text)
    if get_origin(held) is Literal:
        return next((choice for choice in get_args(held) if str(choice) == text), text)
    return text
