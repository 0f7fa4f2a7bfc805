"""What the evaluation of people's features wrote: match curves, and the nearest images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError
from attncli.evaluation.rankings import CURVE_COLUMNS, CURVES, LIST_COLUMNS, RANKINGS
from attncli.files.runs import RunDirectory
from attncli.files.tables import read_cells, whole_number
from attncli.visualization.selection import known_name
from attncli.workflows.visualize.attention import names_of

TRUTHS = {"1": True, "true": True, "0": False, "false": False}
"""How tables write whether something is right."""
Key = tuple[str, str]
"""Layer and source of a feature."""


@dataclass(frozen=True)
class Identified:
    """How well people are found again by the features of a run, or by features as they are."""

    path: Path
    """The run, or the feature directory."""
    name: str
    """What it is called."""
    split: str
    """Which images were looked for."""

    @property
    def directory(self) -> Path:
        """Where its evaluation is."""
        return RunDirectory(self.path).evaluation_path(self.split)

    @property
    def remedy(self) -> str:
        """What to do where there is none."""
        return f"make them: attncli eval {self.path} --split {self.split}"

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Layer, source, rank (int) and percent (float), as `cmc.csv` has them.

        Raises:
            AttncliError: There is none, or it is no such table.
        """
        path = self.directory / CURVES
        if not path.is_file():
            what = f"holds no rankings of split {self.split!r}"
            raise AttncliError(what, where=self.path, remedy=self.remedy)
        lines = _read(path, CURVE_COLUMNS, self.remedy)
        for name, parse in (("rank", whole_number), ("percent", float)):
            lines[name] = _parsed(lines[name], parse, path, "a number")
        return lines

    @property
    def keys(self) -> list[Key]:
        """Layers and sources, in the order of `cmc.csv`."""
        pairs = zip(self.curves["layer"], self.curves["source"], strict=True)
        return list(dict.fromkeys((str(layer), str(source)) for layer, source in pairs))

    def curve(self, key: Key) -> pd.DataFrame:
        """Return the lines of one feature, in rising order of ranks."""
        lines = self.curves
        own = lines[(lines["layer"] == key[0]) & (lines["source"] == key[1])]
        return own.sort_values("rank")

    @property
    def best(self) -> Key:
        """The feature that finds most people at the first rank; the first of those that tie."""
        return max(self.keys, key=lambda key: float(self.curve(key)["percent"].iloc[0]))

    def chosen(self, layers: Sequence[str], usual: Sequence[Key]) -> list[Key]:
        """Return the features of these layers, of all sources; `usual` where none is named.

        Raises:
            UsageError: There is no such layer.
        """
        if not layers:
            return list(usual)
        known = list(dict.fromkeys(layer for layer, _ in self.keys))
        wanted = [known_name(layer, known, "--layer") for layer in layers]
        return [key for layer in wanted for key in self.keys if key[0] == layer]

    def ranking(self, key: Key) -> pd.DataFrame:
        """Return query, rank (int), id, identity, camera and right (bool), a line an image found.

        Raises:
            AttncliError: There is no such table, or nothing is in it.
        """
        layer, source = key
        path = self.directory / RANKINGS / source / f"{layer}.csv"
        if not path.is_file():
            what = f"holds no ranking by {layer} of {source}"
            raise AttncliError(what, where=self.path, remedy=self.remedy)
        lines = _read(path, LIST_COLUMNS, self.remedy)
        lines["rank"] = _parsed(lines["rank"], whole_number, path, "a number")
        lines["right"] = _parsed(
            lines["right"], lambda cell: TRUTHS[cell.lower()], path, "true or false"
        )
        return lines.sort_values(["rank"], kind="stable")


def open_identified(runs: Sequence[Path], config: VisualizeConfig) -> list[Identified]:
    """Return what runs came to, each under its name.

    Raises:
        UsageError: There is not one name a run.
    """
    names = names_of(runs, config.names)
    return [Identified(*pair, config.split) for pair in zip(runs, names, strict=True)]


def _read(path: Path, columns: Sequence[str], remedy: str) -> pd.DataFrame:
    cells = read_cells(path, remedy=remedy)
    header = cells.iloc[0].tolist() if len(cells) else []
    for name in columns:
        if header.count(name) != 1:
            raise AttncliError(f"has no column {name!r}", where=path, remedy=remedy)
    lines = cells.iloc[1:].set_axis(header, axis="columns")[list(columns)]
    if lines.empty:
        raise AttncliError("holds nothing", where=path, remedy=remedy)
    return lines


def _parsed(
    cells: "pd.Series[Any]", parse: Callable[[str], Any], path: Path, what: str
) -> list[Any]:
    """Return what cells say.

    Raises:
        AttncliError: One says nothing of the kind.
    """
    values = []
    for line, cell in cells.items():
        try:
            values.append(parse(cell))
        except (ValueError, KeyError):
            where, remedy = f"{path}, line {line}", "evaluate the run again"
            raise AttncliError(f"{cell!r} is not {what}", where=where, remedy=remedy) from None
    return values
