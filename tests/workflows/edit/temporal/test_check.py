from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.clip_notes import ClipNote, write_notes
from attncli.files.temporal_edits import HEADER, write_temporal_edits
from attncli.reporting import Silent
from attncli.workflows.edit.temporal.check import check_edits
from tests.support.reporters import Told


def test_all_files_of_a_directory_are_counted(
    make_edits: Callable[..., object], vector: Callable[..., np.ndarray]
) -> None:
    edits = make_edits(a=4, b=2, c=1)
    blank = {"b": vector(None, None), "c": vector(None)}
    write_temporal_edits(edits.edits_path, {"a": vector(0, 0.5, 0.75, 1), **blank})
    notes = {"a": ClipNote("confirmed"), "b": ClipNote("unsure", "no hand"), "c": ClipNote("", "x")}
    write_notes(edits.path / "notes.csv", notes)
    write_notes(edits.path / "notes" / "anna.csv", {"a": ClipNote("skipped")})
    under_way = {"a": vector(0, None, None, None), "b": vector(1, 1)}
    write_temporal_edits(edits.annotator_path("anna"), under_way)
    whole, anna = check_edits(edits.path, reporter=Silent()).rows
    assert whole == {
        "file": str(edits.edits_path),
        "clips": 3,
        "edited": 1,
        "partly_edited": 0,
        "unedited": 2,
        "frames": 4,
        "mean_score": pytest.approx(0.5625),
        "zero_percent": 25,
        "half_percent": 25,
        "one_percent": 25,
        "other_percent": 25,
        "confirmed": 1,
        "skipped": 0,
        "unsure": 1,
    }
    counts = ("clips", "edited", "partly_edited", "unedited", "frames")
    assert [anna[key] for key in counts] == [2, 1, 1, 0, 3]
    assert [anna[key] for key in ("confirmed", "skipped", "unsure")] == [0, 1, 0]


def test_blank_edits_have_no_shares(make_edits: Callable[..., object]) -> None:
    (row,) = check_edits(make_edits(a=2).path, reporter=Silent()).rows
    assert (row["frames"], row["mean_score"], row["zero_percent"]) == (0, None, None)


def test_clips_filled_in_part_are_refused_but_in_what_one_person_is_still_at(
    make_edits: Callable[..., object], vector: Callable[..., np.ndarray]
) -> None:
    edits = make_edits(a=2)
    for path in (edits.edits_path, edits.annotator_path("anna")):
        write_temporal_edits(path, {"a": vector(None, 1)})
    with pytest.raises(AttncliError, match=r"edits\.csv: 1 clip that .*'a' \(1 of 2 fr"):
        check_edits(edits.path, reporter=Silent())
    with pytest.raises(AttncliError, match=r"edits\.csv: 1 clip that .*'a' \(1 of 2 fr"):
        check_edits(edits.edits_path, reporter=Silent())
    (row,) = check_edits(edits.annotator_path("anna"), reporter=Silent()).rows
    assert row["partly_edited"] == 1


def test_clips_filled_in_part_are_named_and_left_out_where_that_is_asked_for(
    make_edits: Callable[..., object], vector: Callable[..., np.ndarray]
) -> None:
    edits = make_edits(a=2, b=1, c=2)
    half = {"a": vector(None, 1), "b": vector(1), "c": vector(0, None)}
    write_temporal_edits(edits.edits_path, half)
    for path in (edits.path, edits.edits_path):
        reporter = Told()
        (row,) = check_edits(path, skip_partial=True, reporter=reporter).rows
        assert (row["edited"], row["partly_edited"]) == (1, 2)
        (note,) = reporter.notes
        assert (
            "'a' (1 of 2 frames, none for frame 0), 'c' (1 of 2 frames, none for frame 1)" in note
        )


def test_a_file_in_an_edit_directory_is_checked_against_its_clips(
    make_edits: Callable[..., object],
    vector: Callable[..., np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edits = make_edits(a=2)
    write_temporal_edits(edits.edits_path, {"z": vector(1, 1)})
    write_temporal_edits(tmp_path / "loose.csv", {"z": vector(1, 1)})
    assert check_edits(tmp_path / "loose.csv", reporter=Silent()).rows[0]["edited"] == 1
    monkeypatch.chdir(edits.path)
    with pytest.raises(AttncliError, match="no such clip: 'z'"):
        check_edits(Path("edits.csv"), reporter=Silent())


def test_what_is_wrong_with_an_annotators_file_or_the_attention_is_named(
    make_edits: Callable[..., object],
) -> None:
    edits = make_edits(a=1)
    edits.annotator_path("anna").write_text(HEADER + "a,0,2\n")
    with pytest.raises(AttncliError, match=r"anna\.csv, line 2: clip 'a', frame 0: score '2'"):
        check_edits(edits.path, reporter=Silent())
    edits.annotator_path("anna").unlink()
    edits.attention_path.unlink()
    with pytest.raises(AttncliError, match=r"attention\.csv: no such file"):
        check_edits(edits.path, reporter=Silent())


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"none\.csv: no such file"):
        check_edits(tmp_path / "none.csv", reporter=Silent())
    with pytest.raises(AttncliError, match="name a directory `attncli edit-temporal select` wrote"):
        check_edits(tmp_path, reporter=Silent())
