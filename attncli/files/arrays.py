"""NumPy's files, `.npy` and `.npz`, read without running code and checked where they are read."""

from pathlib import Path

import numpy as np

from attncli.errors import AttncliError, reason

ROUNDING = 1e-5
"""How far a value may lie outside [0, 1] by the rounding of what computed it."""


def open_array(path: Path, *, remedy: str) -> np.ndarray:
    """Return the array in a `.npy` file, memory-mapped.

    Raises:
        AttncliError: The file is missing, cut short, or holds no plain array of numbers.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        what = reason(error)
        raise AttncliError(what, where=path, remedy=remedy) from error
    except Exception as error:  # the header is Python's own notation, whose parser raises anything
        raise AttncliError("is not a plain .npy array", where=path, remedy=remedy) from error
    if array.dtype.kind not in "biuf":
        what = f"is not a plain .npy array of numbers (it holds {array.dtype})"
        raise AttncliError(what, where=path, remedy=remedy)
    return array


def read_archive(path: Path, *names: str, remedy: str) -> tuple[np.ndarray, ...]:
    """Return arrays of a `.npz` file by their names.

    Raises:
        AttncliError: The file is missing, damaged, or lacks one of them.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return tuple(archive[name] for name in names)
    except OSError as error:
        what = reason(error)
        raise AttncliError(what, where=path, remedy=remedy) from error
    except Exception as error:  # a damaged archive raises whatever its bytes happen to ask for
        what = f"does not hold the arrays {' and '.join(names)}, or is damaged"
        raise AttncliError(what, where=path, remedy=remedy) from error


def require_unit_range(
    values: np.ndarray, *, what: str, first_row: int = 0, where: Path | str, remedy: str | None
) -> None:
    """Make sure that values are finite and in [0, 1].

    Args:
        values: A row a clip or a frame.
        what: What they are, and a verb.
        first_row: Number of the first row, for the message.
        where: File it was read from.
        remedy: What to do where it is not.

    Raises:
        AttncliError: A value is not; its row is named.
    """
    inside = (values >= -ROUNDING) & (values <= 1 + ROUNDING)  # NaN is not
    if not inside.all():
        row = int((~inside).reshape(len(values), -1).any(axis=1).argmax())
        value = values[row][~inside[row]].flat[0]
        problem = "a value is not finite" if not np.isfinite(value) else f"a value is {value:g}"
        found = f"row {first_row + row}: {problem}, {what} in [0, 1]"
        raise AttncliError(found, where=where, remedy=remedy)
