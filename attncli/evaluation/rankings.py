"""Rankings of a gallery by its distance to queries: their figures, and the nearest images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from attncli.errors import AttncliError
from attncli.evaluation.people import People, Search
from attncli.files.tables import write_table
from attncli.metrics.ranking import (
    JUNK,
    Ranking,
    RankingFigures,
    Sightings,
    Unmatched,
    cmc_percent,
    nearest,
)
from attncli.training.metric import Distance

CURVES = "cmc.csv"
"""In the evaluation of a split: a line a layer, source and rank."""
RANKINGS = "rankings"
"""Directory there: the nearest images of each query, a table a layer and source."""
CURVE_COLUMNS = ("layer", "source", "rank", "percent")
LIST_COLUMNS = ("query", "rank", "id", "identity", "camera", "right")
LONGEST = 50
"""Last rank of a curve."""
LISTED = 20
"""Images of a ranking that are kept."""
QUERIES_AT_ONCE = 256
"""Queries whose distances are in memory at a time."""

Key = tuple[str, str]
"""Layer and source of a feature."""
Line = tuple[str, int, str, str, str, int]
"""Query, rank, id, identity, camera, and whether it is right."""


@dataclass(frozen=True)
class Embedded:
    """What distances of a search are made of."""

    queries: np.ndarray
    """A row a query."""
    gallery: np.ndarray
    """A row an image of the gallery."""


@dataclass(frozen=True)
class Found:
    """What became of a search."""

    figures: RankingFigures
    """CMC and average precisions."""
    curve: Float64[np.ndarray, " k"]
    """CMC in percent at ranks 1 to `LONGEST`."""
    lists: Sequence[Line]
    """The nearest images of each query; none where nobody asked for them."""


def find(
    people: People,
    search: Search,
    distance: Distance,
    embedded: Embedded,
    *,
    unmatched: Unmatched = "skip",
    listed: int = LISTED,
) -> Found:
    """Rank the gallery for all queries, a block of them at a time.

    Args:
        people: All images.
        search: Which of them are queries, and which the gallery.
        distance: How far two images are apart.
        embedded: What it has made of them, in the order of the search.
        unmatched: What a query without a match counts for.
        listed: Images to keep of each ranking.

    Raises:
        AttncliError: No query has a match, or a distance is not a number.
    """
    gallery = people.sightings(search.gallery)
    ranking, lists = Ranking(gallery), list[Line]()
    for start in range(0, len(search.queries), QUERIES_AT_ONCE):
        rows = search.queries[start : start + QUERIES_AT_ONCE]
        probe = embedded.queries[start : start + QUERIES_AT_ONCE]
        distances = distance.between(probe, embedded.gallery)
        seen = people.sightings(rows)
        ranking.add(distances, seen)
        if listed:
            who = zip(rows, seen.identities, seen.cameras, distances, strict=True)
            for row, identity, camera, own in who:
                first = _nearest(own, int(identity), int(camera), gallery, listed)
                lists += _lines(people, int(row), search.gallery[first])
    try:
        figures = ranking.figures(unmatched)
    except AttncliError as error:
        raise AttncliError(str(error), where=people.where) from error
    return Found(figures, cmc_percent(ranking.ranked, LONGEST, unmatched), lists)


def write_lists(out: Path, key: Key, lists: Sequence[Line]) -> None:
    """Write the nearest images of each query below the evaluation of a split."""
    layer, source = key
    write_table(out / RANKINGS / source / f"{layer}.csv", LIST_COLUMNS, lists)


def write_curves(out: Path, curves: Mapping[Key, Float64[np.ndarray, " k"]]) -> None:
    """Write the CMC of features into the evaluation of a split."""
    lines = [
        (*key, rank, percent)
        for key, curve in curves.items()
        for rank, percent in enumerate(curve.tolist(), start=1)
    ]
    write_table(out / CURVES, CURVE_COLUMNS, lines)


def _nearest(
    distances: Float64[np.ndarray, " g"],
    identity: int,
    camera: int,
    gallery: Sightings,
    count: int,
) -> Int64[np.ndarray, " _"]:
    """Return the rows of the first images of a ranking; only so many are sorted as may be these."""
    same = (gallery.identities == identity) & (gallery.cameras == camera)
    n_left_out = np.count_nonzero(same | (gallery.identities == JUNK))
    last = min(count + int(n_left_out), len(distances)) - 1
    rows = np.flatnonzero(distances <= np.partition(distances, last)[last])
    nearby = Sightings(gallery.identities[rows], gallery.cameras[rows])
    return rows[nearest(distances[rows], identity, camera, nearby, count=count)]


def _lines(people: People, query: int, rows: Int64[np.ndarray, " _"]) -> list[Line]:
    name = people.names[query]
    return [
        (
            people.ids[query],
            rank,
            people.ids[row],
            people.names[row],
            people.cameras[row],
            int(people.names[row] == name),
        )
        for rank, row in enumerate(rows.tolist(), start=1)
    ]
