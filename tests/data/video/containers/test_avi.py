import struct

import pytest

from attncli.data.video.containers import avi


def chunk(kind, content):
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def lone_riff(*chunks, form=b"AVI "):
    return chunk(b"RIFF", form + b"".join(chunks))


def test_only_avi_files_fit():
    assert avi.fits(b"RIFF\x24\x00\x00\x00AVI LIST")
    assert not avi.fits(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    assert not avi.fits(b"RIFF")


def test_a_file_is_cut_short_as_soon_as_its_last_byte_is_missing(make_video, damage_by):
    path = make_video("a.avi", 12)
    assert damage_by(avi, path) is None
    path.write_bytes(path.read_bytes()[:-1])
    assert damage_by(avi, path) == "cut short"


def test_bytes_behind_the_announced_end_do_no_harm(make_video, damage_by):
    path = make_video("a.avi", 4)
    path.write_bytes(path.read_bytes() + b"more of something")
    assert damage_by(avi, path) is None


@pytest.mark.parametrize("span", [(0.3, 0.5), (0.6, 1.0)])
def test_a_hole_in_a_file_is_found_where_it_begins_or_later(make_video, damage_by, zeroed, span):
    path = make_video("a.avi", 60, size_hw=(120, 160))
    content = path.read_bytes()
    path.write_bytes(zeroed(content, *span))
    at = int(damage_by(avi, path).removeprefix("damaged at byte "))
    assert span[0] * len(content) - 1 <= at <= span[1] * len(content)


def test_a_hole_before_the_pictures_is_found_too(make_video, damage_by):
    path = make_video("a.avi", 8)
    content = path.read_bytes()
    last = content.index(b"movi") + 200
    for first in (content.index(b"INFO") - 8, content.index(b"movi") - 8):
        path.write_bytes(content[:first] + bytes(last - first) + content[last:])
        assert damage_by(avi, path) == f"damaged at byte {first}"


def test_a_second_video_behind_the_first_is_not_taken_for_its_end(make_video, damage_by):
    path = make_video("a.avi", 8)
    path.write_bytes(path.read_bytes() * 2)
    assert damage_by(avi, path) == "followed by a second video in the same file"


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_length_that_was_never_filled_in_announces_nothing(tmp_path, damage_by, length):
    path = tmp_path / "a.avi"
    path.write_bytes(b"RIFF" + struct.pack("<I", length) + b"AVI LIST")
    assert damage_by(avi, path) is None


PICTURE = chunk(b"00dc", b"odd")


@pytest.mark.parametrize("padding", [b"\0", b""])
def test_chunks_of_an_odd_length_may_be_padded_or_not(tmp_path, damage_by, padding):
    pictures = b"00dc\x03\x00\x00\x00odd" + padding + b"01wb\x02\x00\x00\x00ok"
    path = tmp_path / "a.avi"
    path.write_bytes(lone_riff(chunk(b"LIST", b"movi" + pictures)))
    assert damage_by(avi, path) is None


def test_pictures_may_be_in_lists_and_a_hole_in_one_is_found(tmp_path, damage_by):
    path = tmp_path / "a.avi"
    whole = lone_riff(chunk(b"LIST", b"movi" + chunk(b"LIST", b"rec " + PICTURE * 3)))
    path.write_bytes(whole)
    assert damage_by(avi, path) is None
    second = whole.index(b"00dc") + len(PICTURE)
    path.write_bytes(whole[:second] + bytes(len(PICTURE)) + whole[second + len(PICTURE) :])
    assert damage_by(avi, path) == f"damaged at byte {second}"


def test_further_outermost_chunks_of_large_files_are_gone_through(tmp_path, damage_by):
    path = tmp_path / "a.avi"
    movie = chunk(b"LIST", b"movi" + PICTURE)
    first, second = lone_riff(movie), lone_riff(movie, form=b"AVIX")
    path.write_bytes(first + second)
    assert damage_by(avi, path) is None
    path.write_bytes((first + second)[:-1])
    assert damage_by(avi, path) == "cut short"
    path.write_bytes(first + second.replace(b"00dc", bytes(4)))
    assert damage_by(avi, path) == f"damaged at byte {len(first) + second.index(b'00dc')}"
