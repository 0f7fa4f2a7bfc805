"""Affinities: how well a network tells which cells of an image belong together.

`eval/SPLIT/pairs.csv` gets the number of pairs of each kind, their mean affinity, and how many are
told rightly: an affinity above 0.5 of cells of one class, one of at most 0.5 of others. The kinds
are those of the training (J. Ahn, S. Kwak, CVPR 2018), by true label maps.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from torch import Tensor
from torch.nn import functional

from attncli.batches import ImageBatch
from attncli.config.ssdd import CELL_PX
from attncli.data.images.batches import TRUTH
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.files.tables import write_table
from attncli.reporting import Row

KINDS = ("foreground", "background", "different")
"""Pairs of one class, pairs of background, and pairs of two classes."""
THRESHOLD = 0.5
"""Affinity above which cells are said to belong together."""

Table = Float64[np.ndarray, "3 3"]
"""Of each of `KINDS` the number of pairs, the sum of affinities, and how many are told rightly."""
Share = tuple[int, int, Table]
"""What one process knows: images, those of them without a label map, and the table of pairs."""


@runtime_checkable
class AffinityLike(Protocol):
    """A network that holds cells of 8x8 pixels against their neighbours."""

    def affinities(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b p"]:
        """Return the affinity of each pair of cells, in [0, 1]."""
        ...

    def pair_kinds(self, labels: UInt8[Tensor, "b h w"]) -> Mapping[str, Bool[Tensor, "b p"]]:
        """Return which pairs of cells are of which of `KINDS`."""
        ...


class Affinities:
    """What is made of images whose cells are held against each other.

    Args:
        asked: The images.
    """

    logged: ClassVar[tuple[str, ...]] = ("pairs_right",)
    best: ClassVar[str | None] = "pairs_right"

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._n_images = 0
        self._n_unlabelled = 0
        self._table: Table = np.zeros((len(KINDS), 3))

    def __enter__(self) -> "Affinities":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def ask(self, network: AffinityLike, batch: ImageBatch) -> Float64[Tensor, "3 3"]:
        """Return the table of a batch's pairs; of images without a label map nothing is asked."""
        truth = batch.label_maps.get(TRUTH)
        if truth is None:
            return torch.zeros(len(KINDS), 3, dtype=torch.float64)
        kinds = network.pair_kinds(cell_labels(truth))
        affinities = network.affinities(batch.images).double()
        rows = []
        for name in KINDS:
            own = affinities[kinds[name]]
            right = own <= THRESHOLD if name == "different" else own > THRESHOLD
            rows.append(torch.stack([torch.ones_like(own).sum(), own.sum(), right.double().sum()]))
        return torch.stack(rows)

    def add(self, batch: ImageBatch, outputs: Float64[Tensor, "3 3"]) -> None:
        """Add up the tables of batches.

        Raises:
            AttncliError: Affinities are not finite, where weights are named that have to answer so.
        """
        if self.asked.weights is not None and not outputs.isfinite().all():
            raise AttncliError(
                "these weights give affinities that are not finite",
                where=self.asked.weights,
                remedy="try --precision fp32 or another --checkpoint",
            )
        rows = batch.rows.tolist()
        self._n_images += len(rows)
        self._n_unlabelled += sum(self.asked.samples[row].label_map is None for row in rows)
        self._table = self._table + outputs.cpu().numpy()

    def share(self) -> Share:
        """Return the numbers of this process."""
        return self._n_images, self._n_unlabelled, self._table

    def figures(self, shares: Sequence[Share]) -> Mapping[str, float]:
        """Return `pairs_right` in percent; nothing where there is no such figure."""
        right = pairs_right_percent(_added(shares))
        return {} if right is None else {"pairs_right": right}

    def write(self, shares: Sequence[Share], failures: Sequence[Failure], out: Path) -> Row:
        """Write the figures of each kind of pairs."""
        table = _added(shares)
        means, right = (_ratios(table[:, column], table[:, 0]) for column in (1, 2))
        lines = [
            [kind, int(n), *("" if value is None else value for value in values)]
            for kind, n, *values in zip(KINDS, table[:, 0], means, _percents(right), strict=True)
        ]
        write_table(out / "pairs.csv", ("kind", "pairs", "mean_affinity", "right"), lines)
        return {
            "images": sum(n for n, _, _ in shares),
            "failed": len(failures),
            "unlabelled": sum(n for _, n, _ in shares),
            "pairs_right": pairs_right_percent(table),
            **{f"affinity_{kind}": mean for kind, mean in zip(KINDS, means, strict=True)},
        }


def cell_labels(truth: UInt8[Tensor, "b h w"]) -> UInt8[Tensor, "b hf wf"]:
    """Return the label that most pixels of each cell have, 255 among them; of equals the lowest.

    Args:
        truth: Label of each pixel; the last cells of rows and columns may have fewer than 8x8.
    """
    labels = torch.unique(truth)
    shares = [
        functional.avg_pool2d((truth == label).float(), CELL_PX, ceil_mode=True) for label in labels
    ]
    return labels[torch.stack(shares).argmax(dim=0)]


def pairs_right_percent(table: Table) -> float | None:
    """Return how many pairs are told rightly, as the training weighs them.

    Half of the figure is the mean of pairs of one class and of background, where there are any of
    both, half are pairs of different classes: to call all pairs alike makes 50.

    Args:
        table: Pairs by kind; see `Table`.

    Returns:
        A percentage; None where no pair belongs together, or none does not.
    """
    shares = _ratios(table[:, 2], table[:, 0])
    alike = [share for share in shares[:2] if share is not None]
    different = shares[2]
    if not alike or different is None:
        return None
    return 100 * (sum(alike) / len(alike) + different) / 2


def _ratios(
    part: Float64[np.ndarray, " n"], whole: Float64[np.ndarray, " n"]
) -> list[float | None]:
    return [p / w if w else None for p, w in zip(part.tolist(), whole.tolist(), strict=True)]


def _percents(shares: Sequence[float | None]) -> list[float | None]:
    return [None if share is None else 100 * share for share in shares]


def _added(shares: Sequence[Share]) -> Table:
    return np.stack([table for _, _, table in shares]).sum(axis=0)
