from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.errors import AttncliError
from attncli.files.temporal_edits import (
    HEADER,
    PartlyEditedError,
    edit_rows,
    read_temporal_edits,
    write_temporal_edits,
)

IDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=6)
SCORES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1, width=32)


def vector(*scores: float | None) -> np.ndarray:
    return np.array([np.nan if score is None else score for score in scores], dtype=np.float32)


def write(path: Path, rows: str) -> Path:
    path.write_text(HEADER + rows)
    return path


@settings(max_examples=60, deadline=None)
@given(
    clips=st.dictionaries(
        IDS.filter(str.strip) | st.sampled_from(["000123", "NA", "a,b", '"', " x "]),
        st.lists(SCORES, min_size=1, max_size=5) | st.integers(1, 5),
        max_size=5,
    )
)
def test_what_is_written_is_read_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, clips: dict[str, list[float] | int]
) -> None:
    path = tmp_path_factory.mktemp("edits") / "edits.csv"
    written = {
        id_: vector(*scores) if isinstance(scores, list) else vector(*[None] * scores)
        for id_, scores in clips.items()
    }
    write_temporal_edits(path, written)
    found = read_temporal_edits(path, n_frames={id_: len(v) for id_, v in written.items()})
    assert list(found.scores) == list(written)
    for id_, scores in written.items():
        np.testing.assert_array_equal(found.scores[id_], scores)
    assert found.ids == tuple(id_ for id_, s in clips.items() if isinstance(s, list))
    assert found.unedited == tuple(id_ for id_, s in clips.items() if isinstance(s, int))


def test_a_file_reads_as_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "edits.csv"
    write_temporal_edits(path, {"007": vector(0, 0.5, 1, 0.25), "b": vector(None)})
    assert path.read_text() == "id,frame,score\n007,0,0\n007,1,0.5\n007,2,1\n007,3,0.25\nb,0,\n"
    assert edit_rows("a,b", vector(1)) == '"a,b",0,1\n'


def test_rows_may_be_in_any_order(tmp_path: Path) -> None:
    edits = read_temporal_edits(write(tmp_path / "e.csv", "b,1,1\na,0,0\nb,0,0.5\na,1,1\n"))
    assert edits.ids == ("b", "a")
    np.testing.assert_array_equal(edits.scores["b"], vector(0.5, 1))


def test_edits_are_read_at_the_very_frames_sampled(tmp_path: Path) -> None:
    edits = read_temporal_edits(write(tmp_path / "e.csv", "a,0,0\na,1,0.5\na,2,1\nb,0,\n"))
    np.testing.assert_array_equal(edits.read("a", np.array([2, 0, 0, 1])), vector(1, 0, 0, 0.5))
    assert edits.read("b", np.array([0])) is None
    assert edits.read("c", np.array([7])) is None


def test_frames_beyond_the_edits_name_both_lengths(tmp_path: Path) -> None:
    edits = read_temporal_edits(write(tmp_path / "e.csv", "a,0,0\na,1,0.5\n"))
    with pytest.raises(AttncliError, match=r"e\.csv: clip 'a' has scores for 2 .* at least 6"):
        edits.read("a", np.array([0, 5]))


@pytest.mark.parametrize("n_frames", [1, 3])
def test_a_video_of_another_length_than_its_edits_is_refused_whatever_is_sampled(
    tmp_path: Path, n_frames: int
) -> None:
    edits = read_temporal_edits(write(tmp_path / "e.csv", "a,0,0\na,1,0.5\n"))
    np.testing.assert_array_equal(edits.read("a", np.array([0]), n_frames=2), vector(0))
    with pytest.raises(AttncliError, match=f"scores for 2 frames, but its video has {n_frames};"):
        edits.read("a", np.array([0]), n_frames=n_frames)


def test_clips_under_way_are_read_with_leave_and_give_no_edit(tmp_path: Path) -> None:
    path = write(tmp_path / "e.csv", "a,0,\na,1,0.5\nb,0,1\n")
    edits = read_temporal_edits(path, allow_partial=True)
    assert (edits.ids, edits.unedited, edits.partly_edited) == (("b",), (), ("a",))
    np.testing.assert_array_equal(edits.scores["a"], vector(None, 0.5))
    assert edits.read("a", np.array([1])) is None


def test_every_clip_that_is_half_done_is_named_however_many(tmp_path: Path) -> None:
    ids = [f"Pushing something from left to right/{number:06}" for number in range(200)]
    path = write(tmp_path / "e.csv", "".join(f"{id_},0,1\n{id_},1,\n" for id_ in ids) + "b,0,1\n")
    with pytest.raises(PartlyEditedError, match=r"e\.csv: 200 clips that have") as raised:
        read_temporal_edits(path)
    message = str(raised.value)
    assert all(f"{id_!r} (1 of 2 frames, none for frame 1)" in message for id_ in ids)
    assert message.endswith("--skip-partial of train and check leaves them out")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,0,1.5\n", r"line 2: clip 'a', frame 0: score '1.5' is not in \[0, 1\]"),
        ("a,0,0\na,1,-0.1\n", r"line 3: clip 'a', frame 1: score '-0.1' is not in"),
        ("a,0,nan\n", "clip 'a', frame 0: score 'nan' is not in"),
        ("a,0,half\n", "clip 'a', frame 0: score 'half' is not a number"),
        ('a,0,"0,5"\n', "clip 'a', frame 0: score '0,5' has a comma; write .* as 0.5"),
        ("a,0,0,5\n", "line 2.*as 0.5"),
        ("a,0,0\na,0,1\n", "line 3: clip 'a': frame 0 is listed twice"),
        ("a,0,0\na,2,1\n", "line 3: clip 'a': frame 1 is missing"),
        ("a,1,0\n", "line 2: clip 'a': frame 0 is missing"),
        ("a,-1,0\n", "clip 'a', frame -1: a frame is a whole number"),
        ("a,0.0,0\n", "clip 'a', frame 0.0: a frame is a whole number"),
        ("a,99999999999999999999,0\n", "a frame is a whole number"),
        (
            "b,0,0\na,0,0.5\na,1,\na,2,\n",
            r"1 clip that has scores for some frames only: 'a' \(1 of 3 frames, none for frame 1\)",
        ),
        (",0,0.5\n", "line 2: no such clip: ''"),
    ],
)
def test_what_cannot_be_is_named_with_file_clip_and_frame(
    tmp_path: Path, rows: str, message: str
) -> None:
    path = write(tmp_path / "e.csv", rows)
    with pytest.raises(AttncliError, match=message) as raised:
        read_temporal_edits(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_unknown_clips_and_other_lengths_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "e.csv", "000123,0,0\n000123,1,1\n")
    assert read_temporal_edits(path, known={"000123"}).ids == ("000123",)
    with pytest.raises(AttncliError, match="line 2: no such clip: '000123'; keep the ids"):
        read_temporal_edits(path, known={"123"})
    with pytest.raises(AttncliError, match="no such clip: '000123'"):
        read_temporal_edits(path, n_frames={"123": 2})
    with pytest.raises(AttncliError, match="clip '000123' has 2 frames, its video 3"):
        read_temporal_edits(path, n_frames={"000123": 3})


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path / "e.csv", "a,0,1\n")
    with pytest.raises(TypeError):
        write_temporal_edits(path, {"a": vector(0), 5: vector(0)})  # type: ignore[dict-item]
    assert path.read_text() == HEADER + "a,0,1\n"
    assert [file.name for file in tmp_path.iterdir()] == ["e.csv"]
