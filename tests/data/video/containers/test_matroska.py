import pytest

from attncli.data.video.containers import matroska

CODECS = {"a.webm": "libvpx-vp9", "a.mkv": "libx264"}


def test_only_matroska_files_fit():
    assert matroska.fits(bytes.fromhex("1a45dfa3 9f"))
    assert not matroska.fits(bytes.fromhex("1a45dfa4 9f"))
    assert not matroska.fits(b"")


@pytest.mark.parametrize("name", CODECS)
def test_a_file_is_cut_short_as_soon_as_its_last_byte_is_missing(make_video, damage_by, name):
    path = make_video(name, 12, codec=CODECS[name])
    assert damage_by(matroska, path) is None
    path.write_bytes(path.read_bytes()[:-1])
    assert damage_by(matroska, path) == "cut short"


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("span", [(0.3, 0.5), (0.6, 1.0)])
def test_a_hole_in_a_file_is_found_where_it_begins_or_later(
    make_video, damage_by, zeroed, name, span
):
    path = make_video(name, 60, codec=CODECS[name], size_hw=(120, 160))
    content = path.read_bytes()
    path.write_bytes(zeroed(content, *span))
    at = int(damage_by(matroska, path).removeprefix("damaged at byte "))
    assert span[0] * len(content) - 1 <= at <= span[1] * len(content)


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


def test_a_live_stream_is_gone_through_without_lengths(make_video, damage_by, zeroed):
    path = _live(make_video("a.webm", 40, codec="libvpx-vp9"))
    assert damage_by(matroska, path) is None
    content = path.read_bytes()
    path.write_bytes(zeroed(content, 0.4, 0.6))
    assert "damaged at byte" in damage_by(matroska, path)


def test_a_second_video_behind_the_first_is_not_taken_for_its_end(make_video, damage_by):
    path = make_video("a.webm", 8, codec="libvpx-vp9")
    path.write_bytes(path.read_bytes() * 2)
    assert damage_by(matroska, path) == "followed by a second video in the same file"


EBML = bytes.fromhex("1a45dfa3 80")  # of length 0


@pytest.mark.parametrize(
    ("rest", "damage"),
    [
        ("18538067 84 ec820000", None),
        ("18538067 85 ec820000", "cut short"),
        ("18538067 84 ec830000", "cut short"),
        ("18538067 88 ec820000 aa820000", "damaged at byte 14"),
        ("18538067 88 ec820000 00820000", "damaged at byte 14"),
        ("18538067 89 1f43b675 84 e7820000", None),
        ("18538067 89 1f43b675 84 ee820000", "damaged at byte 15"),
        ("18538067 ff 1f43b675 ff e7820000 1c53bb6b 80", None),
        ("", "cut short"),
        ("ec820000", "cut short"),
    ],
)
def test_elements_are_gone_through_by_their_lengths(tmp_path, damage_by, rest, damage):
    path = tmp_path / "a.mkv"
    path.write_bytes(EBML + bytes.fromhex(rest))
    assert damage_by(matroska, path) == damage
