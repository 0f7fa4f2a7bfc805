"""How well people are found again: CMC and two average precisions of one ranking.

L. Zheng et al., "Scalable Person Re-identification: A Benchmark" (ICCV 2015). A query is a person
seen by one camera; the gallery is ranked by its distance to the query. Gallery images of the
query's person by the query's own camera are left out, and so is junk (identity -1); distractors
(identity 0) stay, and are always wrong. With h right images, at the ranks r_1 < ... < r_h:

=================  ==============================================================================
CMC at k           share of queries with r_1 <= k
`ap`               mean of the precisions j / r_j at the hits, as most papers have it
`ap_official`      the area under precision over recall by trapezoids, as Market-1501's own code
                   has it: mean of ((j - 1) / (r_j - 1) + j / r_j) / 2, the first term 1 at rank 1
=================  ==============================================================================

Of images as far from the query as one another the wrong ones come first, so that no figure depends
on the order of the gallery. No ranking is sorted out for that: the rank of a hit is the number of
images that are not farther, less the hits after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from attncli.errors import AttncliError

JUNK = -1
"""Identity of images that count neither for nor against."""
DISTRACTOR = 0
"""Identity of images that show nobody who is looked for."""
RANKS = (1, 5, 10, 20)
"""Ranks k whose CMC is a figure of its own."""
FEW = 64
"""Hits up to which counting takes less time than sorting the gallery."""

Unmatched = Literal["skip", "zero"]
"""What a query without a match counts for: nothing, or 0."""


@dataclass(frozen=True)
class Sightings:
    """Who is seen, and by which camera."""

    identities: Int64[np.ndarray, " _"]
    """Person in each image, from 1 on; `JUNK` and `DISTRACTOR` in a gallery."""
    cameras: Int64[np.ndarray, " _"]
    """Camera that took each image."""

    def __post_init__(self) -> None:
        if len(self.identities) != len(self.cameras):
            raise ValueError("each image has one identity and one camera")

    def __len__(self) -> int:
        return len(self.identities)


@dataclass(frozen=True)
class Ranked:
    """What became of each query."""

    first_rank: Int64[np.ndarray, " q"]
    """Rank of the first hit, from 1 on; 0 of a query that has no match in the gallery."""
    ap: Float64[np.ndarray, " q"]
    """Mean precision at the hits, in [0, 1]; 0 without a match."""
    ap_official: Float64[np.ndarray, " q"]
    """Market-1501's average precision, in [0, 1]; 0 without a match."""

    def __len__(self) -> int:
        return len(self.first_rank)

    @property
    def has_match(self) -> Bool[np.ndarray, " q"]:
        """Whether the gallery has the person of each query, taken by another camera."""
        return self.first_rank > 0

    @classmethod
    def joined(cls, parts: Sequence["Ranked"]) -> "Ranked":
        """Return the queries of all parts, one after another."""
        nothing = cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        columns = (field.name for field in fields(cls))
        every = [nothing, *parts]
        return cls(*(np.concatenate([getattr(part, name) for part in every]) for name in columns))


@dataclass(frozen=True)
class RankingFigures:
    """Figures of a ranking, shares in percent."""

    rank1: float
    """CMC at 1: share of queries whose nearest image is right."""
    rank5: float
    """CMC at 5."""
    rank10: float
    """CMC at 10."""
    rank20: float
    """CMC at 20."""
    map: float
    """Mean of `Ranked.ap`."""
    map_official: float
    """Mean of `Ranked.ap_official`."""
    queries: int
    """Queries, those without a match among them."""
    queries_without_match: int
    """Queries whose person is in the gallery by no other camera."""


