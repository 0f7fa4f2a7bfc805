"""`.npy` files that hold Python's objects, as programs of others write them; read without trust.

Reading a pickle can run any code. Here it makes NumPy's arrays, torch's tensors, dictionaries,
lists, numbers and texts; a file that asks for anything else is refused.
"""

import io
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import torch

from attncli.errors import AttncliError, reason

REMEDY = "get the file again, or write it anew"
_MAKERS: Final = {
    *(
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
}
"""Where pickles find what makes arrays and tensors; NumPy's part moved in version 2."""
_READERS: Final = {
    1: np.lib.format.read_array_header_1_0,
    2: np.lib.format.read_array_header_2_0,
}


def read_npy(path: Path, *, allow_pickle: bool) -> Any:
    """Return what `numpy.save` wrote: an array, or the object that it was given.

    Args:
        path: The file.
        allow_pickle: Read objects too, made of arrays, tensors, dictionaries, lists and numbers.

    Raises:
        AttncliError: The file is missing, damaged, pickled though it must not be, or asks for what
            no such object needs.
    """
    try:
        with path.open("rb") as file:
            if not _holds_objects(file):
                file.seek(0)
                return np.lib.format.read_array(file, allow_pickle=False)
            if not allow_pickle:
                remedy = "pass --allow-pickle, which still refuses all but arrays and numbers"
                raise AttncliError("is pickled", where=path, remedy=remedy)
            return _ArrayUnpickler(file, encoding="latin1").load().item()  # latin1: of Python 2
    except AttncliError:
        raise
    except OSError as error:
        raise AttncliError(reason(error), where=path, remedy=REMEDY) from error
    except _ForbiddenError as error:
        what = f"asks for {error}, which neither arrays nor numbers need, and is refused"
        raise AttncliError(what, where=path, remedy="do not trust this file") from error
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to ask for
        what = f"is not an array that numpy.save wrote ({reason(error)})"
        raise AttncliError(what, where=path, remedy=REMEDY) from error


def _holds_objects(file: io.BufferedReader) -> bool:
    """Return whether a file's header says that its array is one of objects; it is read past it."""
    major, _ = np.lib.format.read_magic(file)
    if major not in _READERS:
        raise ValueError(f"its format is version {major}")
    _, _, dtype = _READERS[major](file)
    return dtype.hasobject


class _ForbiddenError(Exception):
    """A pickle asks for something else than arrays and tensors."""


class _ArrayUnpickler(pickle.Unpickler):
    """Reads arrays, tensors and what Python itself writes them in."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what makes an array or a tensor.

        Raises:
            _ForbiddenError: The pickle asks for something else.
        """
        if (own := _IN_PLACE_OF.get((module, name))) is not None:
            return own
        if (module, name) not in _MAKERS:
            raise _ForbiddenError(f"{module}.{name}")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> NoReturn:
        """Refuse what is kept outside of the file.

        Raises:
            _ForbiddenError: Always.
        """
        raise _ForbiddenError(f"something outside of it ({pid!r})")


def _storage(content: bytes) -> Any:
    """Return the numbers of a tensor; torch's own function would run what they ask for."""
    return torch.load(io.BytesIO(content), weights_only=True)


def _encoded(text: str, encoding: str) -> bytes:
    """Return the bytes of an array, as pickles that Python 2 can read have them."""
    if encoding != "latin1":
        raise _ForbiddenError(f"the encoding {encoding!r}")
    return text.encode(encoding)


_IN_PLACE_OF: Final[Mapping[tuple[str, str], Callable[..., Any]]] = {
    ("torch.storage", "_load_from_bytes"): _storage,
    ("_codecs", "encode"): _encoded,
}
"""What is called in the place of functions that could do more."""
