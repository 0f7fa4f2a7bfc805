from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError, UsageError
from attncli.files.attention import ClipRecord, attention_directory, open_attention
from attncli.visualization.selection import CommonClip, Wish
from attncli.workflows.visualize.apexes import (
    Apex,
    by_class,
    choose_apexes,
    class_names,
    find_apexes,
)
from attncli.workflows.visualize.attention import NamedAttention
from tests.support.runs import begin_run, write_attention

CROP = (0.0, 0.0, 24.0, 24.0)
Clips = list[tuple[str, tuple[int, ...]]]


def apex(id_: str, label: str = "", frames: tuple[int, ...] = (0, 1)) -> Apex:
    record = ClipRecord(0, id_, label, "anger", frames, CROP, False)
    return Apex(CommonClip(id_, label, (0,)), record)


def run_of(path: Path, clips: Clips, *, label: str = "anger") -> NamedAttention:
    """Return the attention of a run that saw clips, in the order they are given."""
    records = [
        ClipRecord(row, id_, label, label, frames, CROP, False)
        for row, (id_, frames) in enumerate(clips)
    ]
    length = len(clips[0][1])
    write_attention(path, records, spatial=np.zeros((len(clips), length, 3, 3), np.float32))
    return NamedAttention(path, path.name, open_attention(attention_directory(path, "val")))


@pytest.mark.parametrize(
    ("frames", "frame", "step"),
    [
        ((2, 3, 4, 5), 5, 3),
        ((3, 4, 5, 5), 5, 3),  # held at its last frame: the network saw it longest there
        ((3, 4, 5, 3), 5, 2),  # looped: its last step is its first frame again
        ((5, 3, 5, 3), 5, 2),
        ((7,), 7, 0),
    ],
)
def test_the_apex_is_the_last_frame_and_the_last_step_that_shows_it(
    frames: tuple[int, ...], frame: int, step: int
) -> None:
    found = apex("S005/001", frames=frames)
    assert (found.frame, found.step) == (frame, step)


def test_the_clip_that_ends_there_is_found_in_the_rows_of_every_run(tmp_path: Path) -> None:
    clips: Clips = [("a", (0, 1)), ("a", (2, 3)), ("b", (4, 5)), ("a", (1, 2))]
    runs = [run_of(tmp_path / "one", clips), run_of(tmp_path / "two", clips[::-1])]
    found = find_apexes(runs)
    assert [(one.clip.id, one.frame, one.clip.rows) for one in found] == [
        ("a", 3, (1, 2)),
        ("b", 5, (2, 1)),
    ]
    assert [one.record.row for one in found] == [1, 2]  # of the first run


def test_a_sequence_that_one_run_saw_further_has_no_common_apex(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / "one", [("a", (0, 1)), ("b", (0, 1))]),
        run_of(tmp_path / "two", [("a", (0, 1)), ("a", (2, 3)), ("b", (0, 1))]),
    ]
    assert [one.clip.id for one in find_apexes(runs)] == ["b"]


def test_the_last_frame_in_clips_that_differ_is_no_common_apex(tmp_path: Path) -> None:
    shared: Clips = [("a", (0, 1))]
    runs = [
        run_of(tmp_path / "one", [*shared, ("a", (2, 3))]),
        run_of(tmp_path / "two", [*shared, ("a", (1, 3))]),
    ]
    with pytest.raises(AttncliError, match=r"last frame in the same clip; evaluate runs with the"):
        find_apexes(runs)


def test_classes_are_in_the_order_of_the_first_run(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "ram", "convlstm-ram", tmp_path, ("surprise", "anger"))
    other = begin_run(tmp_path / "other", "convlstm-ram", tmp_path, ("anger", "surprise"))
    assert class_names([run, other]) == ("surprise", "anger")
    assert class_names([tmp_path / "attention alone", run]) == ()


def test_sequences_go_by_class_and_those_of_unnamed_classes_go_last() -> None:
    apexes = [apex("a", "fear"), apex("b", "anger"), apex("c"), apex("d", "joy"), apex("e", "fear")]
    groups = by_class(apexes, ("surprise", "joy"))
    assert {label: [one.clip.id for one in group] for label, group in groups.items()} == {
        "joy": ["d"],
        "anger": ["b"],
        "fear": ["a", "e"],
    }
    assert list(groups) == ["joy", "anger", "fear"]


def test_classes_wished_for_come_in_that_order_and_alone() -> None:
    apexes = [apex("a", "fear"), apex("b", "anger"), apex("d", "joy")]
    assert list(by_class(apexes, ("anger", "fear", "joy"), ("joy", "anger"))) == ["joy", "anger"]
    with pytest.raises(UsageError, match=r"--class: no such name: 'jyo' .*; there is joy"):
        by_class(apexes, (), ("jyo",))


def test_sequences_without_a_class_are_in_no_class() -> None:
    with pytest.raises(AttncliError, match="no sequence of these runs has a class; name some with"):
        by_class([apex("a"), apex("b")], ("anger",))


def test_one_sequence_of_each_class_is_drawn_as_the_seed_says() -> None:
    apexes = [apex(f"{label}{n}", label) for label in ("anger", "joy") for n in range(4)]
    rng = np.random.default_rng(7)
    expected = {label: f"{label}{rng.integers(4)}" for label in ("joy", "anger")}
    chosen = choose_apexes(apexes, ("joy", "anger"), Wish(seed=7))
    assert [one.clip.id for one in chosen] == list(expected.values())
    alone = choose_apexes(apexes, ("joy", "anger"), Wish(labels=("anger",), seed=7))
    assert [one.clip.id for one in alone] == [expected["anger"]]


def test_sequences_wished_for_need_no_class_and_are_shown_once() -> None:
    apexes = [apex("a"), apex("b", "joy"), apex("c")]
    chosen = choose_apexes(apexes, (), Wish(ids=("c", "a", "c")))
    assert [one.clip.id for one in chosen] == ["c", "a"]
    with pytest.raises(UsageError, match="--id: no such name: 'd' in the runs"):
        choose_apexes(apexes, (), Wish(ids=("d",)))
