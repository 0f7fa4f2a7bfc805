from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attncli.errors import AttncliError
from attncli.files.active_intervals import ActiveInterval, write_active_intervals
from attncli.files.edit_directory import EditDirectory
from attncli.reporting import Outcome, Silent
from attncli.workflows.edit.temporal.oracle import edit_by_truth
from tests.support.reporters import Told


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "active.csv"
    intervals = {"a": ActiveInterval(1, 4, 2, 3), "b": ActiveInterval(0, 1, 0, 0)}
    write_active_intervals(path, intervals)
    return path


def fill(edits: EditDirectory, truth: Path, **options: Any) -> Outcome:
    defaults = {"overwrite": False, "dry_run": False, "reporter": Silent()}
    return edit_by_truth(edits.path, truth, **(defaults | options))


def test_frames_are_scored_as_the_paper_asks_people_to(
    make_edits: Callable[..., EditDirectory], truth: Path
) -> None:
    edits = make_edits(a=6, b=2)
    reporter = Told()
    (row,) = fill(edits, truth, reporter=reporter).rows
    scores = edits.read_edits().scores
    assert scores["a"].tolist() == [0, 0.5, 1, 1, 0.5, 0]
    assert scores["b"].tolist() == [1, 0.5]
    assert (row["file"], row["edited"], row["frames"]) == (str(edits.edits_path), 2, 8)
    assert reporter.warnings == [
        f"no person made these edits: they are the toy data's own truth, {truth}"
    ]


def test_edits_that_are_there_stay_unless_they_may_go(
    make_edits: Callable[..., EditDirectory], truth: Path
) -> None:
    edits = make_edits(a=5)
    fill(edits, truth, dry_run=True)
    assert edits.read_edits().unedited == ("a",)
    fill(edits, truth)
    with pytest.raises(AttncliError, match="clip 'a' is edited already"):
        fill(edits, truth)
    fill(edits, truth, overwrite=True)


@pytest.mark.parametrize(
    ("frames", "message"),
    [({"z": 3}, "is missing for clip 'z'"), ({"a": 4}, "ends after clip 'a' of 4 frames")],
)
def test_the_truth_of_other_data_is_refused(
    make_edits: Callable[..., EditDirectory], truth: Path, frames: dict[str, int], message: str
) -> None:
    edits = make_edits(**frames)
    with pytest.raises(AttncliError, match=rf"active\.csv: the action {message}"):
        fill(edits, truth)
    assert edits.read_edits().ids == ()
