from collections import Counter

import numpy as np
import pytest

from attncli.data.images.reading import read_rgb
from attncli.data.layouts.market1501 import fits, multi_queries, open_split
from attncli.data.toy.market1501 import (
    Studio,
    count_market1501,
    make_market1501,
    toy_boxes,
)
from attncli.errors import UsageError
from attncli.reporting import Silent

SIZE_HW = (48, 24)


def make(directory, *, size=6, seed=0, cameras=3):
    make_market1501(
        directory, size=size, seed=seed, size_hw=SIZE_HW, cameras=cameras, reporter=Silent()
    )
    return directory


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make(tmp_path_factory.mktemp("toy") / "market1501")


def test_it_is_read_as_market1501(toy):
    assert fits(toy)
    train, val = open_split(toy, "train"), open_split(toy, "val")
    assert train.classes == ("0001", "0003", "0005")
    assert {s.subject for s in val.samples} == {"0002", "0004", "0006", None}
    for sample in (*train.samples, *val.samples):
        assert read_rgb(sample.path).shape == (*SIZE_HW, 3)


def test_every_query_has_an_answer_from_another_camera():
    boxes = toy_boxes(60, 1)
    gallery = {(b.person, b.camera) for b in boxes if b.folder == "bounding_box_test"}
    queries = [b for b in boxes if b.folder == "query"]
    assert len({(q.person, q.camera) for q in queries}) == len(queries)
    for query in queries:
        assert any(p == query.person and c != query.camera for p, c in gallery)


def test_counts_are_those_of_the_files(toy):
    counts = count_market1501(size=6, seed=0, cameras=3)
    val = Counter(s.role for s in open_split(toy, "val").samples)
    assert counts == {
        "people": 6,
        "cameras": 3,
        "train": len(open_split(toy, "train").samples),
        "queries": val["query"],
        "gallery": val["gallery"],
        "junk": 3,
    }
    assert len(list((toy / "bounding_box_test").glob("-1_*"))) == 3


def test_several_images_a_query_can_be_taken(toy):
    queries = [s for s in open_split(toy, "val").samples if s.role == "query"]
    several = multi_queries(toy)
    asked = [{(s.subject, s.camera) for s in samples} for samples in (queries, several)]
    assert asked[0] == asked[1]
    assert len(several) > len(queries)


def test_names_are_different():
    names = [(box.folder, box.name) for box in toy_boxes(60, 0)]
    assert len(set(names)) == len(names)


def test_an_image_of_a_person_does_not_depend_on_how_many_there_are():
    few, many = (
        [b for b in toy_boxes(n, 0) if 0 < b.person <= 6 and b.folder != "gt_bbox"] for n in (6, 9)
    )
    assert few == many
    first, last = few[0], few[-1]
    for box in (first, last):
        np.testing.assert_array_equal(Studio(0, 4, SIZE_HW)(box), Studio(0, 4, SIZE_HW)(box))
        assert (Studio(0, 4, SIZE_HW)(box) != Studio(1, 4, SIZE_HW)(box)).any()


def test_the_seed_decides_what_is_drawn(toy, tmp_path):
    again = make(tmp_path / "again")
    files = sorted(path.relative_to(toy) for path in toy.rglob("*.*"))
    assert files == sorted(path.relative_to(again) for path in again.rglob("*.*"))
    for file in files:
        assert (toy / file).read_bytes() == (again / file).read_bytes()


@pytest.mark.parametrize(
    ("amount", "option"), [({"size": 3}, "--size: .* least 4"), ({"cameras": 1}, "--cameras: .* 2")]
)
def test_too_few_to_find_anybody_again_are_refused(tmp_path, amount, option):
    with pytest.raises(UsageError, match=option):
        make(tmp_path / "toy", **amount)
    assert not (tmp_path / "toy").exists()
