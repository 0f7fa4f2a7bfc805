from pathlib import Path

import numpy as np
import pytest

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump
from attncli.errors import AttncliError, UsageError
from attncli.files.edit_directory import EditClip, EditDirectory, open_edit_directory
from attncli.files.temporal_edits import write_temporal_edits

CLIPS = (
    EditClip("000123", "Push, then pull", "Pull", frames=3, fps=12.0),
    EditClip("a/b", "Push", "Pull", frames=1, fps=29.97),
)


@pytest.fixture
def edits(tmp_path: Path) -> EditDirectory:
    directory = EditDirectory(tmp_path / "edits")
    directory.annotators_path.mkdir(parents=True)
    directory.config_path.write_text(dump(SelectConfig(run=Path("/runs/st_abn"))))
    directory.write_clips(CLIPS)
    return directory


def test_clips_and_settings_that_are_written_are_read(edits: EditDirectory) -> None:
    found = open_edit_directory(edits.path)
    assert tuple(found.read_clips().values()) == CLIPS
    assert list(found.read_clips()) == ["000123", "a/b"]
    assert found.read_settings() == SelectConfig(run=Path("/runs/st_abn"))


def test_thumbnails_are_numbered_from_1_as_frame_directories_are(edits: EditDirectory) -> None:
    assert edits.frame_path("a/b", 0) == edits.path / "frames" / "a" / "b" / "000001.jpg"


def test_people_are_found_by_name(edits: EditDirectory) -> None:
    for name in ("ben", "anna"):
        edits.annotator_path(name).touch()
    (edits.annotators_path / ".anna.csv.tmp.csv").touch()
    assert edits.annotators() == {name: edits.annotator_path(name) for name in ("anna", "ben")}


@pytest.mark.parametrize("name", ["", "../anna", "a/b", ".anna", "a" * 65, "anna\n"])
def test_a_name_that_makes_no_file_is_refused(edits: EditDirectory, name: str) -> None:
    with pytest.raises(UsageError, match="--annotator"):
        edits.annotator_path(name)


def test_edits_and_attention_must_fit_the_clips(edits: EditDirectory) -> None:
    fitting = {"000123": np.array([0, 0.5, 1], np.float32), "a/b": np.array([1], np.float32)}
    write_temporal_edits(edits.edits_path, fitting)
    write_temporal_edits(edits.attention_path, fitting)
    assert edits.read_edits().ids == ("000123", "a/b")
    np.testing.assert_array_equal(edits.read_attention()["000123"], fitting["000123"])
    write_temporal_edits(edits.annotator_path("anna"), {"a/b": np.array([1, 1], np.float32)})
    with pytest.raises(AttncliError, match=r"anna\.csv: clip 'a/b' has 2 frames, its video 1"):
        edits.read_edits(edits.annotator_path("anna"))


def test_attention_of_every_clip_is_needed(edits: EditDirectory) -> None:
    write_temporal_edits(edits.attention_path, {"a/b": np.array([1], np.float32)})
    with pytest.raises(AttncliError, match=r"attention\.csv: has no rows of clip '000123'"):
        edits.read_attention()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,Push,Pull,many,12", "line 2: clip 'a': invalid literal"),
        ("a,Push,Pull,0,12", "line 2: clip 'a': frames and fps must be positive"),
        ("a,Push,Pull,3,inf", "frames and fps must be positive"),
        ("a,Push,Pull,3,nan", "frames and fps must be positive"),
        ("../a,Push,Pull,3,12", "cannot be the name"),
        ("/a,Push,Pull,3,12", "cannot be the name"),
        (",Push,Pull,3,12", "cannot be the name"),
        ("a,Push,Pull,3,12\na,Push,Pull,3,12", "line 3: clip 'a' is listed twice"),
    ],
)
def test_lines_of_no_clip_are_refused(edits: EditDirectory, line: str, message: str) -> None:
    edits.clips_path.write_text(f"id,label,predicted,frames,fps\n{line}\n")
    with pytest.raises(AttncliError, match=message):
        edits.read_clips()


def test_other_directories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"no such edit directory; name a directory"):
        open_edit_directory(tmp_path / "none")
    with pytest.raises(AttncliError, match=r"no config\.toml and clips\.csv"):
        open_edit_directory(tmp_path)
