"""Settings as TOML: what `--config` reads, `--print-config` prints and a run keeps."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from attncli.config.environment import from_environment, variable_of
from attncli.config.fields import Setting, convert, settings
from attncli.config.training import TrainConfig
from attncli.errors import UsageError, reason

FORMAT_VERSION = 1
SEVERAL = "training_seeds"
"""Key of a settings file of several runs, which differ in their seeds: how many there are."""
_HEADER = {"format_version", "method", SEVERAL}

C = TypeVar("C")


@dataclass(frozen=True)
class _Layer:
    """Settings from one place; a later layer goes before those under it."""

    values: Mapping[str, Any]
    """Settings by name."""
    places: Mapping[str, object]
    """Where each is from, for messages; none of options."""


def resolve(
    config: type[C],
    file: Path | Sequence[Path] | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    method: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> C:
    """Return the settings: `overrides`, before `variables`, before `file`, before the defaults.

    Defaults that follow from what is given (`TrainConfig.implied`) go before the others, and what
    follows from one of these goes before those that come after it, too.

    Args:
        config: Dataclass of the settings.
        file: TOML file with any of the fields, or several, of which later ones go before.
        overrides: Values by field name, as the command line gives them.
        method: Name of the method; a file written for another one is refused.
        variables: The environment, where it may give settings.

    Raises:
        UsageError: A key is unknown, a value has the wrong type or range, or a required one is
            missing; the file or the variable is named.
    """
    known = settings(config)
    files = [] if file is None else [file] if isinstance(file, Path) else file
    layers = [_of_file(known, path, method) for path in files]
    layers.append(_of_environment(config, known, variables or {}))
    typed = {
        name: _converted(known, name, value, None) for name, value in (overrides or {}).items()
    }
    layers.append(_Layer(typed, {}))
    said = _put_together(config, [layer.values for layer in layers])
    for setting in known.values():
        if setting.is_required and setting.name not in said:
            raise UsageError("is required", where=setting.flag, remedy=f"it is: {setting.help}")
    try:
        return config(**said)
    except UsageError as error:
        raise _placed(error, known, layers) from error


def _of_file(known: Mapping[str, Setting], file: Path, method: str | None) -> _Layer:
    written = read(file)
    if method is not None and written.get("method", method) != method:
        raise UsageError(f"holds the settings of {written['method']}, not of {method}", where=file)
    values = {
        name: _converted(known, name, value, file)
        for name, value in written.items()
        if name not in _HEADER
    }
    return _Layer(values, dict.fromkeys(values, file))


def _of_environment(
    config: type, known: Mapping[str, Setting], variables: Mapping[str, str]
) -> _Layer:
    values = from_environment(config, variables)
    return _Layer(values, {name: variable_of(known[name]) for name in values})


def _put_together(config: type, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all layers say, and the defaults that follow from it.

    A default that follows from a later layer goes before what an earlier one says.
    """
    said: dict[str, Any] = {}
    for layer in layers:
        before, after = _implied(config, said), _implied(config, {**said, **layer})
        new = {name: v for name, v in after.items() if name not in before or before[name] != v}
        said |= {name: value for name, value in new.items() if name in said}
        said |= layer
    return {**_implied(config, said), **said}


def _implied(config: type, said: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.implied(said) if issubclass(config, TrainConfig) else {}


def _placed(
    error: UsageError, known: Mapping[str, Setting], layers: Sequence[_Layer]
) -> UsageError:
    """Return an error that names a setting's option with the place where its value is from."""
    told = str(error)
    names = [name for name, setting in known.items() if told.startswith(f"{setting.flag}: ")]
    for layer in reversed(layers):
        for name in names:
            if name in layer.values:
                place = layer.places.get(name)
                return error if place is None else UsageError(told, where=str(place))
    return error


def read(file: Path) -> dict[str, Any]:
    """Return what a settings file holds, unchecked but for its format version.

    Raises:
        UsageError: It cannot be read, is no TOML (the message names the line), or was written by
            a newer attncli.
    """
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(reason(error), where=file) from error
    except (ValueError, RecursionError) as error:  # a number too long, or lists in lists in lists
        raise UsageError(_not_toml(error), where=file, remedy="correct it") from error
    version = written.get("format_version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise UsageError(
            f"has format version {version}; this attncli reads {FORMAT_VERSION}",
            where=file,
            remedy="install a newer attncli",
        )
    return written


def _not_toml(error: Exception) -> str:
    found = re.search(r"at line \d+, column \d+|at end of document", str(error))
    why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else found and found[0]
    return f"is not valid TOML ({why})" if why else "is not valid TOML"


def dump(config: Any, *, method: str | None = None, several: int | None = None) -> str:
    """Return the settings as TOML that `resolve` reads back; those that are None are left out.

    Args:
        config: The settings.
        method: Name of the method they are of, where they are of one.
        several: How many runs they are of, with the seed and those after it; None of a single one.
    """
    header: dict[str, Any] = {"format_version": FORMAT_VERSION}
    header |= {} if method is None else {"method": method}
    header |= {} if several is None else {SEVERAL: several}
    values = {field.name: _plain(getattr(config, field.name)) for field in fields(config)}
    return tomli_w.dumps(header | {name: v for name, v in values.items() if v is not None})


def _converted(known: Mapping[str, Setting], name: str, value: Any, file: Path | None) -> Any:
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean {nearest[0]!r}?" if nearest else "see --print-config for the keys"
        raise UsageError(f"unknown key {name!r}", where=file, remedy=remedy)
    try:
        return convert(value, known[name].type)
    except TypeError as error:
        place = known[name].flag if file is None else file
        raise UsageError(str(error) if file is None else f"{name} {error}", where=place) from error


def require_utf8(path: Path) -> None:
    """Make sure that a path can be written down, as settings files and TensorBoard do.

    Raises:
        UsageError: It holds bytes that are no UTF-8, as names unpacked from old archives do.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        what = "its name is not UTF-8 and cannot be written down"
        raise UsageError(what, where=path, remedy="rename it, or the directory it is in") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        require_utf8(value)
        return str(value)
    return list(value) if isinstance(value, tuple) else value
