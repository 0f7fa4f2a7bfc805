import pytest

from attncli.data.video.containers import find_damage


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9"), ("a.mkv", "libx264"), ("a.flv", "flv1")),
        *(("a.mp4", "libx264"), ("a.mov", "libx264"), ("a.ts", "libx264"), ("a.wmv", "wmv2")),
    ],
)
def test_each_container_is_told_by_its_content_and_gone_through(make_video, name, codec):
    path = make_video(name, 12, codec=codec)
    path = path.rename(path.with_name("video"))
    assert find_damage(path) is None
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 1])
    assert find_damage(path) == "cut short"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF\xff\xff\xff\xffAVI ",
        bytes.fromhex("1a45dfa3 80"),
        b"\x00\x00\x00\x18ftypmp42",
        b"\x00\x00\x01\xba",  # a program stream, which has no lengths
        b"RIFF\x04\x00\x00\x00WAVE",
    ],
)
def test_headers_that_leave_the_length_open_announce_none(tmp_path, head):
    path = tmp_path / "video"
    path.write_bytes(head + bytes(20))
    assert find_damage(path) is None
