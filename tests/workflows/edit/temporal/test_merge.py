from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.edit_directory import EditDirectory
from attncli.files.temporal_edits import write_temporal_edits
from attncli.reporting import Outcome, Silent
from attncli.workflows.edit.temporal.merge import merge_edits
from tests.support.reporters import Told


@pytest.fixture
def edits(
    make_edits: Callable[..., EditDirectory], vector: Callable[..., np.ndarray]
) -> EditDirectory:
    """Three people: all edited clip a, two of them b, nobody c."""
    directory = make_edits(a=3, b=2, c=1)
    people = {
        "anna": {"a": vector(0, 0.5, 1), "b": vector(1, 1)},
        "ben": {"a": vector(0, 1, 1), "b": vector(None, 1)},
        "cleo": {"a": vector(0, 1, 0), "b": vector(0.5, 1), "c": vector(None)},
    }
    for name, clips in people.items():
        write_temporal_edits(directory.annotator_path(name), clips)
    return directory


def merge(edits: EditDirectory, **options: Any) -> Outcome:
    defaults = {"rule": "mean", "overwrite": False, "dry_run": False, "reporter": Silent()}
    return merge_edits(edits.path, **(defaults | options))


@pytest.mark.parametrize(
    ("rule", "a", "b"),
    [
        ("mean", [0, 2.5 / 3, 2 / 3], [0.75, 1]),
        ("median", [0, 1, 1], [0.75, 1]),
        ("majority", [0, 1, 1], [0.75, 1]),
    ],
)
def test_scores_of_those_who_edited_the_whole_clip_are_put_together(
    edits: EditDirectory, rule: str, a: list[float], b: list[float]
) -> None:
    merge(edits, rule=rule)
    merged = edits.read_edits()
    np.testing.assert_allclose(merged.scores["a"], a, atol=1e-6)
    np.testing.assert_allclose(merged.scores["b"], b, atol=1e-6)
    assert merged.unedited == ("c",)


def test_of_scores_that_tie_the_majority_is_the_mean(
    make_edits: Callable[..., EditDirectory], vector: Callable[..., np.ndarray]
) -> None:
    edits = make_edits(a=2)
    for name, scores in {"p": (0, 0), "q": (0, 1), "r": (0.5, 0), "s": (0.5, 0.5)}.items():
        write_temporal_edits(edits.annotator_path(name), {"a": vector(*scores)})
    merge(edits, rule="majority")
    np.testing.assert_allclose(edits.read_edits().scores["a"], [0.25, 0])


def test_agreement_is_measured_over_the_clips_both_edited(edits: EditDirectory) -> None:
    rows = {row["annotators"]: row for row in merge(edits).rows}
    assert list(rows) == ["anna, ben", "anna, cleo", "ben, cleo", "all 3"]
    # ben edited b in part only, so he shares a alone: 0 0, 0.5 1, 1 1.
    assert {key: rows["anna, ben"][key] for key in ("clips", "frames")} == {"clips": 1, "frames": 3}
    assert rows["anna, ben"]["same_percent"] == pytest.approx(200 / 3)
    assert rows["anna, ben"]["mean_difference"] == pytest.approx(0.5 / 3)
    # anna and cleo: 0 0, 0.5 1, 1 0, 1 0.5, 1 1.
    assert (rows["anna, cleo"]["clips"], rows["anna, cleo"]["frames"]) == (2, 5)
    assert rows["anna, cleo"]["mean_difference"] == pytest.approx(2 / 5)
    assert (rows["all 3"]["clips"], rows["all 3"]["frames"]) == (2, 5)
    # Units 000, .5 1 1, 1 1 0, 1 .5, 1 1: D_o = (0 + .5 + 2 + .5 + 0) / 13 by pairs over m - 1;
    # the 13 scores sum to 8.5, their squares to 8: D_e = 2 (13 * 8 - 8.5^2) / (13 * 12).
    unit_sums = (0, 4 * 0.25 / 2, 4 * 1 / 2, 2 * 0.25, 0)
    values = [0, 0, 0, 0.5, 1, 1, 1, 1, 0, 1, 0.5, 1, 1]
    by_chance = sum((x - y) ** 2 for x in values for y in values) / (13 * 12)
    assert rows["all 3"]["alpha"] == pytest.approx(1 - sum(unit_sums) / 13 / by_chance)


def test_clips_that_somebody_is_still_at_are_pointed_out(edits: EditDirectory) -> None:
    reporter = Told()
    merge(edits, reporter=reporter)
    assert reporter.warnings == ["ben: 1 clips are filled in part only, and left out"]


def test_who_has_edited_no_whole_clip_is_not_counted(
    edits: EditDirectory, vector: Callable[..., np.ndarray]
) -> None:
    write_temporal_edits(edits.annotator_path("dora"), {"b": vector(1, None)})
    assert merge(edits).rows[-1]["annotators"] == "all 3"
    for name in ("anna", "ben", "cleo"):
        edits.annotator_path(name).unlink()
    (row,) = merge(edits, overwrite=True).rows
    assert row == {"annotators": "all 0", "clips": 0, "frames": 0, "alpha": None}


def test_one_person_agrees_with_nobody(
    make_edits: Callable[..., EditDirectory], vector: Callable[..., np.ndarray]
) -> None:
    edits = make_edits(a=1)
    write_temporal_edits(edits.annotator_path("anna"), {"a": vector(1)})
    (row,) = merge(edits).rows
    assert row == {"annotators": "all 1", "clips": 0, "frames": 0, "alpha": None}
    assert edits.read_edits().ids == ("a",)


def test_edits_that_are_there_stay_unless_they_may_go(
    edits: EditDirectory, vector: Callable[..., np.ndarray]
) -> None:
    own = {"a": vector(1, 1, 1), "b": vector(None, None), "c": vector(0.5)}
    write_temporal_edits(edits.edits_path, own)
    with pytest.raises(AttncliError, match=r"edits\.csv: clip 'a' is edited already; pass --over"):
        merge(edits)
    np.testing.assert_array_equal(edits.read_edits().scores["a"], own["a"])
    merge(edits, overwrite=True)
    merged = edits.read_edits()
    assert merged.scores["a"][0] == 0
    np.testing.assert_array_equal(merged.scores["c"], own["c"])


def test_a_dry_run_only_measures(edits: EditDirectory) -> None:
    before = edits.edits_path.read_bytes()
    assert merge(edits, dry_run=True).rows == merge(edits).rows
    merge(edits, dry_run=True, overwrite=True)
    assert edits.edits_path.read_bytes() != before


def test_where_nobody_edited_the_remedy_is_named(make_edits: Callable[..., EditDirectory]) -> None:
    with pytest.raises(AttncliError, match=r"annotators: holds no edits; .*--annotator NAME"):
        merge(make_edits(a=1))
