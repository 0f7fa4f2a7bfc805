"""CMC and mAP of a gallery: ours against the usual loop over sorted rankings; prints JSON.

    OMP_NUM_THREADS=1 python tests/benchmarks/ranking.py [--queries 3368] [--gallery 15913]

Sizes are Market-1501's. The rival sorts the whole gallery for all queries at once and then looks at
one ranking after another, as torchreid's evaluation in Python does; it is timed and compared on the
same distances, in turns; the median of the turns' ratios counts. It has no `map_official`: ours is
measured with it.
"""

import argparse
import json
import statistics
import time

import numpy as np

from attncli.metrics.ranking import Ranking, RankingFigures, Sightings

LONGEST = 50


def sorted_loop(
    distances: np.ndarray, queries: Sightings, gallery: Sightings
) -> tuple[np.ndarray, float]:
    """Return CMC and mAP in percent, by the published arithmetic: skip, cut, accumulate."""
    order = np.argsort(distances, axis=1)
    is_match = (gallery.identities[order] == queries.identities[:, None]).astype(np.int32)
    curves, precisions = [], []
    for row in range(len(queries)):
        identity, camera = queries.identities[row], queries.cameras[row]
        identities, cameras = gallery.identities[order[row]], gallery.cameras[order[row]]
        hits = is_match[row][~((identities == identity) & (cameras == camera))]
        if not hits.any():
            continue
        curve = hits.cumsum()
        precision = curve / (np.arange(len(hits)) + 1.0)
        curves.append(np.minimum(curve, 1)[:LONGEST])
        precisions.append((precision * hits).sum() / hits.sum())
    return 100 * np.mean(np.array(curves, np.float32), axis=0), 100 * float(np.mean(precisions))


def ours(distances: np.ndarray, queries: Sightings, gallery: Sightings) -> RankingFigures:
    """Return our figures of the same ranking."""
    ranking = Ranking(gallery)
    ranking.add(distances, queries)
    return ranking.figures()


def people(rng: np.random.Generator, n: int, n_people: int, lowest: int) -> Sightings:
    """Draw who is seen by which of six cameras."""
    return Sightings(rng.integers(lowest, n_people + 1, n), rng.integers(1, 7, n))


def drawn(
    n_queries: int, n_gallery: int, n_people: int = 750, d: int = 64
) -> tuple[np.ndarray, Sightings, Sightings]:
    """Draw features that half tell people apart, and return their distances in 32 bits."""
    rng = np.random.default_rng(0)
    queries = people(rng, n_queries, n_people, lowest=1)
    gallery = people(rng, n_gallery, n_people, lowest=0)
    means = rng.normal(size=(n_people + 1, d)).astype(np.float32)
    features = [
        means[view.identities] + 1.5 * rng.normal(size=(len(view), d)).astype(np.float32)
        for view in (queries, gallery)
    ]
    own = [np.einsum("id,id->i", rows, rows) for rows in features]
    return np.add.outer(*own) - 2 * features[0] @ features[1].T, queries, gallery


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=3368)
    parser.add_argument("--gallery", type=int, default=15913)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    case = drawn(arguments.queries, arguments.gallery)
    turns = []
    for _ in range(arguments.repetitions):
        start = time.perf_counter()
        figures = ours(*case)
        middle = time.perf_counter()
        cmc, mean_precision = sorted_loop(*case)
        turns.append((middle - start, time.perf_counter() - middle))
    found = [figures.rank1, figures.rank5, figures.rank10, figures.rank20, figures.map]
    np.testing.assert_allclose(found, [*cmc[[0, 4, 9, 19]], mean_precision], rtol=1e-5)
    ours_sec, loop_sec = (statistics.median(times) for times in zip(*turns, strict=True))
    row = {
        "rank1": figures.rank1,
        "map": figures.map,
        "map_official": figures.map_official,
        "ours_sec": ours_sec,
        "loop_sec": loop_sec,
        "ratio": statistics.median(loop / own for own, loop in turns),
    }
    print(json.dumps({name: round(value, 3) for name, value in row.items()}))


if __name__ == "__main__":
    main()
