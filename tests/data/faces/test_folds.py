from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.data.faces.folds import Folds, assign_folds, fold_part, read_folds, write_folds
from attncli.data.samples import VideoDataset, VideoSample
from attncli.errors import AttncliError

CLASSES = ("anger", "fear", "happy")


def _dataset(labels_by_subject, classes=CLASSES):
    samples = tuple(
        VideoSample(f"{name}/{i}", Path(name), label, subject=name)
        for name, labels in labels_by_subject.items()
        for i, label in enumerate(labels)
    )
    return VideoDataset("ckplus", Path("ck"), classes, samples, ("a note",))


def _ids(dataset):
    return [sample.id for sample in dataset.samples]


@st.composite
def _people(draw):
    """Labels by person, like CK+'s: at most one sequence a class, and each class is frequent."""
    n_people = draw(st.integers(12, 40))
    label_sets = st.sets(st.integers(-1, 2), min_size=1, max_size=4)
    people = {f"S{n:03}": sorted(draw(label_sets)) for n in range(n_people)}
    for name in list(people)[:12]:
        people[name] = [0, 1, 2]
    return people


@given(
    people=_people(),
    folds=st.integers(2, 10),
    seed=st.integers(0, 2**63 - 1),
    order_seed=st.integers(0, 9),
)
def test_nobody_is_tested_who_was_seen_in_training(
    people: dict[str, list[int]], folds: int, seed: int, order_seed: int
) -> None:
    dataset = _dataset(people)
    made = assign_folds(dataset, folds=folds, seed=seed)
    labelled = {sample.id for sample in dataset.samples if sample.label != -1}
    tested: list[str] = []
    for fold in range(1, folds + 1):
        train, val = (fold_part(dataset, made, fold, part) for part in ("train", "val"))
        assert {s.subject for s in train.samples}.isdisjoint(s.subject for s in val.samples)
        assert set(_ids(train)) | set(_ids(val)) == labelled
        assert abs(len(val.samples) - len(labelled) / folds) <= 4
        for label in range(3):
            n_class = sum(sample.label == label for sample in dataset.samples)
            n_tested = sum(sample.label == label for sample in val.samples)
            assert abs(n_tested - n_class / folds) <= 3
        tested += _ids(val)
    assert sorted(tested) == sorted(labelled)
    order = np.random.default_rng(order_seed).permutation(len(dataset.samples))
    shuffled = replace(dataset, samples=tuple(dataset.samples[i] for i in order))
    assert assign_folds(shuffled, folds=folds, seed=seed) == made


def test_the_seed_decides():
    dataset = _dataset({f"S{n:03}": [n % 3] for n in range(30)})
    first, second, other = (assign_folds(dataset, folds=10, seed=seed) for seed in (3, 3, 4))
    assert first == second != other
    assert first.n_folds == 10
    assert set(first.fold_of.values()) == set(range(1, 11))


def test_a_part_keeps_order_and_everything_else():
    dataset = _dataset({"b": [0, -1, 1], "a": [2], "c": [0]})
    folds = Folds(2, {"b/0": 1, "b/2": 1, "a/0": 2, "c/0": 2})
    clips = replace(dataset, samples=tuple(s for s in dataset.samples for _ in range(2)))
    train, val = (fold_part(clips, folds, 1, part) for part in ("train", "val"))
    assert _ids(val) == ["b/0", "b/0", "b/2", "b/2"]
    assert _ids(train) == ["a/0", "a/0", "c/0", "c/0"]
    assert replace(train, samples=dataset.samples) == dataset
    for fold in (0, 3):
        with pytest.raises(ValueError, match=f"no fold {fold} among 2"):
            fold_part(dataset, folds, fold, "train")


def test_a_class_rarer_than_folds_is_no_hindrance():
    dataset = _dataset({f"S{n:03}": [0 if n < 3 else 1 + n % 2] for n in range(30)})
    folds = assign_folds(dataset, folds=5, seed=0)
    assert len({folds.fold_of[f"S{n:03}/0"] for n in range(3)}) == 3


def test_sequences_of_nobody_are_named():
    dataset = _dataset({"S1": [0], "S2": [1]})
    samples = (*dataset.samples, VideoSample("x/7", Path("x"), 0))
    with pytest.raises(AttncliError, match="ck: does not say which person 'x/7' shows; use CK"):
        assign_folds(replace(dataset, samples=samples), folds=2, seed=0)
    unlabelled = replace(samples[-1], label=-1)
    whole = _dataset({f"S{n}": [n % 2] for n in range(4)})
    with_it = replace(whole, samples=(*whole.samples, unlabelled))
    assert len(assign_folds(with_it, folds=2, seed=0).fold_of) == 4


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ({"a": [0, 1], "b": [0], "c": [0]}, "ck: shows 3 people, too few for 4 folds; use --folds"),
        ({"a": [0, 1, 2, 0, 0]}, "shows 1 people, too few for 4 folds; add more people"),
        ({"a": [-1]}, "shows 0 people, too few for 4 folds"),
        ({"a": [0], "b": [1], "c": [0], "d": [1]}, "has at most 2 sequences of a class, too few"),
    ],
)
def test_too_few_people_are_refused_with_both_numbers(people, message):
    with pytest.raises(AttncliError, match=message):
        assign_folds(_dataset(people), folds=4, seed=0)


def test_a_fold_left_empty_is_refused(monkeypatch):
    dataset = _dataset({"a": [0], "b": [0], "c": [0]})
    monkeypatch.setattr("attncli.data.faces.folds._dealt_out", lambda *_: [1, 1, 3])
    with pytest.raises(AttncliError, match="fold 2 of 3 would have no sequence; use fewer --folds"):
        assign_folds(dataset, folds=3, seed=0)


def test_folds_of_a_run_are_taken_up_by_another(tmp_path):
    dataset = _dataset({"b": [0, -1, 1], "a": [2, 0], "c": [0]})
    folds = assign_folds(dataset, folds=2, seed=0)
    write_folds(tmp_path / "folds.csv", dataset, folds)
    lines = (tmp_path / "folds.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[0] for line in lines] == [
        "id,subject,label",
        *("a/0,a,happy", "a/1,a,anger", "b/0,b,anger", "b/2,b,fear", "c/0,c,anger"),
    ]
    assert read_folds(tmp_path / "folds.csv", dataset) == folds
    with pytest.raises(AttncliError, match=r"folds\.csv, line 6: the dataset has no .* 'c/0'"):
        read_folds(tmp_path / "folds.csv", replace(dataset, samples=dataset.samples[:-1]))
