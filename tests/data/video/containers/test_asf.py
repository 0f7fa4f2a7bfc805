import struct
from uuid import UUID

import pytest

from attncli.data.video.containers import asf

HEADER = UUID("75b22630-668e-11cf-a6d9-00aa0062ce6c").bytes_le
PROPERTIES = UUID("8cabdca1-a947-11cf-8ee4-00c00c205365").bytes_le


def test_only_asf_files_fit():
    assert asf.fits(HEADER + bytes(8))
    assert not asf.fits(PROPERTIES + bytes(8))


def test_a_video_is_cut_short_or_has_a_hole(make_video, damage_by, zeroed):
    path = make_video("a.wmv", 40, codec="wmv2")
    content = path.read_bytes()
    assert damage_by(asf, path) is None
    path.write_bytes(content[: len(content) * 2 // 3])
    assert damage_by(asf, path) == "cut short"
    path.write_bytes(zeroed(content, 0.3, 0.8))
    assert "damaged at byte" in damage_by(asf, path)


def test_a_hole_is_named_by_the_first_packet_in_it(make_video, damage_by):
    path = make_video("a.wmv", 40, codec="wmv2")
    content = path.read_bytes()
    (header_length,) = struct.unpack_from("<Q", content, 16)
    (packet,) = struct.unpack_from("<I", content, content.index(PROPERTIES) + 92)
    second = header_length + 50 + packet
    path.write_bytes(content[:second] + bytes(packet) + content[second + packet :])
    assert damage_by(asf, path) == f"damaged at byte {second}"


@pytest.mark.parametrize(("flags", "damage"), [(0, "cut short"), (1, None)])
def test_the_length_that_a_live_stream_announces_counts_for_nothing(
    make_video, damage_by, flags, damage
):
    path = make_video("a.wmv", 12, codec="wmv2")
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(PROPERTIES) + 88, flags)
    path.write_bytes(content[:-1])
    assert damage_by(asf, path) == damage


def test_a_header_without_properties_announces_nothing(make_video, damage_by):
    path = make_video("a.wmv", 12, codec="wmv2")
    content = path.read_bytes()
    path.write_bytes(content.replace(PROPERTIES, bytes(16))[:-1])
    assert damage_by(asf, path) is None
