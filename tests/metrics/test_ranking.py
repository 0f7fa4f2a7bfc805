import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from attncli.errors import AttncliError
from attncli.metrics.ranking import (
    FEW,
    Ranked,
    Ranking,
    Sightings,
    average_precision,
    cmc_percent,
    nearest,
    official_average_precision,
    ranking_figures,
    without_rounding,
)


def sightings(identities, cameras):
    return Sightings(np.array(identities, np.int64), np.array(cameras, np.int64))


GALLERY = sightings([3, 7, -1, 7, 7, 0], [2, 2, 3, 3, 1, 1])
QUERY = sightings([7], [1])
DISTANCES = np.arange(1.0, 7)[None]


def market_loop(distances, query, gallery):
    """Market-1501's evaluation in plain loops: an image at a time, ties against the query."""
    identity, camera = query
    same = gallery.identities == identity
    order = sorted(range(len(gallery)), key=lambda i: (distances[i], same[i]))
    good = {i for i in order if same[i] and gallery.cameras[i] != camera}
    junk = {i for i in order if gallery.identities[i] == -1 or (same[i] and i not in good)}
    old_recall, old_precision, trapezoids, precisions = 0.0, 1.0, 0.0, []
    seen, hits, first = 0, 0, 0
    for i in order:
        if i in junk or hits == len(good):
            continue
        hits += i in good
        if i in good:
            first = first or seen + 1
            precisions.append(hits / (seen + 1))
        recall, precision = hits / len(good), hits / (seen + 1)
        trapezoids += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
        seen += 1
    return first, float(np.mean(precisions)) if good else 0.0, trapezoids


@st.composite
def rankings(draw):
    """Draw distances with many ties, queries, and a gallery with junk and distractors."""
    n_queries, n_gallery = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return (
        rng.integers(0, draw(st.integers(1, 9)), (n_queries, n_gallery)).astype(np.float32),
        sightings(rng.integers(1, 4, n_queries), rng.integers(1, 4, n_queries)),
        sightings(rng.integers(-1, 4, n_gallery), rng.integers(1, 4, n_gallery)),
    )


def ranked(distances, queries, gallery):
    return Ranking(gallery).add(distances, queries)


def assert_same(one, other):
    assert one.first_rank.tolist() == other.first_rank.tolist()
    assert one.ap.tolist() == other.ap.tolist()
    assert one.ap_official.tolist() == other.ap_official.tolist()


def test_a_hand_made_ranking():
    # Left are 3, 7, 7, 0: the hits are at ranks 2 and 3.
    ranking = Ranking(GALLERY)
    found = ranking.add(DISTANCES, QUERY)
    assert found.first_rank.tolist() == [2]
    figures = ranking.figures()
    assert cmc_percent(ranking.ranked, 2).tolist() == [0, 100]
    assert (figures.rank1, figures.rank5) == (0, 100)
    assert figures.map == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert round(figures.map, 2) == 58.33
    assert round(figures.map_official, 2) == 41.67
    assert (figures.queries, figures.queries_without_match) == (1, 0)


def test_both_average_precisions_by_hand():
    assert average_precision(np.array([1, 2])) == official_average_precision(np.array([1, 2])) == 1
    assert average_precision(np.array([1, 4])) == (1 + 2 / 4) / 2
    # From 1 at rank 0 to 1 at rank 1; from 1/3 at rank 3 to 2/4 at rank 4.
    expected = ((1 + 1) / 2 + (1 / 3 + 2 / 4) / 2) / 2
    assert official_average_precision(np.array([1, 4])) == pytest.approx(expected)
    nothing = np.zeros(0, np.int64)
    assert average_precision(nothing) == official_average_precision(nothing) == 0


@settings(max_examples=150)
@given(rankings())
def test_every_query_is_ranked_as_by_the_official_loop(case):
    distances, queries, gallery = case
    found = ranked(distances, queries, gallery)
    people = zip(queries.identities, queries.cameras, strict=True)
    loops = [market_loop(row, who, gallery) for row, who in zip(distances, people, strict=True)]
    first, ap, official = (list(column) for column in zip(*loops, strict=True))
    assert found.first_rank.tolist() == first
    np.testing.assert_allclose(found.ap, ap, rtol=1e-12)
    np.testing.assert_allclose(found.ap_official, official, rtol=1e-12, atol=1e-15)


@settings(max_examples=50)
@given(rankings(), st.randoms(use_true_random=False))
def test_the_order_of_the_gallery_makes_no_difference(case, random):
    distances, queries, gallery = case
    order = random.sample(range(len(gallery)), len(gallery))
    shuffled = sightings(gallery.identities[order], gallery.cameras[order])
    assert_same(ranked(distances, queries, gallery), ranked(distances[:, order], queries, shuffled))


@settings(max_examples=50)
@given(rankings())
def test_blocks_add_up(case):
    distances, queries, gallery = case
    ranking = Ranking(gallery)
    for row in range(len(queries)):
        part = slice(row, row + 1)
        ranking.add(distances[part], Sightings(queries.identities[part], queries.cameras[part]))
    assert_same(ranking.ranked, ranked(distances, queries, gallery))


