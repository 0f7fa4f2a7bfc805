"""Text of files that people and other programs write: UTF-8, line by line, or JSON."""

import json
import math
import re
import unicodedata
from pathlib import Path
from typing import Any, NoReturn

from attncli.errors import AttncliError, reason


def read_text(path: Path, *, remedy: str | None = None) -> str:
    """Return what a file of UTF-8 holds: no byte order mark, a newline at each line's end.

    Raises:
        AttncliError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")  # Windows editors put a mark before it
    except OSError as error:
        what = f"cannot be read ({reason(error)})"
        raise AttncliError(what, where=path, remedy=remedy) from error
    except UnicodeDecodeError as error:
        what = f"cannot be read (it is not UTF-8: {error.reason} at byte {error.start})"
        raise AttncliError(what, where=path, remedy=remedy) from error


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text; only a newline ends one, as file names may hold all else.

    >>> lines_of("a\x0bb\nc\n")
    ['a\x0bb', 'c']
    """
    return text.removesuffix("\n").split("\n") if text else []


def words_of(line: str) -> list[str]:
    r"""Return the words of a line; only blanks and tabs part them, as names may hold all else.

    >>> words_of(" a\u3000b\tc ")
    ['a\u3000b', 'c']
    """
    return [word for word in re.split(r"[ \t]+", line) if word]


def has_control_characters(name: str) -> bool:
    r"""Return whether a name holds what is no letter, or bytes that are not UTF-8.

    >>> [has_control_characters(name) for name in ("a\x0b", "\udce9", "\u2028")]
    [True, True, False]
    """
    return any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)


def parse_json(text: str | bytes, *, where: Path | str, remedy: str | None = None) -> Any:
    """Return what a JSON text says.

    Args:
        text: The text.
        where: The file whose whole content it is, or a place in one.
        remedy: What to do where it cannot be read.

    Raises:
        AttncliError: It is no JSON, has a number that JSON cannot say, or lists in lists in lists.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        place = f"{where}, line {error.lineno}" if isinstance(where, Path) else where
        raise AttncliError(
            f"is not valid JSON (column {error.colno})", where=place, remedy=remedy
        ) from error
    except (ValueError, RecursionError) as error:  # a number too long, or lists in lists in lists
        raise AttncliError(f"cannot be read ({error})", where=where, remedy=remedy) from error


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:20]} is not a finite number")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not allowed")
