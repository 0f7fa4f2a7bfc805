import av
import pytest

from attncli.data.video.containers import find_damage


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9"), ("a.mkv", "libx264")]
)
def test_a_file_is_cut_short_as_soon_as_its_last_byte_is_missing(make_video, name, codec):
    path = make_video(name, 12, codec=codec)
    assert find_damage(path) is None
    path.write_bytes(path.read_bytes()[:-1])
    assert find_damage(path) == "cut short"


def test_bytes_behind_the_announced_end_do_no_harm(make_video):
    path = make_video("a.avi", 4)
    path.write_bytes(path.read_bytes() + b"more")
    assert find_damage(path) is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF\xff\xff\xff\xffAVI ",
        bytes.fromhex("1a45dfa3 80"),
        b"\x00\x00\x00\x18ftypmp42",
    ],
)
def test_headers_that_leave_the_length_open_announce_none(tmp_path, head):
    path = tmp_path / "video"
    path.write_bytes(head + bytes(20))
    assert find_damage(path) is None


def _zeroed(content: bytes, start: float, stop: float) -> bytes:
    first, last = int(start * len(content)), int(stop * len(content))
    return content[:first] + bytes(last - first) + content[last:]


@pytest.mark.parametrize("name", ["a.webm", "a.mkv", "a.avi"])
@pytest.mark.parametrize("span", [(0.3, 0.5), (0.6, 1.0)])
def test_a_hole_in_a_file_is_found_where_it_begins_or_later(make_video, name, span):
    codec = {"a.avi": "mpeg4", "a.webm": "libvpx-vp9"}.get(name, "libx264")
    path = make_video(name, 60, codec=codec, size_hw=(120, 160))
    assert find_damage(path) is None
    content = path.read_bytes()
    path.write_bytes(_zeroed(content, *span))
    found = find_damage(path)
    assert found is not None
    assert found.startswith("damaged at byte ")
    at = int(found.removeprefix("damaged at byte "))
    assert span[0] * len(content) - 1 <= at <= span[1] * len(content)


def test_a_hole_before_the_pictures_is_found_too(make_video):
    path = make_video("a.avi", 8)
    content = path.read_bytes()
    last = content.index(b"movi") + 200
    for first in (content.index(b"INFO") - 8, content.index(b"movi") - 8):
        path.write_bytes(content[:first] + bytes(last - first) + content[last:])
        assert find_damage(path) == f"damaged at byte {first}"


def _live(path):
    """Have the segment and the clusters of a WebM leave their lengths open, as live streams do."""
    content = path.read_bytes()
    for name in ("18538067", "1f43b675"):
        tag, unknown = bytes.fromhex(name), bytes.fromhex("01ffffffffffffff")
        parts = content.split(tag)
        content = parts[0] + b"".join(
            tag + unknown + part[9 - part[0].bit_length() :] for part in parts[1:]
        )
    path.write_bytes(content)
    return path


def test_a_live_stream_is_gone_through_without_lengths(make_video):
    path = _live(make_video("a.webm", 40, codec="libvpx-vp9"))
    assert find_damage(path) is None
    content = path.read_bytes()
    path.write_bytes(_zeroed(content, 0.4, 0.6))
    assert "damaged at byte" in find_damage(path)


MP4 = {
    "index first": {"movflags": "faststart"},
    "index last": {},
    "fragments": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
}


@pytest.mark.parametrize("kind", MP4)
def test_an_mp4_file_is_cut_short_wherever_its_pictures_are_cut(tmp_path, frames_of, kind):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options=MP4[kind]) as container:
        stream = container.add_stream("libx264", 25, options={"g": "5"})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for frame in frames_of(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    assert find_damage(path) is None
    first = content.index(b"mdat") + 8
    last = content.rindex(b"mdat")
    for cut in (first, first + 1, (first + last) // 2 + 1, last + 6, last + 100):
        path.write_bytes(content[:cut])
        assert find_damage(path) == "cut short", cut
    path.write_bytes(content + bytes(100))
    assert (find_damage(path) is None) == (kind != "fragments")


@pytest.mark.parametrize("name", ["a.avi", "a.webm"])
def test_a_second_video_behind_the_first_is_not_taken_for_its_end(make_video, name):
    codec = "mpeg4" if name == "a.avi" else "libvpx-vp9"
    path = make_video(name, 8, codec=codec)
    path.write_bytes(path.read_bytes() * 2)
    assert find_damage(path) == "followed by a second video in the same file"


@pytest.mark.parametrize("name", ["a.ts", "a.m2ts"])
def test_a_transport_stream_is_cut_short_where_it_ends_within_a_packet(make_video, name):
    path = make_video(name, 12, codec="libx264")
    content = path.read_bytes()
    length = 188 if name == "a.ts" else 192
    assert (len(content) % length, find_damage(path)) == (0, None)
    path.write_bytes(content[:-1])
    assert find_damage(path) == "cut short"
    path.write_bytes(content[: 5 * length] + bytes(length) + content[6 * length :])
    assert find_damage(path) == f"damaged at byte {5 * length}"


@pytest.mark.parametrize("name", ["a.wmv", "a.flv"])
def test_wmv_and_flash_files_are_cut_short_too(make_video, name):
    path = make_video(name, 40, codec="wmv2" if name == "a.wmv" else "flv1")
    content = path.read_bytes()
    assert find_damage(path) is None
    path.write_bytes(content[: len(content) * 2 // 3])
    assert find_damage(path) == "cut short"
    path.write_bytes(_zeroed(content, 0.3, 0.8))
    assert "damaged at byte" in find_damage(path)
