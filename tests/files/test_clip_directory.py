from dataclasses import dataclass

import pytest

from attncli.errors import AttncliError
from attncli.files.clip_directory import ClipDirectory, EditClip, read_clips, write_clips


@dataclass(frozen=True)
class WideClip(EditClip):
    """A clip with one more number."""

    width: int


class WideDirectory(ClipDirectory):
    """A directory of them."""

    def read_clips(self):
        return read_clips(self.clips_path, WideClip)

    def has_edits(self):
        return False


CLIPS = (
    WideClip("000123", "Push, then pull", "Pull", 3, 12.0, 640),
    WideClip("a/b", "Push", "Pull", 1, 29.97, 320),
)


def test_clips_that_are_written_are_read_in_their_order(tmp_path):
    directory = WideDirectory(tmp_path)
    write_clips(directory.clips_path, WideClip, CLIPS)
    assert directory.clips_path.read_text().startswith("id,label,predicted,frames,fps,width\n")
    assert directory.read_clips() == {clip.id: clip for clip in CLIPS}
    assert list(directory.read_clips()) == ["000123", "a/b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,Push,Pull,3,12,wide", "line 2: clip 'a': invalid literal"),
        ("a,Push,Pull,3,12,0", "line 2: clip 'a': frames, fps and width must be positive"),
        ("a,Push,Pull,3,inf,5", "frames, fps and width must be positive"),
        ("../a,Push,Pull,3,12,5", r"clip '\.\./a' cannot be the name of its directory"),
        ("a/../../b,Push,Pull,3,12,5", "cannot be the name"),
        ("/a,Push,Pull,3,12,5", "cannot be the name"),
        (",Push,Pull,3,12,5", "cannot be the name"),
        ("a,Push,Pull,3,12,5\na,Push,Pull,3,12,5", "line 3: clip 'a' is listed twice"),
    ],
)
def test_lines_of_no_clip_are_refused(tmp_path, line, message):
    path = tmp_path / "clips.csv"
    path.write_text(f"id,label,predicted,frames,fps,width\n{line}\n")
    with pytest.raises(AttncliError, match=message):
        read_clips(path, WideClip)


def test_columns_of_another_kind_of_clip_are_missed(tmp_path):
    write_clips(tmp_path / "clips.csv", EditClip, [EditClip("a", "b", "c", 1, 1.0)])
    with pytest.raises(AttncliError, match="width"):
        read_clips(tmp_path / "clips.csv", WideClip)


def test_everything_has_its_place(tmp_path):
    directory = WideDirectory(tmp_path)
    assert directory.frame_path("a/b", 0) == tmp_path / "frames" / "a" / "b" / "000001.jpg"
    assert directory.frame_path("a/b", 11).name == "000012.jpg"
    places = ("config_path", "classes_path", "clips_path", "failures_path")
    names = [getattr(directory, place).name for place in places]
    assert names == ["config.toml", "classes.txt", "clips.csv", "failures.jsonl"]


def test_what_is_no_such_directory_is_refused_with_the_call_that_makes_one(tmp_path):
    with pytest.raises(AttncliError, match=r"no such edit directory; name .* `attncli x select`"):
        WideDirectory(tmp_path / "none").require_made("x")
    directory = WideDirectory(tmp_path)
    write_clips(directory.clips_path, WideClip, CLIPS)
    with pytest.raises(AttncliError, match=r"holds no config\.toml and clips\.csv"):
        directory.require_made("x")
    directory.config_path.touch()
    directory.require_made("x")
