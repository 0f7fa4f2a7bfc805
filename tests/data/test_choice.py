from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.data.choice import choose
from attncli.data.samples import ImageDataset, ImageSample, VideoDataset, VideoSample
from attncli.errors import AttncliError, UsageError
from tests.support.settings import tiny

ROOT = Path("d")
CLASSES = ("Run", "Hop", "Skip", "Jump")


def videos(labels: list[int]) -> VideoDataset:
    samples = (VideoSample(f"v{i}", ROOT / f"{i}.avi", label) for i, label in enumerate(labels))
    return VideoDataset("manifest", ROOT, CLASSES, tuple(samples))


def images(*shown: set[int] | None, **more: Any) -> ImageDataset:
    samples = (
        ImageSample(f"i{i}", ROOT / f"{i}.png", None if one is None else frozenset(one))
        for i, one in enumerate(shown)
    )
    return ImageDataset("manifest", ROOT, CLASSES, tuple(samples), "manifest", **more)


def wanted(**changes: Any) -> Any:
    return tiny("x3d", data=ROOT, **changes)


def test_everything_is_taken_where_nothing_is_said() -> None:
    dataset = videos([0, 1, 2])
    assert choose(dataset, wanted(), "train") is dataset
    assert choose(dataset, wanted(limit=3), "train") is dataset
    assert choose(dataset, wanted(limit=1), "all") is dataset


@given(
    labels=st.lists(st.integers(-1, 3), min_size=1, max_size=30),
    limit=st.integers(1, 30),
    part=st.sampled_from(["train", "val"]),
)
@settings(max_examples=50)
def test_a_limit_is_kept_and_spread_over_classes(labels: list[int], limit: int, part: str) -> None:
    found = choose(videos(labels), wanted(limit=limit), part)
    ids = [sample.id for sample in found.samples]
    assert len(ids) == min(limit, len(labels))
    assert ids == sorted(ids, key=lambda id_: int(id_[1:]))  # the order of the list
    taken, there = Counter(sample.label for sample in found.samples), Counter(labels)
    most = max(taken.values())
    # None has less than another one by more than one sample, unless there are no more of it.
    assert all(taken[label] >= min(there[label], most - 1) for label in there)
    assert choose(videos(labels), wanted(limit=limit, seed=7), part) == found


def test_a_smaller_limit_takes_some_of_what_a_larger_one_takes() -> None:
    dataset = videos([number % 4 for number in range(40)])
    small, large = (set(choose(dataset, wanted(limit=n), "val").samples) for n in (6, 13))
    assert small < large


def test_with_fewer_samples_than_classes_all_splits_show_the_same_classes() -> None:
    dataset = videos([number % 4 for number in range(40)])
    shown = [
        {sample.label for sample in choose(dataset, wanted(limit=2), part).samples}
        for part in ("train", "val")
    ]
    assert shown[0] == shown[1]


def test_what_is_drawn_is_not_the_first_of_each_class() -> None:
    dataset = videos([0] * 50)
    assert choose(dataset, wanted(limit=10), "train").samples != dataset.samples[:10]


def test_a_note_says_how_much_is_left() -> None:
    found = choose(videos([0, 1, 2, 2]), wanted(limit=1, classes=("Skip", "Run")), "val")
    assert found.notes == (
        "--classes: 2 of 4 classes are used",
        "--limit: 1 of 3 clips of split 'val' are used",
    )


def test_classes_are_numbered_anew_in_the_order_of_the_dataset() -> None:
    found = choose(videos([3, 0, 2, -1, 1]), wanted(classes=("Jump", "Hop")), "train")
    assert found.classes == ("Hop", "Jump")
    assert [(sample.id, sample.label) for sample in found.samples] == [
        ("v0", 1),
        ("v3", -1),
        ("v4", 0),
    ]


def test_an_image_stays_that_shows_one_of_the_classes() -> None:
    dataset = images({0, 1}, {0}, {1, 3}, set(), None)
    found = choose(dataset, wanted(classes=("Hop", "Jump")), "train")
    assert [sample.labels for sample in found.samples] == [
        frozenset({0}),
        frozenset({0, 1}),
        None,
    ]


def test_of_images_with_several_classes_the_rarest_counts() -> None:
    dataset = images({0}, {0}, {0}, {0, 1}, {0}, {0})
    found = choose(dataset, wanted(limit=2), "train")
    assert "i3" in {sample.id for sample in found.samples}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("Hup", "did you mean 'Hop'?"), ("xyz", "there are 4, such as Run, Hop, Skip")],
)
def test_a_class_that_is_not_there_is_refused(name: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refusal:
        choose(videos([0, 1]), wanted(classes=(name,)), "train")
    assert str(refusal.value) == f"--classes: no such class: {name!r}; {remedy}"


def test_classes_without_a_sample_are_refused() -> None:
    with pytest.raises(AttncliError, match="d: holds no clips of these classes: Jump; name others"):
        choose(videos([0, 1]), wanted(classes=("Jump",)), "train")


def people(*roles: str | None) -> ImageDataset:
    """Return four people of two images each."""
    samples = [
        ImageSample(
            f"p{n}", ROOT / f"{n}.png", None, subject=f"{n // 2}", camera=f"{n % 2}", role=role
        )
        for n, role in enumerate(roles)
    ]
    return ImageDataset("market1501", ROOT, (), tuple(samples), "folders")


def test_people_are_taken_whole() -> None:
    dataset = people(*[None] * 8)
    found = choose(dataset, wanted(limit=5), "train", whole_people=True)
    assert set(Counter(sample.subject for sample in found.samples).values()) == {2}
    assert len(found.samples) == 4


def test_of_tests_only_people_are_taken_who_can_be_found() -> None:
    dataset = people("query", "gallery", "gallery", "gallery", "query", "gallery", "query", "query")
    found = choose(dataset, wanted(limit=7), "val", whole_people=True)
    assert {sample.subject for sample in found.samples} == {"0", "2"}


def test_a_limit_that_holds_no_two_people_is_refused() -> None:
    with pytest.raises(UsageError, match="--limit: 3 images hold fewer than two people"):
        choose(people(*[None] * 8), wanted(limit=3), "train", whole_people=True)
