import codecs
import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from attncli.errors import AttncliError
from attncli.files.pickles import read_npy


def save(path: Path, content: object) -> Path:
    np.save(path, content, allow_pickle=True)
    return path


def save_pickle(path: Path, pickled: bytes) -> Path:
    """Write a file whose header says that an object follows, and `pickled` behind it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    path.write_bytes(file.getvalue() + pickled)
    return path


class Asks:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_plain_arrays_need_no_pickle(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    np.testing.assert_array_equal(
        read_npy(save(tmp_path / "a.npy", array), allow_pickle=False), array
    )


def test_dictionaries_of_arrays_are_read_where_pickles_are_allowed(tmp_path):
    content = {0: np.ones((2, 3), np.float32), np.int64(7): np.zeros((2, 3))}
    path = save(tmp_path / "a.npy", content)
    found = read_npy(path, allow_pickle=True)
    assert list(found) == [0, 7]
    for key in content:
        np.testing.assert_array_equal(found[key], content[key])
    with pytest.raises(AttncliError, match=r"a\.npy: is pickled; pass --allow-pickle"):
        read_npy(path, allow_pickle=False)


def test_tensors_and_lists_are_read_too(tmp_path):
    content = OrderedDict(keys=torch.tensor([2, 5]), cam=torch.rand(2, 3), names=["a", None, 1.5])
    found = read_npy(save(tmp_path / "a.npy", content), allow_pickle=True)
    assert found.keys() == content.keys()
    assert torch.equal(found["keys"], content["keys"])
    assert torch.equal(found["cam"], content["cam"])
    assert found["names"] == content["names"]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_every_protocol_is_read(tmp_path, protocol):
    array = np.empty((), dtype=object)
    array[()] = {3: np.arange(4.0)}
    path = save_pickle(tmp_path / "a.npy", pickle.dumps(array, protocol=protocol))
    np.testing.assert_array_equal(read_npy(path, allow_pickle=True)[3], np.arange(4.0))


def test_names_of_numpy_before_version_2_are_known(tmp_path):
    array = np.empty((), dtype=object)
    array[()] = {3: np.float64(0.5), 4: np.arange(4.0)}
    pickled = pickle.dumps(array, protocol=2)
    assert b"numpy._core" in pickled
    path = save_pickle(tmp_path / "a.npy", pickled.replace(b"numpy._core", b"numpy.core"))
    found = read_npy(path, allow_pickle=True)
    assert found[3] == 0.5
    np.testing.assert_array_equal(found[4], np.arange(4.0))


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (os.mkdir, [], r"\w+\.mkdir"),
        (eval, [], r"builtins\.eval"),
        (np.savetxt, [[1.0]], r"numpy\S*\.savetxt"),
        (codecs.encode, ["zip"], "the encoding 'zip'"),
    ],
)
def test_code_is_never_run(tmp_path, function, arguments, named):
    trap = tmp_path / "trap"
    path = save(tmp_path / "a.npy", {"keys": Asks(function, str(trap), *arguments)})
    with pytest.raises(AttncliError, match=f"asks for {named}.*do not trust this file"):
        read_npy(path, allow_pickle=True)
    assert not trap.exists()


def test_code_inside_a_tensor_is_never_run(tmp_path):
    trap, inner = tmp_path / "trap", io.BytesIO()
    torch.save({"x": Asks(os.mkdir, str(trap))}, inner, _use_new_zipfile_serialization=False)
    content = {"keys": Asks(torch.storage._load_from_bytes, inner.getvalue())}
    with pytest.raises(AttncliError, match=r"a\.npy: "):
        read_npy(save(tmp_path / "a.npy", content), allow_pickle=True)
    assert not trap.exists()


def test_what_lies_outside_of_the_file_is_refused(tmp_path):
    path = save_pickle(tmp_path / "a.npy", b"Pelsewhere\n.")
    with pytest.raises(AttncliError, match="something outside of it"):
        read_npy(path, allow_pickle=True)


@pytest.mark.parametrize("allow_pickle", [True, False])
@pytest.mark.parametrize("content", [b"", b"nothing", b"\x93NUMPY\x09\x00", None])
def test_what_is_no_array_is_refused_by_name(tmp_path, content, allow_pickle):
    path = tmp_path / "a.npy"
    if content is not None:
        path.write_bytes(content)
    message = r"a\.npy: (is not an array that numpy\.save wrote|no such file)"
    with pytest.raises(AttncliError, match=message):
        read_npy(path, allow_pickle=allow_pickle)


@pytest.mark.parametrize("content", [{1: np.ones((20, 30))}, np.ones((20, 30))])
def test_files_that_are_cut_short_are_refused(tmp_path, content):
    path = save(tmp_path / "a.npy", content)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AttncliError, match=r"a\.npy: is not an array that numpy\.save wrote"):
        read_npy(path, allow_pickle=True)


def test_arrays_of_several_objects_are_refused(tmp_path):
    path = save(tmp_path / "a.npy", np.array([{1: 2}, {3: 4}], dtype=object))
    with pytest.raises(AttncliError, match=r"a\.npy: is not an array"):
        read_npy(path, allow_pickle=True)
