from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.data.identities import identity_numbers, identity_split, split_identities
from attncli.data.samples import ImageDataset, ImageSample
from attncli.errors import AttncliError, UsageError

ROLES = {"a": "query", "b": "gallery"}


def sample(person, camera, shot=0, role=None):
    id_ = f"{person}-{camera}-{shot}"
    return ImageSample(id_, Path(f"{id_}.png"), None, subject=person, camera=camera, role=role)


def dataset(samples):
    return ImageDataset("two-views", Path("data"), (), tuple(samples), labels_from="file names")


def two_views(n):
    return [sample(f"{p:03d}", c, role=role) for c, role in ROLES.items() for p in range(n)]


def test_half_of_the_people_are_learnt_from_and_nobody_is_in_both_parts():
    parts = identity_split(dataset(two_views(9)), seed=0)
    train, test = ({s.subject for s in part.samples} for part in (parts.train, parts.test))
    assert (len(train), len(test), len(train & test)) == (4, 5, 0)
    assert parts.train.classes == parts.test.classes == tuple(sorted(train))
    for each in parts.train.samples:
        assert each.labels == {parts.train.classes.index(each.subject)}
        assert each.role is None
    for each in parts.test.samples:
        assert each.labels is None
        assert each.role == ROLES[each.camera]


def test_the_seed_decides_and_the_order_of_images_does_not():
    samples = two_views(20)
    first, again = (identity_split(dataset(s), 3).test for s in (samples, samples[::-1]))
    assert {s.id: s for s in first.samples} == {s.id: s for s in again.samples}
    assert identity_split(dataset(samples), 4).train.classes != first.classes


def test_people_of_the_gallery_alone_and_nobody_stay_as_wrong_answers():
    alone = [sample("x", "b", role="gallery"), sample(None, "b", role="gallery")]
    unanswered = sample("y", "a", role="query")
    test = identity_split(dataset([*two_views(4), *alone, unanswered]), 0).test
    assert set(alone) <= set(test.samples)
    assert unanswered not in test.samples
    assert test.notes == (
        "1 query images left out, as their people are not in the gallery, such as y-a-0",
    )


def test_queries_of_other_datasets_are_one_of_each_person_and_camera():
    samples = [sample(p, c, n) for p in "pqrs" for c in "123" for n in range(3)]
    test = identity_split(dataset(samples), 0).test
    queries = [(s.subject, s.camera) for s in test.samples if s.role == "query"]
    assert len(queries) == len(set(queries)) == 2 * 3
    assert sum(s.role == "gallery" for s in test.samples) == 2 * 3 * 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=4), st.integers(0, 99))
def test_every_drawn_query_has_an_answer_from_another_camera(shots, seed):
    samples = [sample(p, str(c), n) for p in "pq" for c, k in enumerate(shots) for n in range(k)]
    test = identity_split(dataset(samples), seed).test.samples
    queries = [s for s in test if s.role == "query"]
    assert queries
    for query in queries:
        assert any(s.role == "gallery" and s.camera != query.camera for s in test)


def test_shares_are_rounded_down_to_whole_people():
    names = [str(n) for n in range(100)]
    assert len(split_identities(names, 0, 0.29)[0]) == 29
    assert len(split_identities(names[:9], 0, 0.5)[0]) == 4


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_a_share_that_leaves_nobody_in_a_part_is_refused(share):
    with pytest.raises(UsageError, match=r"^--train-share: a share of .* of 5 people leaves"):
        split_identities("abcde", 0, share)


def test_one_camera_alone_is_refused():
    with pytest.raises(AttncliError, match="data: shows 0 people whom two cameras saw"):
        identity_split(dataset([sample(p, "1", n) for p in "pqrs" for n in range(3)]), 0)


def test_an_image_of_no_camera_is_refused_by_name():
    unknown = replace(sample("p", "1"), camera=None)
    with pytest.raises(AttncliError, match="does not say which camera took 'p-1-0'"):
        identity_split(dataset([*two_views(4), unknown]), 0)


def test_people_are_numbered_from_one_and_nobody_is_zero():
    numbers = identity_numbers(["000", None, "7", "000"])
    np.testing.assert_array_equal(numbers, [1, 0, 2, 1])
    assert numbers.dtype == np.int64
