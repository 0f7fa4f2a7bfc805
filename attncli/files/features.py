"""Feature directories: a row of numbers, or maps, an image, for each layer of several networks.

    feats/cub/{I/fc.npy, I/svd-fc.npy, P/fc.npy, P/svd-fc.npy, I+P/fc.npy,
               index.csv, classes.txt, config.toml, basis.npz, sketch.npz, failures.jsonl}

`SOURCE/LAYER.npy` is float32, (images, dims) or (images, channels, rows, columns). Row n of every
array is of the image in line n of `index.csv` (id, label, split; of people subject, camera and role
too), counted without its header. `config.toml` says how they were made. `index.csv` is written
last, and so is there of what is whole. A run that made features of others has them in `features/`.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np

from attncli.config.toml import read
from attncli.errors import AttncliError, UsageError
from attncli.files.arrays import open_array, read_archive
from attncli.files.failures import FAILURES, read_failures
from attncli.files.outputs import SETTINGS
from attncli.files.tables import read_cells
from attncli.files.text import lines_of, read_text

Pool = Literal["gap", "mpn-cbp", "none", "c-dpcf", "shared-maps", "stripes", "average"]
"""What became of maps: those from `c-dpcf` on are poolings of people (`attncli train c-dpcf`)."""
INDEX = "index.csv"
COLUMNS = ("id", "label", "split")
PEOPLE_COLUMNS = ("subject", "camera", "role")
"""In `index.csv` besides, where any of it is known of any image."""
FEATURES = "features"
"""Directory of the features that a run made, within the run."""
CLASSES = "classes.txt"
BASES = "basis.npz"
SKETCH = "sketch.npz"
KIND = "features"
"""What `config.toml` says its directory is."""
REMEDY = "name a directory that `attncli svd-fc` wrote"
SINGULAR_VALUES = "singular_values"
"""In `basis.npz`: those of the weight of a source's last layer, in falling order."""
JOINT = "+"
"""Between the names of sources that are fused."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")


def is_source_name(name: str) -> bool:
    """Return whether a source may be called that: letters, digits, `-`, `_` and `.`.

    Its arrays are in a directory of that name, beside files that have names already.

    >>> is_source_name("I"), is_source_name("I+P"), is_source_name("..")
    (True, False, False)
    """
    taken = (INDEX, CLASSES, BASES, SKETCH, SETTINGS, FAILURES)
    return _NAME.fullmatch(name) is not None and name not in taken


@dataclass(frozen=True)
class FeatureDirectory:
    """Features on disk, and what is said of them."""

    path: Path
    """Where they are."""
    ids: tuple[str, ...]
    """Id of the image of each row, as in its dataset."""
    labels: tuple[str, ...]
    """Name of its class; empty where that is not known."""
    splits: tuple[str, ...]
    """`train` or `val`."""
    classes: tuple[str, ...]
    """Names of all classes of the dataset."""
    pool: Pool
    """What became of maps; nothing where it is `none`."""
    sources: tuple[str, ...]
    """Names of single networks, in the order they were given in."""
    fusions: tuple[str, ...]
    """Sources that were fused before they were pooled, such as `I+P`, with arrays of their own."""
    layers: tuple[str, ...]
    """Names of layers, such as `svd-fc`."""
    settings: Mapping[str, Any]
    """All that `config.toml` says."""
    subjects: tuple[str, ...]
    """Person in each image; empty where nobody who is looked for."""
    cameras: tuple[str, ...]
    """Name of the camera of each; empty where that is not known."""
    roles: tuple[str, ...]
    """`query` or `gallery` in tests by ranking; empty otherwise."""

    def array_path(self, source: str, layer: str) -> Path:
        """Return where the features of a layer of a source, or of a fusion, are."""
        return array_path(self.path, source, layer)

    def has(self, source: str, layer: str) -> bool:
        """Return whether there are features of a layer of a source, or of a fusion."""
        return self.array_path(source, layer).is_file()

    def open(self, source: str, layer: str) -> np.ndarray:
        """Return the features of a layer, memory-mapped.

        Args:
            source: A source, or a fusion.
            layer: The layer.

        Returns:
            Float32, (images, dims) or (images, channels, rows, columns).

        Raises:
            AttncliError: There are none, or they do not fit `index.csv`.
        """
        path = self.array_path(source, layer)
        array = open_array(path, remedy="write the directory anew with `attncli svd-fc`")
        if array.dtype != np.float32 or array.ndim not in (2, 4) or len(array) != len(self.ids):
            found = f"{array.dtype} {'x'.join(map(str, array.shape))}"
            what = f"holds {found}, not float32 features of the {len(self.ids)} images in {INDEX}"
            raise AttncliError(what, where=path, remedy="write the directory anew")
        return array

    @cached_property
    def n_failed(self) -> int:
        """Images of the dataset that could not be read, and so have no row."""
        return len(read_failures(self.path / FAILURES))

    @cached_property
    def sha256(self) -> str:
        """Hash of `config.toml` and `index.csv`, by which runs name what they were fitted to."""
        parts = (self.path / SETTINGS, self.path / INDEX)
        return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()

    def bases(self) -> Mapping[tuple[str, str], np.ndarray]:
        """Return what the vectors are made with, by source and name.

        Names are `singular_values` (of the last weight, all of them, in falling order), and
        `svd-fc` and `random-fc` (orthonormal rows, one a dimension of the feature) where there are
        such features. There may be none of a source.

        Raises:
            AttncliError: `basis.npz` is damaged.
        """
        path = self.path / BASES
        if not path.is_file():
            return {}
        names = (SINGULAR_VALUES, "svd-fc", "random-fc")
        wanted = [(s, n) for s in self.sources for n in names]
        held = [pair for pair in wanted if "/".join(pair) in _names_in(path)]
        arrays = read_archive(path, *("/".join(pair) for pair in held), remedy=REMEDY)
        return dict(zip(held, arrays, strict=True))


def array_path(root: Path, source: str, layer: str) -> Path:
    """Return where the features of a layer of a source are below a directory."""
    return root / source / f"{layer}.npy"


def holds_features(path: Path) -> bool:
    """Return whether a directory holds features, all of them; a run that made some does not."""
    return (path / INDEX).is_file() and _is_described(path)


def open_features(path: Path) -> FeatureDirectory:
    """Return the features in a directory, or those that a run made.

    Raises:
        AttncliError: There are none, they are not whole, or what is said of them is damaged.
    """
    path = _place(path)
    if not _is_described(path):
        raise AttncliError("holds no features", where=path, remedy=REMEDY)
    if not (path / INDEX).is_file():
        remedy = "go on with `attncli svd-fc … --resume`"
        raise AttncliError("its features are not finished", where=path, remedy=remedy)
    about = _read_about(path / SETTINGS)
    ids, labels, splits, subjects, cameras, roles = _read_index(path / INDEX)
    return FeatureDirectory(
        path=path,
        ids=ids,
        labels=labels,
        splits=splits,
        classes=tuple(lines_of(read_text(path / CLASSES, remedy=REMEDY))),
        pool=cast("Pool", about["pool"]),
        sources=tuple(about["sources"]),
        fusions=tuple(about["fusions"]),
        layers=tuple(about["layers"]),
        settings=about,
        subjects=subjects,
        cameras=cameras,
        roles=roles,
    )


def _place(path: Path) -> Path:
    """Return where features are: in a directory itself, or in a run's `features/`."""
    inner = path / FEATURES
    return inner if not _is_described(path) and _is_described(inner) else path


