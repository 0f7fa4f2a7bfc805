from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.arrays import open_array, read_archive, require_unit_range


def damaged(path: Path, header: bytes) -> Path:
    """Write a .npy file with a header of its own."""
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    path.write_bytes(content + bytes(64))
    return path


def test_an_array_is_mapped_and_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    array = open_array(tmp_path / "a.npy", remedy="mend it")
    assert isinstance(array, np.memmap)
    np.testing.assert_array_equal(array, np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"'''",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (9" + b"9" * 60 + b",)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
        b"(" * 5000,
        b"\xff\xfe",
    ],
)
def test_headers_that_make_no_array_are_named(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(AttncliError, match=r"a\.npy: is not a plain \.npy array.*; mend it"):
        open_array(damaged(tmp_path / "a.npy", header), remedy="mend it")


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"a\.npy: no such file or directory"):
        open_array(tmp_path / "a.npy", remedy="mend it")
    with pytest.raises(AttncliError, match=r"a\.npz: no such file or directory"):
        read_archive(tmp_path / "a.npz", "maps", remedy="mend it")


def test_every_cut_and_every_changed_byte_of_an_archive_is_an_error_or_an_array(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, maps=np.zeros((2, 2)), crop=np.zeros(4))
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(content)
        changed[generator.integers(len(content))] ^= 1 << generator.integers(8)
        path.write_bytes(changed[: generator.integers(1, len(content) + 1)])
        try:
            read_archive(path, "maps", "crop", remedy="mend it")
        except AttncliError as error:
            assert "a.npz: " in str(error)


def test_values_are_in_the_unit_range_but_for_rounding() -> None:
    require_unit_range(
        np.array([[0, 1 + 1e-6], [-1e-6, 0.5]]), what="it is", where="f", remedy=None
    )
    for value in (np.nan, np.inf, -0.01, 1.01):
        values = np.array([[0.0, 1.0], [0.5, value]])
        with pytest.raises(AttncliError, match=r"^f: row 11: a value is .*, it is in \[0, 1\]"):
            require_unit_range(values, what="it is", first_row=10, where="f", remedy=None)