class Ranking:
    """Ranks a gallery for block after block of queries; only what became of them is kept.

    Args:
        gallery: The images that queries are compared with.
    """

    def __init__(self, gallery: Sightings) -> None:
        self._kept = np.flatnonzero(gallery.identities != JUNK)
        self._n = len(gallery)
        self._gallery = Sightings(gallery.identities[self._kept], gallery.cameras[self._kept])
        self._order = np.argsort(self._gallery.identities, kind="stable")
        self._sorted_identities = self._gallery.identities[self._order]
        self._cameras = set(np.unique(gallery.cameras).tolist())
        self._blocks: list[Ranked] = []

    def add(self, distances: Float[np.ndarray, "q g"], queries: Sightings) -> Ranked:
        """Rank the gallery for more queries, and return what became of these.

        Args:
            distances: Distance of each query (rows) to each gallery image, lower is closer.
            queries: Who is looked for.

        Raises:
            AttncliError: A distance is not a number, or a query is junk or a distractor.
            ValueError: There are not as many distances as images.
        """
        self._check(distances, queries)
        rows = enumerate(zip(queries.identities, queries.cameras, strict=True))
        ranks = [self._hit_ranks(distances[row], *person) for row, person in rows]
        block = Ranked(
            np.array([found[0] if len(found) else 0 for found in ranks], np.int64),
            np.array([average_precision(found) for found in ranks], np.float64),
            np.array([official_average_precision(found) for found in ranks], np.float64),
        )
        self._cameras.update(np.unique(queries.cameras).tolist())
        self._blocks.append(block)
        return block

    @property
    def ranked(self) -> Ranked:
        """What became of all queries so far."""
        return Ranked.joined(self._blocks)

    def figures(self, unmatched: Unmatched = "skip") -> RankingFigures:
        """Return the figures of all queries so far.

        Args:
            unmatched: What a query without a match counts for.

        Raises:
            AttncliError: No query has a match.
        """
        if len(self._cameras) == 1:
            what = "all images are of one camera, so that no query has a match"
            raise AttncliError(what, remedy="take a gallery with images of another camera")
        return ranking_figures(self.ranked, unmatched)

    def _check(self, distances: Float[np.ndarray, "q g"], queries: Sightings) -> None:
        if distances.shape != (len(queries), self._n):
            raise ValueError("each query has one distance to each gallery image")
        if np.isnan(distances.min(initial=np.inf)):
            what = "a distance between query and gallery is not a number"
            raise AttncliError(what, remedy="look for features that are not finite")
        if (queries.identities <= DISTRACTOR).any():
            what = f"a query has identity {queries.identities.min()}, which is nobody to look for"
            raise AttncliError(what, remedy="take it out of the queries")

    def _hit_ranks(
        self, distances: Float[np.ndarray, " g"], identity: np.int64, camera: np.int64
    ) -> Int64[np.ndarray, " h"]:
        """Return the ranks of the right images of a query, in ascending order."""
        ends = (np.searchsorted(self._sorted_identities, identity, side) for side in _SIDES)
        of_person = self._order[slice(*ends)]
        is_right = self._gallery.cameras[of_person] != camera
        if not is_right.any():
            return np.zeros(0, np.int64)
        kept = distances if len(self._kept) == self._n else distances[self._kept]
        same = kept[of_person]
        hits = np.sort(same[is_right])
        wrong = _not_farther(kept, hits) - _not_farther(same, hits)
        return wrong + np.arange(1, len(hits) + 1)


_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


def average_precision(ranks: Int64[np.ndarray, " h"]) -> float:
    """Return the mean precision at the hits; 0 without any.

    Args:
        ranks: Ranks of the hits, from 1 on, in ascending order.

    >>> round(average_precision(np.array([2, 3])), 4)
    0.5833
    """
    return float(_precisions(ranks).mean()) if len(ranks) else 0.0


def official_average_precision(ranks: Int64[np.ndarray, " h"]) -> float:
    """Return the average precision of Market-1501's own code; 0 without any hit.

    Each hit adds a trapezoid between the precision at its rank and at the rank before, which is 1
    before the first.

    Args:
        ranks: Ranks of the hits, from 1 on, in ascending order.

    >>> round(official_average_precision(np.array([2, 3])), 4)
    0.4167
    """
    if not len(ranks):
        return 0.0
    before = np.where(ranks == 1, 1.0, np.arange(len(ranks)) / np.maximum(ranks - 1, 1))
    return float((before + _precisions(ranks)).mean() / 2)


