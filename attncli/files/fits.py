"""Estimators on disk: what each fit learnt, in files of its own and then all in one.

A file holds arrays (`SPLIT/SOURCE/LAYER/NAME`) and, in its metadata, what there is to tell of each
fit. All of them together are the `model.safetensors` of a run; `fits.csv` says the same of them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from attncli.errors import AttncliError
from attncli.files.atomic import replacing
from attncli.files.tables import write_table
from attncli.files.tensors import unreadable
from attncli.files.text import parse_json
from attncli.reporting import Row

REMEDY = "train the run anew"


@dataclass(frozen=True)
class Fit:
    """One estimator that was fitted."""

    split: int
    """Number of the division of images; 0 for the dataset's own."""
    layer: str
    """Layer of its features."""
    source: str
    """Their source, or the fusion."""
    n_train: int
    """Training images."""
    n_dims: int
    """Numbers of each."""
    facts: Row = field(default_factory=dict)
    """What else there is to tell of it."""

    @property
    def key(self) -> str:
        """What its arrays' names begin with."""
        return f"{self.split}/{self.source}/{self.layer}"


@dataclass(frozen=True)
class Fits:
    """A file of fits; arrays are read as they are asked for."""

    path: Path
    """The file."""
    fits: tuple[Fit, ...]
    """What there is to tell of them."""
    origin: Mapping[str, str]
    """Which method made them, and of which features."""

    def state(self, fit: Fit) -> dict[str, np.ndarray]:
        """Return what a fit learnt.

        Raises:
            AttncliError: The file is damaged, or does not hold it.
        """
        prefix = f"{fit.key}/"
        try:
            with safe_open(self.path, framework="numpy") as file:
                names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
                return {name.removeprefix(prefix): file.get_tensor(name) for name in names}
        except (OSError, SafetensorError) as error:
            raise unreadable(self.path, error) from error


def write_fit(
    path: Path, fit: Fit, state: Mapping[str, np.ndarray], origin: Mapping[str, str]
) -> None:
    """Write one fit.

    Args:
        path: File to write.
        fit: What there is to tell of it.
        state: What it learnt.
        origin: Which method made it, and of which features.
    """
    _write(path, [fit], {f"{fit.key}/{name}": array for name, array in state.items()}, origin)


def join_fits(path: Path, parts: Sequence[Path]) -> tuple[Fit, ...]:
    """Write the fits of several files into one, in their order, and return them.

    Raises:
        AttncliError: A file is damaged.
    """
    opened = [open_fits(part) for part in parts]
    fits = [fit for one in opened for fit in one.fits]
    arrays = {
        f"{fit.key}/{name}": array
        for one in opened
        for fit in one.fits
        for name, array in one.state(fit).items()
    }
    _write(path, fits, arrays, opened[0].origin)
    return tuple(fits)


def open_fits(path: Path) -> Fits:
    """Return a file of fits.

    Raises:
        AttncliError: There is none, or it is damaged or another file.
    """
    if not path.is_file():
        raise AttncliError("no such fits", where=path, remedy="train the run to its end")
    try:
        path.open("rb").close()  # safetensors takes a file it may not read for none
        with safe_open(path, framework="numpy") as file:
            metadata = (file.metadata() or {}).get("attncli", "{}")
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error
    content = parse_json(metadata, where=path, remedy=REMEDY)
    try:
        fits = tuple(Fit(**one) for one in content.pop("fits"))
    except (AttributeError, KeyError, TypeError) as error:
        raise AttncliError("holds no fits of features", where=path, remedy=REMEDY) from error
    return Fits(path, fits, content)


def write_fit_table(path: Path, fits: Sequence[Fit]) -> None:
    """Write what there is to tell of fits as CSV, a row each."""
    own = [one.name for one in fields(Fit) if one.name != "facts"]
    facts = list(dict.fromkeys(name for fit in fits for name in fit.facts))
    lines = [
        [*(getattr(fit, name) for name in own), *(fit.facts.get(name) for name in facts)]
        for fit in fits
    ]
    write_table(path, (*own, *facts), lines)


def _write(
    path: Path,
    fits: Sequence[Fit],
    arrays: Mapping[str, np.ndarray],
    origin: Mapping[str, str],
) -> None:
    """Write arrays; the metadata are one entry, as several would be in another order each time."""
    about = json.dumps({**origin, "fits": [asdict(fit) for fit in fits]}, ensure_ascii=False)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(whole, metadata={"attncli": about}))
