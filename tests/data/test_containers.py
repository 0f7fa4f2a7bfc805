import pytest

from attncli.data.containers import is_cut_short


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9"), ("a.mkv", "libx264")]
)
def test_a_file_is_cut_short_as_soon_as_its_last_byte_is_missing(make_video, name, codec):
    path = make_video(name, 12, codec=codec)
    assert not is_cut_short(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert is_cut_short(path)


def test_bytes_behind_the_announced_end_do_no_harm(make_video):
    path = make_video("a.avi", 4)
    path.write_bytes(path.read_bytes() + b"more")
    assert not is_cut_short(path)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF\xff\xff\xff\xffAVI ",
        bytes.fromhex("1a45dfa3 80 18538067 01ffffffffffffff"),
        bytes.fromhex("1a45dfa3 80"),
        b"\x00\x00\x00\x18ftypmp42",
    ],
)
def test_headers_that_leave_the_length_open_announce_none(tmp_path, head):
    path = tmp_path / "video"
    path.write_bytes(head + bytes(20))
    assert not is_cut_short(path)
