import pytest

from attncli.data.video.containers import mpegts


def packet(first=b""):
    return first + b"G" + bytes(187)


def test_streams_are_told_by_three_marks_in_a_row():
    assert mpegts.fits(packet() * 3)
    assert mpegts.fits(packet(bytes(4)) * 3)
    assert not mpegts.fits(packet() * 2)
    assert not mpegts.fits(packet() * 2 + bytes(188))
    assert not mpegts.fits(b"")


@pytest.mark.parametrize(("name", "length"), [("a.ts", 188), ("a.m2ts", 192)])
def test_a_stream_is_cut_short_where_it_ends_within_a_packet(make_video, damage_by, name, length):
    path = make_video(name, 12, codec="libx264")
    content = path.read_bytes()
    assert (len(content) % length, damage_by(mpegts, path)) == (0, None)
    path.write_bytes(content[:-1])
    assert damage_by(mpegts, path) == "cut short"
    path.write_bytes(content[: 5 * length] + bytes(length) + content[6 * length :])
    assert damage_by(mpegts, path) == f"damaged at byte {5 * length}"


@pytest.mark.parametrize("wrong", [3, 16383, 16384, 20000])
def test_a_packet_without_a_mark_is_found_however_many_come_before_it(tmp_path, damage_by, wrong):
    path = tmp_path / "a.ts"
    path.write_bytes(packet() * wrong + bytes(188) + packet() * 2)
    assert damage_by(mpegts, path) == f"damaged at byte {wrong * 188}"
