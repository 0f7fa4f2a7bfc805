from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from attncli.errors import AttncliError
from attncli.files.edit_directory import EditDirectory
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits, write_temporal_edits
from attncli.workflows.edit.temporal.filling import filled, summary

MakeEdits = Callable[..., EditDirectory]
Vector = Callable[..., np.ndarray]
Options = dict[str, bool]

KEEPING: Options = {"overwrite": False, "dry_run": False}
REPLACING: Options = {"overwrite": True, "dry_run": False}


def scores(edits: TemporalEdits) -> dict[str, list[float | None]]:
    """Return the scores by clip, None where they are blank."""
    return {
        id_: [None if np.isnan(score) else float(score) for score in vector]
        for id_, vector in edits.scores.items()
    }


def test_vectors_are_put_in_and_other_clips_stay_as_they_are(
    make_edits: MakeEdits, vector: Vector
) -> None:
    directory = make_edits(a=2, b=3, c=1)
    write_temporal_edits(
        directory.edits_path,
        {"a": vector(1, 0.5), "b": vector(None, None, None), "c": vector(None)},
    )
    edits = filled(directory, {"b": vector(0, 0.25, 1)}, **KEEPING)
    expected = {"a": [1, 0.5], "b": [0, 0.25, 1], "c": [None]}
    assert scores(edits) == scores(directory.read_edits()) == expected
    assert edits.path == directory.edits_path


def test_a_missing_file_is_made_with_all_clips_in_their_order(
    make_edits: MakeEdits, vector: Vector
) -> None:
    directory = make_edits(b=1, a=2)
    directory.edits_path.unlink()
    filled(directory, {"a": vector(1, 0)}, **KEEPING)
    assert directory.edits_path.read_text() == "id,frame,score\nb,0,\na,0,1\na,1,0\n"


def test_a_file_that_names_some_clips_only_gets_the_others(
    make_edits: MakeEdits, vector: Vector
) -> None:
    directory = make_edits(a=1, b=2)
    write_temporal_edits(directory.edits_path, {"a": vector(0.5)})
    assert scores(filled(directory, {}, **KEEPING)) == {"a": [0.5], "b": [None, None]}
    assert scores(directory.read_edits()) == {"a": [0.5], "b": [None, None]}


@pytest.mark.parametrize("is_there", [False, True])
def test_a_dry_run_says_what_would_be_and_leaves_the_file(
    make_edits: MakeEdits, vector: Vector, is_there: bool
) -> None:
    directory = make_edits(a=1, b=1)
    if not is_there:
        directory.edits_path.unlink()
    before = directory.edits_path.read_bytes() if is_there else None
    edits = filled(directory, {"a": vector(1)}, overwrite=False, dry_run=True)
    assert scores(edits) == {"a": [1], "b": [None]}
    assert directory.edits_path.exists() == is_there
    assert before is None or directory.edits_path.read_bytes() == before


@pytest.mark.parametrize("dry_run", [False, True])
def test_edited_clips_are_refused_by_name_and_number(
    make_edits: MakeEdits, vector: Vector, dry_run: bool
) -> None:
    directory = make_edits(a=1, b=2, c=1)
    write_temporal_edits(
        directory.edits_path, {"a": vector(1), "b": vector(None, 0), "c": vector(None)}
    )
    before = directory.edits_path.read_bytes()
    given = {"c": vector(1), "b": vector(1, 1), "a": vector(0)}
    with pytest.raises(AttncliError) as raised:
        filled(directory, given, overwrite=False, dry_run=dry_run)
    # A clip that is filled in for a part is edited already; it comes first in what is given.
    assert str(raised.value) == (
        f"{directory.edits_path}: 2 clips are edited already, such as 'b'; pass --overwrite to"
        " replace these edits"
    )
    assert directory.edits_path.read_bytes() == before


def test_one_edited_clip_is_refused_by_name_alone(make_edits: MakeEdits, vector: Vector) -> None:
    directory = make_edits(a=1)
    filled(directory, {"a": vector(1)}, **KEEPING)
    with pytest.raises(AttncliError, match=r"edits\.csv: clip 'a' is edited already; pass --over"):
        filled(directory, {"a": vector(1)}, **KEEPING)


def test_edits_may_be_replaced_where_that_is_asked_for(
    make_edits: MakeEdits, vector: Vector
) -> None:
    directory = make_edits(a=2, b=1)
    filled(directory, {"a": vector(1, 1), "b": vector(0.5)}, **KEEPING)
    filled(directory, {"a": vector(0, None)}, **REPLACING)
    found = directory.read_edits(allow_partial=True)
    assert scores(found) == {"a": [0, None], "b": [0.5]}


def test_vectors_that_are_handed_in_are_not_changed(make_edits: MakeEdits, vector: Vector) -> None:
    directory = make_edits(a=1)
    given = {"a": vector(0.5)}
    filled(directory, given, **KEEPING)
    filled(directory, {"a": vector(1)}, **REPLACING)
    assert given["a"].tolist() == [0.5]


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.lists(st.sampled_from([None, 0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=6),
    )
)
def test_a_summary_counts_what_counting_one_by_one_finds(
    clips: dict[str, list[float | None]],
) -> None:
    vectors = {id_: np.array(row, dtype=np.float32) for id_, row in clips.items()}
    row = summary(TemporalEdits(Path("edits.csv"), vectors))
    given = [score for scores in clips.values() for score in scores if score is not None]
    blanks = [sum(score is None for score in scores) for scores in clips.values()]
    sizes = [len(scores) for scores in clips.values()]
    assert (row["file"], row["clips"], row["frames"]) == ("edits.csv", len(clips), len(given))
    assert row["edited"] == blanks.count(0)
    assert row["unedited"] == sum(b == n for b, n in zip(blanks, sizes, strict=True))
    assert row["edited"] + row["partly_edited"] + row["unedited"] == len(clips)
    names = {"zero_percent": 0.0, "half_percent": 0.5, "one_percent": 1.0}
    if not given:
        assert {row[name] for name in (*names, "other_percent", "mean_score")} == {None}
        return
    for name, level in names.items():
        assert row[name] == pytest.approx(100 * given.count(level) / len(given))
    other = sum(score not in names.values() for score in given)
    assert row["other_percent"] == pytest.approx(100 * other / len(given))
    assert row["mean_score"] == pytest.approx(sum(given) / len(given))


def test_a_summary_is_the_same_after_the_way_to_a_file_and_back(
    tmp_path: Path, vector: Vector
) -> None:
    path = tmp_path / "edits.csv"
    vectors = {"a": vector(0.1, None, 0.7), "b": vector(1 / 3)}
    write_temporal_edits(path, vectors)
    again = read_temporal_edits(path, allow_partial=True)
    assert summary(again) == summary(TemporalEdits(path, vectors))
