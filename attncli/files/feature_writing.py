"""Write feature directories (`attncli.files.features`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from attncli.config.toml import FORMAT_VERSION
from attncli.errors import Failure
from attncli.files.atomic import replacing, write_text
from attncli.files.failures import FAILURES, write_failures
from attncli.files.features import (
    BASES,
    CLASSES,
    COLUMNS,
    INDEX,
    KIND,
    PEOPLE_COLUMNS,
    SKETCH,
    FeatureDirectory,
    Pool,
    array_path,
    open_features,
)
from attncli.files.outputs import SETTINGS
from attncli.files.tables import write_table


@dataclass(frozen=True)
class Description:
    """How features are made: what `config.toml` says of them."""

    pool: Pool
    """What becomes of maps."""
    layers: Sequence[str]
    """Names of layers."""
    sources: Mapping[str, Mapping[str, Any]]
    """What is said of each network, such as its weights, by its name, in their order."""
    fusions: Sequence[str] = ()
    """Sources fused before pooling, such as `I+P`."""
    scales: Mapping[str, Mapping[str, float]] | None = None
    """What fused sources are multiplied by, by layer and source; None where none are fused."""
    settings: Mapping[str, Any] | None = None
    """Further settings, such as `data`; those that are None are left out."""

    def text(self) -> str:
        """Return it as TOML."""
        settings = self.settings or {}
        return tomli_w.dumps(
            {"format_version": FORMAT_VERSION, "kind": KIND}
            | {name: value for name, value in settings.items() if value is not None}
            | {"pool": self.pool, "layers": list(self.layers), "fusions": list(self.fusions)}
            | {"sources": {name: dict(about) for name, about in self.sources.items()}}
            | (
                {}
                if self.scales is None
                else {"scales": {k: dict(v) for k, v in self.scales.items()}}
            )
        )


@dataclass(frozen=True)
class Rows:
    """Which image each row is of."""

    ids: Sequence[str]
    """Ids, each once."""
    labels: Sequence[str]
    """Names of classes; empty where not known."""
    splits: Sequence[str]
    """`train` or `val`."""
    classes: Sequence[str]
    """Names of all classes of the dataset."""
    subjects: Sequence[str] = ()
    """Person in each image, empty where nobody who is looked for; none at all of no people."""
    cameras: Sequence[str] = ()
    """Name of the camera of each; likewise."""
    roles: Sequence[str] = ()
    """`query` or `gallery` of each, or empty; likewise."""

    def table(self) -> tuple[Sequence[str], Iterator[tuple[str, ...]]]:
        """Return header and lines of `index.csv`: people's columns only where anything is known."""
        lists = [self.ids, self.labels, self.splits]
        people = [self.subjects, self.cameras, self.roles]
        if not any(any(values) for values in people):
            return COLUMNS, zip(*lists, strict=True)
        unknown = [""] * len(self.ids)
        lists += [values or unknown for values in people]
        return (*COLUMNS, *PEOPLE_COLUMNS), zip(*lists, strict=True)


def write_features(
    path: Path,
    rows: Rows,
    description: Description,
    arrays: Mapping[tuple[str, str], np.ndarray],
    *,
    bases: Mapping[tuple[str, str], np.ndarray] | None = None,
    failures: Sequence[Failure] = (),
) -> FeatureDirectory:
    """Write a directory of features that are in memory, and return it.

    Args:
        path: Directory; what it holds of another name is left alone.
        rows: The images.
        description: How the features were made.
        arrays: Features by source (or fusion) and layer.
        bases: What is in `basis.npz`, by source and name (`FeatureDirectory.bases`).
        failures: Images that could not be read, and so have no row.
    """
    (path / INDEX).unlink(missing_ok=True)
    write_text(path / SETTINGS, description.text())
    for (source, layer), array in arrays.items():
        with replacing(array_path(path, source, layer)) as temporary:
            np.save(temporary, np.ascontiguousarray(array, dtype=np.float32))
    complete(path, rows, bases=bases or {}, failures=failures)
    return open_features(path)


def complete(
    path: Path,
    rows: Rows,
    *,
    bases: Mapping[tuple[str, str], np.ndarray],
    sketches: Mapping[str, np.ndarray] | None = None,
    failures: Sequence[Failure] = (),
) -> None:
    """Write all but settings and features, the index last: the directory is whole then.

    Args:
        path: Directory.
        rows: The images.
        bases: What is in `basis.npz`.
        sketches: What is in `sketch.npz`: hashes and signs by name.
        failures: Images that could not be read.
    """
    write_text(path / CLASSES, "".join(f"{name}\n" for name in rows.classes))
    _write_archive(path / BASES, {"/".join(pair): array for pair, array in bases.items()})
    _write_archive(path / SKETCH, sketches or {})
    write_failures(path / FAILURES, failures)
    header, lines = rows.table()
    write_table(path / INDEX, header, lines)


def _write_archive(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays; nothing where there are none."""
    if not arrays:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as temporary:
        np.savez(temporary, **dict(arrays))  # type: ignore[arg-type]
