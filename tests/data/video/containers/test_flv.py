import pytest

from attncli.data.video.containers import flv

HEADER = b"FLV\x01\x01\x00\x00\x00\x09" + bytes(4)


def tag(kind, content):
    head = bytes([kind]) + len(content).to_bytes(3, "big") + bytes(7)
    return head + content + (11 + len(content)).to_bytes(4, "big")


def test_only_flash_videos_fit():
    assert flv.fits(HEADER)
    assert not flv.fits(b"FLX\x01")


def test_a_video_is_cut_short_or_has_a_hole(make_video, damage_by, zeroed):
    path = make_video("a.flv", 40, codec="flv1")
    content = path.read_bytes()
    assert damage_by(flv, path) is None
    path.write_bytes(content[: len(content) * 2 // 3])
    assert damage_by(flv, path) == "cut short"
    path.write_bytes(zeroed(content, 0.3, 0.8))
    assert "damaged at byte" in damage_by(flv, path)


@pytest.mark.parametrize(
    ("tags", "damage"),
    [
        (tag(18, b"script") + tag(9, b"picture") + tag(8, b"sound"), None),
        (tag(9, b"picture")[:-4], None),
        (tag(9, b"picture")[:-5], "cut short"),
        (tag(9, b"picture") + tag(9, b"picture")[:8], "cut short"),
        (tag(9, b"picture") + tag(7, b"what"), f"damaged at byte {len(HEADER) + 22}"),
        (tag(9 | 0x20, b"encrypted"), None),
    ],
)
def test_tags_are_gone_through_by_their_lengths(tmp_path, damage_by, tags, damage):
    path = tmp_path / "a.flv"
    path.write_bytes(HEADER + tags)
    assert damage_by(flv, path) == damage
