"""Identities: how well people are found again by what a network makes of their images.

Into `eval/SPLIT/` go `cmc.csv` (layer, source, rank, percent) and the nearest images of each query
in `rankings/network/stripes.csv` (query, rank, id, identity, camera, right).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from attncli.batches import ImageBatch
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.evaluation.distances import Cosine, unit_rows
from attncli.evaluation.people import multi_queries, people_of_samples, search_among
from attncli.evaluation.rankings import (
    LISTED,
    Embedded,
    Found,
    Key,
    find,
    write_curves,
    write_lists,
)
from attncli.reporting import Row

KEY: Key = ("stripes", "network")
"""Layer and source that a network's test feature is called."""
Share = tuple[Int64[np.ndarray, " _"], Float32[np.ndarray, "_ _"]]
"""What one process knows: rows, and features of length 1."""


@runtime_checkable
class PeopleLike(Protocol):
    """A network that makes features of people."""

    def test_feature(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return what images of people are ranked by."""
        ...


class Identities:
    """What is made of images of people.

    Args:
        asked: The images.
    """

    logged: ClassVar[tuple[str, ...]] = ("rank1", "map")
    best: ClassVar[str | None] = "rank1"

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self._parts: list[Share] = []

    def __enter__(self) -> "Identities":
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def ask(self, network: PeopleLike, batch: ImageBatch) -> Float[Tensor, "b d"]:
        """Return the features of a batch."""
        return network.test_feature(batch.images)

    def add(self, batch: ImageBatch, outputs: Float[Tensor, "b d"]) -> None:
        """Keep features, scaled to length 1.

        Raises:
            AttncliError: Features are not finite, where weights are named that have to answer so.
        """
        features = outputs.float().cpu()
        if self.asked.weights is not None and not features.isfinite().all():
            raise AttncliError(
                "these weights give features that are not finite",
                where=self.asked.weights,
                remedy="try --precision fp32 or another --checkpoint",
            )
        numbers = torch.nan_to_num(features).numpy()  # of a training that came off the road
        self._parts.append((batch.rows.numpy(), unit_rows(numbers)))

    def share(self) -> Share:
        """Return the features of this process."""
        return _joined(self._parts)

    def figures(self, shares: Sequence[Share]) -> Mapping[str, float]:
        """Return `rank1` and `map` in percent; none where nobody can be found again."""
        try:
            found = self._found(shares, listed=0).figures
        except AttncliError:  # images that could not be read may have been all of somebody's
            return {}
        return {"rank1": found.rank1, "map": found.map}

    def write(self, shares: Sequence[Share], failures: Sequence[Failure], out: Path) -> Row:
        """Write match curve and ranked lists.

        Raises:
            AttncliError: Nobody is looked for, or nobody can be found again.
        """
        found = self._found(shares, listed=LISTED)
        write_curves(out, {KEY: found.curve})
        write_lists(out, KEY, found.lists)
        n_images = sum(len(rows) for rows, _ in shares)
        return {"images": n_images, "failed": len(failures), **asdict(found.figures)}

    def _found(self, shares: Sequence[Share], *, listed: int) -> Found:
        rows, features = _joined(shares)
        samples = self.asked.samples
        where = samples[0].path.parent if samples else Path()
        people = people_of_samples([samples[row] for row in rows], where)
        search = search_among(people, np.arange(len(rows)))
        queries = features[search.queries]
        if self.asked.multi_query:
            several = multi_queries(people, search)
            means = [features[rows].mean(axis=0) for rows in several.groups]
            queries, search = unit_rows(np.stack(means)), several.search
        embedded = Embedded(queries, features[search.gallery])
        ways: Any = {"unmatched": self.asked.unmatched, "listed": listed}
        return find(people, search, Cosine(), embedded, **ways)


def _joined(parts: Sequence[Share]) -> Share:
    """Return rows and features of all parts, in the order of the dataset."""
    known = [part for part in parts if len(part[0])]
    if not known:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    rows = np.concatenate([rows for rows, _ in known])
    order = np.argsort(rows)
    return rows[order], np.concatenate([features for _, features in known])[order]