def test_people_with_many_images_are_ranked_the_same():
    # More hits than are counted one by one; ranks of a loop over the sorted gallery.
    rng = np.random.default_rng(0)
    distances = rng.integers(0, 50, (2, 4 * FEW)).astype(np.float32)
    gallery = sightings(rng.integers(-1, 2, 4 * FEW), rng.integers(1, 5, 4 * FEW))
    gallery.identities[: 2 * FEW] = 1
    found = ranked(distances, sightings([1, 1], [1, 2]), gallery)
    for row, camera in enumerate((1, 2)):
        first, ap, official = market_loop(distances[row], (1, camera), gallery)
        assert found.first_rank[row] == first
        assert found.ap[row] == pytest.approx(ap)
        assert found.ap_official[row] == pytest.approx(official)


def test_all_equally_far_is_the_worst_ranking():
    found = ranked(np.zeros((1, 6)), QUERY, GALLERY)
    assert found.first_rank.tolist() == [3]
    assert found.ap.tolist() == [pytest.approx((1 / 3 + 2 / 4) / 2)]


def test_infinitely_far_images_come_last():
    found = ranked(np.array([[np.inf, 1, 0, np.inf, 0, 2]]), QUERY, GALLERY)
    assert found.first_rank.tolist() == [1]
    assert found.ap.tolist() == [(1 + 2 / 4) / 2]


QUERIES = sightings([7, 9, 3], [1, 1, 1])
"""7 is found second, 9 is nowhere, 3 is found first."""


def test_queries_without_a_match_are_left_out_or_count_zero():
    ranking = Ranking(GALLERY)
    ranking.add(np.tile(DISTANCES, (3, 1)), QUERIES)
    assert ranking.ranked.has_match.tolist() == [True, False, True]
    skipped, zeros = ranking.figures(), ranking.figures("zero")
    assert skipped.rank1 == 50
    assert zeros.rank1 == pytest.approx(100 / 3)
    assert zeros.rank20 == pytest.approx(200 / 3)
    assert zeros.map == pytest.approx(skipped.map * 2 / 3)
    assert zeros.map_official == pytest.approx(skipped.map_official * 2 / 3)
    for figures in (skipped, zeros):
        assert (figures.queries, figures.queries_without_match) == (3, 1)


def test_a_curve_may_be_longer_than_the_gallery():
    curve = cmc_percent(ranked(np.tile(DISTANCES, (3, 1)), QUERIES, GALLERY), 50)
    assert len(curve) == 50
    assert curve[:3].tolist() == [50, 100, 100]
    assert curve[-1] == 100


def test_ranks_past_the_curve_do_not_count():
    found = Ranked(np.array([1, 30]), np.ones(2), np.ones(2))
    assert cmc_percent(found, 20)[-1] == 50
    assert ranking_figures(found).rank20 == 50


def test_one_camera_is_refused_with_the_reason():
    ranking = Ranking(sightings([7, 3], [1, 1]))
    ranking.add(np.ones((1, 2)), QUERY)
    with pytest.raises(AttncliError, match="all images are of one camera"):
        ranking.figures()


@pytest.mark.parametrize("unmatched", ["skip", "zero"])
def test_queries_of_others_only_are_refused(unmatched):
    ranking = Ranking(sightings([3], [2]))
    ranking.add(np.ones((1, 1)), QUERY)
    with pytest.raises(AttncliError, match="no query has its person in the gallery"):
        ranking.figures(unmatched)


def test_no_query_at_all_is_refused():
    with pytest.raises(AttncliError, match="no query has its person"):
        Ranking(GALLERY).figures()


def test_an_empty_gallery_matches_nobody():
    assert ranked(np.zeros((1, 0)), QUERY, sightings([], [])).first_rank.tolist() == [0]


def test_distances_that_are_not_numbers_are_refused():
    with pytest.raises(AttncliError, match="not a number"):
        ranked(np.array([[1, 2, 3, np.nan, 5, 6]]), QUERY, GALLERY)


@pytest.mark.parametrize("identity", [-1, 0])
def test_queries_of_nobody_are_refused(identity):
    with pytest.raises(AttncliError, match=f"identity {identity}, which is nobody"):
        ranked(DISTANCES, sightings([identity], [1]), GALLERY)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="one distance to each gallery image"):
        ranked(DISTANCES[:, :5], QUERY, GALLERY)
    with pytest.raises((ValueError, TypeCheckError), match="one identity and one camera"):
        sightings([1, 2], [1])


def test_the_nearest_images_are_those_that_count():
    assert nearest(DISTANCES[0], 7, 1, GALLERY, count=3).tolist() == [0, 1, 3]
    assert nearest(np.zeros(6), 7, 1, GALLERY, count=9).tolist() == [0, 5, 1, 3]


def test_rounding_is_left_out_of_distances():
    distances = np.array([[1e-15, -2e-15, 0.25 + 1e-13], [3.0, 1e-12, 0.0]])
    assert without_rounding(distances, np.array([1.0, 100.0])).tolist() == [
        [0, 0, 0.25],
        [3, 0, 0],
    ]


@given(st.floats(-1, 1), st.floats(0.5, 1e6))
def test_distances_keep_nine_digits_of_their_scale(distance, scale):
    kept = without_rounding(np.array([[distance * scale]]), np.array([scale]))
    assert abs(kept[0, 0] - distance * scale) <= scale * 2**-32
