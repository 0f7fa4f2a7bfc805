from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.differences import (
    Differences,
    differences_path,
    read_differences,
    write_differences,
)

SHAPE = (3, 4)


ARRAYS = {
    "knowledge": np.linspace(0, 1, 12, dtype=np.float16).reshape(SHAPE),
    "advice": np.full(SHAPE, 0.25, np.float16),
    "segmented": np.arange(12, dtype=np.uint8).reshape(SHAPE),
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_differences(tmp_path, "2007/a.b", Differences(**ARRAYS))
    assert (tmp_path / "2007" / "a.b.difference.npz").is_file()
    found = read_differences(tmp_path, "2007/a.b")
    np.testing.assert_array_equal(found.knowledge, ARRAYS["knowledge"])
    np.testing.assert_array_equal(found.segmented, ARRAYS["segmented"])


@pytest.mark.parametrize(
    "changes",
    [
        {"knowledge": np.full(SHAPE, 1.5, np.float16)},
        {"advice": np.full(SHAPE, np.nan, np.float16)},
        {"advice": np.zeros((3, 5), np.float16)},
        {"segmented": np.zeros((4, 4), np.uint8)},
    ],
    ids=["range", "nan", "size", "size of the label map"],
)
def test_anything_else_is_refused_by_name(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
    np.savez(differences_path(tmp_path, "a"), **(ARRAYS | changes))
    with pytest.raises(AttncliError, match=r"a\.difference\.npz"):
        read_differences(tmp_path, "a")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"a\.difference\.npz"):
        read_differences(tmp_path, "a")
