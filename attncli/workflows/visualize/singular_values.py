"""Draw how few dimensions hold most of the class representatives of the sources of features."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError
from attncli.files.features import SINGULAR_VALUES, open_features
from attncli.methods.svd_fc.basis import share_of_dimensions
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.singular_values import MARKED, Spectrum, draw_singular_values
from attncli.workflows.visualize.picture import figure_of


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw the singular values of the last weight of each source, and what few of them hold.

    The table beside the figure has every singular value.

    Args:
        config: Where it is drawn, and how large.
        runs: One feature directory.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a source: how many singular values there are, which percent of the dimensions holds
        80 % of them and of their squares, and which percent of both half of the dimensions holds.

    Raises:
        UsageError: No figure has such a suffix.
        AttncliError: The directory holds no singular values.
    """
    picture = figure_of(config, overwrite=overwrite)
    sources = _open(runs[0])
    rows = [_row(shown) for shown in sources]
    if dry_run:
        return picture.planned(rows)
    picture.claim()
    figure = draw_singular_values(sources, width_in=config.layout_in, dpi=config.dpi)
    table = pd.concat([_table(shown) for shown in sources])
    picture.save(figure, table, [shown.name for shown in sources], reporter)
    return Outcome(rows=rows)


def _open(path: Path) -> list[Spectrum]:
    """Return the singular values of the sources that have any.

    Raises:
        AttncliError: None has, or one has some that cannot be.
    """
    features = open_features(path)
    bases = features.bases()
    keys = [
        (name, SINGULAR_VALUES) for name in features.sources if (name, SINGULAR_VALUES) in bases
    ]
    if not keys:
        remedy = "extract svd-fc or svd-cam, which are made of them"
        raise AttncliError("holds no singular values", where=path, remedy=remedy)
    return [_spectrum(name, bases[name, which], path) for name, which in keys]


def _spectrum(name: str, values: np.ndarray, path: Path) -> Spectrum:
    falls = values.ndim == 1 and values.size > 0 and bool((np.diff(values) <= 0).all())
    if not falls or not np.isfinite(values).all() or values[0] <= 0 or values[-1] < 0:
        what = f"singular values of {name} do not fall from a positive number"
        raise AttncliError(what, where=path, remedy="extract the features anew")
    exact = values.astype(np.float64)
    one, two = (share_of_dimensions(exact, share=MARKED, power=power) for power in (1, 2))
    return Spectrum(name, exact, (one, two))


def _row(shown: Spectrum) -> Row:
    one, two = shown.dimensions_80
    return {
        "source": shown.name,
        "singular_values": len(shown.values),
        "dimensions_80_percent": 100 * one,
        "dimensions_80_squared_percent": 100 * two,
        "half_holds_percent": 100 * shown.held_by_half(1),
        "half_holds_squared_percent": 100 * shown.held_by_half(2),
    }


def _table(shown: Spectrum) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "source": shown.name,
            "number": np.arange(1, len(shown.values) + 1),
            "share_of_dimensions": shown.dimensions,
            "singular_value": shown.values,
            "over_largest": shown.over_largest,
            "cumulated": shown.cumulated(1),
            "cumulated_squared": shown.cumulated(2),
        }
    )