def cmc_percent(
    ranked: Ranked, longest: int, unmatched: Unmatched = "skip"
) -> Float64[np.ndarray, " k"]:
    """Return the share of queries with a hit among the first 1, 2, ... `longest` images.

    Args:
        ranked: What became of the queries.
        longest: The last rank of the curve; a gallery may have fewer images.
        unmatched: What a query without a match counts for.

    Raises:
        AttncliError: No query has a match.
    """
    first = _counted(ranked, unmatched).first_rank
    hits = np.bincount(first[(first > 0) & (first <= longest)], minlength=longest + 1)
    return 100 * np.cumsum(hits[1:]) / len(first)


def ranking_figures(ranked: Ranked, unmatched: Unmatched = "skip") -> RankingFigures:
    """Return the figures of queries.

    Args:
        ranked: What became of them.
        unmatched: What a query without a match counts for; both counts of queries are of all.

    Raises:
        AttncliError: No query has a match.
    """
    counted = _counted(ranked, unmatched)
    curve = cmc_percent(ranked, max(RANKS), unmatched)
    rank1, rank5, rank10, rank20 = (float(curve[rank - 1]) for rank in RANKS)
    return RankingFigures(
        rank1=rank1,
        rank5=rank5,
        rank10=rank10,
        rank20=rank20,
        map=100 * float(counted.ap.mean()),
        map_official=100 * float(counted.ap_official.mean()),
        queries=len(ranked),
        queries_without_match=len(ranked) - int(ranked.has_match.sum()),
    )


def nearest(
    distances: Float[np.ndarray, " g"],
    identity: int,
    camera: int,
    gallery: Sightings,
    *,
    count: int,
) -> Int64[np.ndarray, " _"]:
    """Return the rows of the first images of a query's ranking, as `Ranking` counts them.

    Args:
        distances: Distance of the query to each gallery image.
        identity: Who is looked for.
        camera: Camera that took the query.
        gallery: The gallery, junk and the query's own camera among it.
        count: Number of images; fewer where fewer are left.
    """
    same = gallery.identities == identity
    left_out = (gallery.identities == JUNK) | (same & (gallery.cameras == camera))
    rows = np.flatnonzero(~left_out)
    return rows[np.lexsort((same[rows], distances[rows]))[:count]]


def without_rounding(
    distances: Float64[np.ndarray, "q g"], scales: Float64[np.ndarray, " q"]
) -> Float64[np.ndarray, "q g"]:
    """Return distances whose last digits, which are nothing but rounding, are left out.

    A matrix product may give images with the same features distances that differ in the last
    digits, by where they stand in the gallery. Distances become multiples of 2^-32 of the power of
    two above the scale: such images are equally far, wherever they stand.

    Args:
        distances: Distances of each query (a row).
        scales: Size of the numbers that a row's distances are differences of, at least 0.
    """
    _, exponents = np.frexp(scales)
    steps = np.ldexp(1.0, exponents - ROUNDING_BITS)[:, None]
    return np.round(distances / steps) * steps


ROUNDING_BITS = 32
"""Binary digits that are kept of distances; a matrix product has some 45 of them right."""


def _counted(ranked: Ranked, unmatched: Unmatched) -> Ranked:
    if not ranked.has_match.any():
        what = "no query has its person in the gallery by another camera"
        raise AttncliError(what, remedy="take a gallery with images of the queries' people")
    if unmatched == "zero":
        return ranked
    return Ranked(*_rows(ranked, ranked.has_match))


def _rows(ranked: Ranked, chosen: Bool[np.ndarray, " q"]) -> Iterator[np.ndarray]:
    return (getattr(ranked, field.name)[chosen] for field in fields(ranked))


def _precisions(ranks: Int64[np.ndarray, " h"]) -> Float64[np.ndarray, " h"]:
    return np.arange(1, len(ranks) + 1) / ranks


def _not_farther(
    distances: Float[np.ndarray, " _"], limits: Float[np.ndarray, " h"]
) -> Int64[np.ndarray, " h"]:
    """Return how many distances are at most each limit."""
    if len(limits) > FEW:
        return np.searchsorted(np.sort(distances), limits, side="right").astype(np.int64)
    return np.array([np.count_nonzero(distances <= limit) for limit in limits], np.int64)