def _is_described(path: Path) -> bool:
    try:
        return read(path / SETTINGS).get("kind") == KIND
    except UsageError:  # there are no settings, or they are somebody else's
        return False


def _read_about(path: Path) -> dict[str, Any]:
    about = read(path)
    kinds = {"pool": str, "sources": dict, "fusions": list, "layers": list}
    for name, kind in kinds.items():
        if not isinstance(about.get(name), kind):
            raise AttncliError(f"its {name} is missing or malformed", where=path, remedy=REMEDY)
    if about["pool"] not in get_args(Pool):
        raise AttncliError(f"no such pooling: {about['pool']!r}", where=path, remedy=REMEDY)
    return about


def _read_index(path: Path) -> tuple[tuple[str, ...], ...]:
    """Return what is known of each row, as it is written: a class may begin with a blank.

    Returns:
        Columns `COLUMNS` and `PEOPLE_COLUMNS`; the latter are empty cells where they are left out.

    Raises:
        AttncliError: It is no such table, or names an image twice.
    """
    remedy = f"write the directory anew; columns are {', '.join(COLUMNS)}"
    cells = read_cells(path, remedy=remedy)
    header = () if len(cells) < 1 else tuple(cells.iloc[0])
    if header not in (COLUMNS, (*COLUMNS, *PEOPLE_COLUMNS)):
        raise AttncliError("is not an index of features", where=path, remedy=remedy)
    table = cells.iloc[1:]
    columns = [tuple(table.iloc[:, number]) for number in range(len(header))]
    ids = columns[0]
    if len(set(ids)) != len(ids):
        double = next(one for one, count in Counter(ids).items() if count > 1)
        raise AttncliError(f"names image {double} twice", where=path, remedy=remedy)
    missing = len(COLUMNS) + len(PEOPLE_COLUMNS) - len(header)
    return (*columns, *[("",) * len(ids)] * missing)


def _names_in(path: Path) -> frozenset[str]:
    """Return the names of the arrays of an archive.

    Raises:
        AttncliError: It is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return frozenset(archive.files)
    except Exception as error:  # a damaged archive raises whatever its bytes happen to ask for
        what = "is not an archive of arrays, or is damaged"
        raise AttncliError(what, where=path, remedy=REMEDY) from error
