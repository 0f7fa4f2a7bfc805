"""Settings as TOML: what `--config` reads, `--print-config` prints and a run keeps."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from attncli.config.fields import Setting, convert, settings
from attncli.config.training import TrainConfig
from attncli.errors import UsageError, reason

FORMAT_VERSION = 1
_HEADER = {"format_version", "method"}

C = TypeVar("C")


def resolve(
    config: type[C],
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    method: str | None = None,
) -> C:
    """Return the settings: `overrides` before those of `file` before the defaults.

    Defaults that follow from what is given (`TrainConfig.implied`) go before the others, and what
    follows from `overrides` alone goes before `file` too.

    Args:
        config: Dataclass of the settings.
        file: TOML file with any of the fields, or None.
        overrides: Values by field name, as the command line gives them.
        method: Name of the method; a file written for another one is refused.

    Raises:
        UsageError: A key is unknown, a value has the wrong type or range, or a required one is
            missing.
    """
    known = settings(config)
    written = {} if file is None else read(file)
    if method is not None and written.get("method", method) != method:
        raise UsageError(f"holds the settings of {written['method']}, not of {method}", where=file)
    in_file = {
        name: _converted(known, name, value, file)
        for name, value in written.items()
        if name not in _HEADER
    }
    given = {
        name: _converted(known, name, value, None) for name, value in (overrides or {}).items()
    }
    for setting in known.values():
        if setting.is_required and setting.name not in {**in_file, **given}:
            raise UsageError(f"missing option {setting.flag}", remedy=f"it is: {setting.help}")
    return config(**{**_implied(config, in_file, given), **given})


def _implied(
    config: type, in_file: Mapping[str, Any], given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return what a file says, the defaults that follow from it, and those `given` puts over it."""
    if not issubclass(config, TrainConfig):
        return in_file
    by_file = config.implied(in_file)
    by_all = config.implied({**in_file, **given})
    by_given = {name: v for name, v in by_all.items() if name not in by_file or by_file[name] != v}
    return {**by_all, **in_file, **by_given}


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
        raise UsageError(f"is no TOML: {error}", where=file) from error
    version = written.get("format_version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise UsageError(
            f"has format version {version}; this attncli reads {FORMAT_VERSION}",
            where=file,
            remedy="install a newer attncli",
        )
    return written


def dump(config: Any, *, method: str | None = None) -> str:
    """Return the settings as TOML that `resolve` reads back; those that are None are left out."""
    header: dict[str, Any] = {"format_version": FORMAT_VERSION}
    if method is not None:
        header["method"] = method
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
