"""Runs that differ in their seeds alone, in one directory, and what they are worth together.

    runs/NAME/{config.toml, seed0/, seed1/, …}

`config.toml` holds the settings of the first run, and under `training_seeds` how many there are.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attncli.config.toml import SEVERAL, read
from attncli.errors import AttncliError
from attncli.files.runs import RunDirectory
from attncli.metrics.spread import mean_and_std
from attncli.reporting import Row

STD = "_std"
"""What the name of a figure's spread ends in."""


def seed_path(run: Path, seed: int) -> Path:
    """Return the directory of the run with one seed."""
    return run / f"seed{seed}"


def training_seeds(run: Path) -> Sequence[int]:
    """Return the seeds of the runs in a directory; none where it is of no several runs.

    Raises:
        AttncliError: Its `config.toml` says a number of runs, or a seed, that cannot be.
    """
    path = RunDirectory(run).config_path
    if not path.is_file():
        return ()
    written = read(path)
    if SEVERAL not in written:
        return ()
    count, first = written[SEVERAL], written.get("seed", 0)
    for name, value, least in ((SEVERAL, count, 1), ("seed", first, 0)):
        if type(value) is not int or value < least:
            what = f"{name} must be a whole number of at least {least}, not {value!r}"
            raise AttncliError(what, where=path, remedy="put it right, or train anew")
    return range(first, first + count)


def runs_of(run: Path) -> list[Path]:
    """Return the directories of the runs with one seed each; of any other directory, itself.

    Raises:
        AttncliError: One of them has not been begun.
    """
    paths = [seed_path(run, seed) for seed in training_seeds(run)]
    missing = [path.name for path in paths if not RunDirectory(path).config_path.is_file()]
    if missing:
        method = read(RunDirectory(run).config_path).get("method", "METHOD")
        raise AttncliError(
            f"{len(missing)} of {len(paths)} runs are not trained, such as {missing[0]}",
            where=run,
            remedy=f"go on: attncli train {method} --resume -o {run}",
        )
    return paths or [run]


def with_means(members: Mapping[Path, Sequence[Path]], rows: Iterable[Row]) -> list[Row]:
    """Return rows of runs, after those of each directory of several seeds their means and spreads.

    Args:
        members: The runs of each directory, as `runs_of` has them.
        rows: What the runs are worth, each with its `run`.
    """
    rows, made = list(rows), list[Row]()
    for path, own in members.items():
        names = {str(one) for one in own}
        found = [row for row in rows if row["run"] in names]
        made += found
        made += over_seeds(path, found) if training_seeds(path) else []
    return made


def over_seeds(run: Path, rows: Iterable[Row]) -> list[Row]:
    """Return what runs are worth together: means of their figures, and beside each its spread.

    A figure is a number with a fraction; what else all runs have alike is kept. Where a method
    answers with several rows, such as one a layer, those are taken together that are about the
    same.

    Args:
        run: Directory of all runs.
        rows: What each of them is worth, by keys of the file formats.

    Returns:
        One row, or one for each thing that rows are about, with `seeds`, the number of runs.
        Spreads that the rows had themselves, such as over random divisions, are not in it.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(_about(row), []).append(row)
    return [_summary(run, group) for group in groups.values()]


def _about(row: Row) -> tuple[object, ...]:
    return tuple((key, value) for key, value in row.items() if _is_text(key, value))


def _is_text(key: str, value: object) -> bool:
    return isinstance(value, str) and key != "run"


def _summary(run: Path, rows: Sequence[Row]) -> Row:
    made: Row = {"run": str(run), "seeds": len(rows)}
    for key in rows[0]:
        if key.endswith(STD) or not all(key in row for row in rows):
            continue
        values = [row[key] for row in rows]
        if any(isinstance(value, float) for value in values):
            made |= _spread(key, values)
        elif key not in made and len(set(values)) == 1:
            made[key] = values[0]
    return made


def _spread(key: str, values: Sequence[object]) -> Mapping[str, float | None]:
    """Return mean and spread of a figure; None where a run has none."""
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    mean, std = mean_and_std(numbers) if len(numbers) == len(values) else (None, None)
    return {key: mean, f"{key}{STD}": std}
