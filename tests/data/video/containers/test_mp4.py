import struct

import av
import pytest

from attncli.data.video.containers import mp4

KINDS = {
    "index first": {"movflags": "faststart"},
    "index last": {},
    "fragments": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
}


def box(kind, content=b""):
    return struct.pack(">I", 8 + len(content)) + kind + content


def test_only_files_that_begin_with_a_known_box_fit():
    assert mp4.fits(b"\x00\x00\x00\x18ftypmp42")
    assert mp4.fits(b"\x00\x00\x00\x08wide\x00\x00")
    assert not mp4.fits(b"\x00\x00\x00\x18moovie"[:7])
    assert not mp4.fits(b"ftyp\x00\x00\x00\x18")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_cut_short_wherever_its_pictures_are_cut(tmp_path, frames_of, damage_by, kind):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options=KINDS[kind]) as container:
        stream = container.add_stream("libx264", 25, options={"g": "5"})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for frame in frames_of(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    assert damage_by(mp4, path) is None
    first = content.index(b"mdat") + 8
    last = content.rindex(b"mdat")
    for cut in (first, first + 1, (first + last) // 2 + 1, last + 6, last + 100):
        path.write_bytes(content[:cut])
        assert damage_by(mp4, path) == "cut short", cut
    path.write_bytes(content + bytes(100))
    assert (damage_by(mp4, path) is None) == (kind != "fragments")


LONG = b"\x00\x00\x00\x01mdat" + struct.pack(">Q", 16 + 5)
OPEN = b"\x00\x00\x00\x00mdat"


@pytest.mark.parametrize(
    ("rest", "damage"),
    [
        (box(b"moov") + LONG + b"abcde", None),
        (box(b"moov") + LONG + b"abcd", "cut short"),
        (box(b"moov") + OPEN + b"whatever follows", None),
        (box(b"moov") + b"\x00\x00\x00", None),
        (box(b"moov") + b"\x00\x00\x01", "cut short"),
        (box(b"\xa9too") + box(b"moov"), None),
        (box(b"moof") + box(b"mdat", b"abc"), None),
        (box(b"moof"), "cut short"),
        (box(b"moof") + box(b"mdat") + b"\xff" * 20, "damaged at byte 32"),
        (box(b"mdat") + b"\xff" * 20, None),
    ],
)
def test_boxes_are_gone_through_by_their_lengths(tmp_path, damage_by, rest, damage):
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom\x00\x00\x00\x00") + rest)
    assert damage_by(mp4, path) == damage
