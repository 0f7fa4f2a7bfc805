import io
import os
import struct

import av
import numpy as np
import pytest
from PIL import Image

from attncli.data.video import decoding
from attncli.data.video.decoding import (
    UnreadableVideoError,
    decode_all,
    decode_chosen,
    frame_index,
    video_size_hw,
)

CODINGS = {
    "one key frame.avi": {"codec": "mpeg4", "g": "300"},
    "B-frames.avi": {"codec": "mpeg4", "bf": "2", "g": "12"},
    "H.264 with B-frames.mp4": {"codec": "libx264", "bf": "3", "g": "10", "preset": "medium"},
    "open groups.mkv": {"codec": "libx264", "g": "10", "x264-params": "open-gop=1:scenecut=0"},
    "intra refresh.mkv": {"codec": "libx264", "g": "10", "x264-params": "intra-refresh=1"},
    "hidden frames.webm": {"codec": "libvpx-vp9", "auto-alt-ref": "1", "lag-in-frames": "12"},
    "separate hidden frames.webm": {
        "codec": "libvpx", "auto-alt-ref": "1", "lag-in-frames": "12", "b": "20k",
    },
}  # fmt: skip


def count(path):
    return len(frame_index(path).packets)


def pictures(path):
    return (frame.to_ndarray(format="rgb24") for frame in decode_all(path))


def pictures_at(path, indices):
    chosen, frames = decode_chosen(path, lambda _: np.asarray(indices))
    assert chosen.tolist() == list(indices)
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames])


@pytest.mark.parametrize("name", CODINGS)
def test_frames_are_counted_and_iterated_as_the_decoder_presents_them(
    make_video, decode_naively, name
):
    path = make_video(name, 40, **CODINGS[name])
    expected = decode_naively(path)
    assert count(path) == len(expected) == 40
    np.testing.assert_array_equal(np.stack(list(pictures(path))), expected)


@pytest.mark.parametrize("name", CODINGS)
def test_any_frames_are_those_of_a_full_decode_whether_the_file_is_known_or_not(
    make_video, decode_naively, name
):
    path = make_video(name, 40, **CODINGS[name])
    expected = decode_naively(path)
    generator = np.random.default_rng(0)
    for size in (1, 1, 2, 3, 8, 40, 60):
        indices = generator.integers(40, size=size)
        decoding._remembered.clear()
        np.testing.assert_array_equal(pictures_at(path, indices), expected[indices])
        np.testing.assert_array_equal(pictures_at(path, indices), expected[indices])
    for i in range(40):
        np.testing.assert_array_equal(pictures_at(path, [i])[0], expected[i])


def test_a_known_file_is_decoded_from_the_key_frame_before_the_first_wanted(make_video):
    path = make_video("a.avi", 40, g="12")
    index = frame_index(path)
    assert index.starts == (0, 12, 24, 36)
    assert [index.start_for([i, 39]) for i in (11, 12, 30, 39)] == [0, 12, 24, 36]


def test_header_with_a_wrong_number_of_frames_is_not_believed(
    make_video, decode_naively, lie_about_length
):
    for lie in (3, 25, 4000):
        path = lie_about_length(make_video("a.avi", 40), lie)
        assert count(path) == 40
        np.testing.assert_array_equal(
            pictures_at(path, [0, 24, 39]), decode_naively(path)[[0, 24, 39]]
        )


def test_a_clip_of_a_file_without_a_length_in_its_header_costs_one_decode(make_video, monkeypatch):
    path = make_video("a.webm", 40, codec="libvpx-vp9", deadline="realtime")
    decodes = []
    frames = decoding._frames
    monkeypatch.setattr(decoding, "_frames", lambda *a, **k: decodes.append(a) or frames(*a, **k))
    indices, chosen = decode_chosen(path, lambda n: np.arange(0, n, 3))
    assert indices.tolist() == list(range(0, 40, 3))
    assert len(chosen) == 14
    assert len(decodes) == 1


def test_packets_without_a_frame_are_not_counted(make_video, decode_naively):
    path = make_video("a.avi", 40)
    path.write_bytes(_without_picture(path.read_bytes(), packet=7))
    expected = decode_naively(path)
    assert count(path) == len(expected) == 39
    np.testing.assert_array_equal(pictures_at(path, [6, 7, 38]), expected[[6, 7, 38]])


def test_frames_packed_into_other_packets_are_found(make_video, decode_naively, pack_b_frames):
    path = make_video("a.avi", 41, bf="1", g="12")
    plain = decode_naively(path)
    path.write_bytes(pack_b_frames(path.read_bytes()))
    expected = decode_naively(path)
    assert len(expected) == len(plain)
    assert np.abs(expected.astype(int) - plain).mean() < 2  # it is told from XviD's transform
    assert count(path) == 41
    for first in range(0, 30, 3):
        indices = np.arange(first, 41, 4)
        np.testing.assert_array_equal(pictures_at(path, indices), expected[indices])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.avi", "a.webm", "a.mkv", "a.mp4"])
def test_a_video_cut_short_is_refused_whichever_frames_are_wanted(make_video, name, share):
    codec = {"a.avi": "mpeg4", "a.webm": "libvpx-vp9"}.get(name, "libx264")
    path = make_video(name, 40, codec=codec)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    for read in (count, lambda p: pictures_at(p, [0]), lambda p: list(pictures(p))):
        with pytest.raises(UnreadableVideoError) as error:
            read(path)
        assert str(error.value).startswith(f"{path}: ")
        assert "\n" not in str(error.value)


def test_the_error_of_a_cut_video_says_how_many_frames_are_left(make_video):
    path = make_video("a.avi", 40)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"idx1") - 400])
    seen = []
    with pytest.raises(UnreadableVideoError, match=r"only (\d+) frames can be read") as error:
        seen.extend(pictures(path))
    assert 0 < len(seen) < 40
    assert f"only {len(seen)} frames" in str(error.value)


def test_a_damaged_frame_is_an_error_and_never_a_concealed_picture(make_video):
    path = make_video("a.avi", 40, q="2")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 60] = np.random.default_rng(0).bytes(60)
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(UnreadableVideoError, match="damaged, only"):
            pictures_at(path, [0, 39])


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "a.webm", "noise.avi", "text.mp4"])
def test_files_without_a_frame_are_refused(tmp_path, name):
    path = tmp_path / name
    if name.startswith("a."):
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libvpx-vp9" if name == "a.webm" else "mpeg4", 25)
            stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
            container.start_encoding()
    else:
        path.write_bytes(np.random.default_rng(0).bytes(1000) if name == "noise.avi" else b"text")
    for read in (count, lambda p: pictures_at(p, [0]), lambda p: list(pictures(p))):
        with pytest.raises(UnreadableVideoError, match=name):
            read(path)


def test_a_sound_file_is_no_video(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", 8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(UnreadableVideoError, match="holds no video"):
        count(path)


def test_a_file_that_is_written_anew_is_counted_anew(make_video):
    assert count(make_video("a.avi", 10)) == 10
    assert count(make_video("a.avi", 12)) == 12


def test_an_av1_video_is_read_again_and_again(make_video, decode_naively):
    path = make_video("a.mp4", 40, codec="libsvtav1", preset="12")
    expected = decode_naively(path)
    for first in range(0, 40, 7):
        indices = np.arange(first, 40, 6)
        np.testing.assert_array_equal(pictures_at(path, indices), expected[indices])


def test_frames_a_decoder_leaves_out_are_decoded_as_a_whole_before_the_file_is_blamed(
    make_video, decode_naively, monkeypatch
):
    path = make_video("a.mp4", 20, codec="libx264", bf="2")
    expected = decode_naively(path)
    pictures_at(path, [0])
    asked = []

    def lacks_frames(*arguments):
        asked.append(arguments)
        return {}

    monkeypatch.setattr(decoding, "_decode_selected", lacks_frames)
    for _ in range(3):
        np.testing.assert_array_equal(pictures_at(path, [3, 9]), expected[[3, 9]])
    assert len(asked) == 1  # from then on the whole file is decoded at once


def test_a_video_whose_pictures_change_in_size_is_refused(make_video, tmp_path):
    small = make_video("small.webm", 8, codec="libvpx", size_hw=(48, 64))
    path = tmp_path / "both.mkv"
    with av.open(str(path), "w") as container:
        large = make_video("large.webm", 8, codec="libvpx", size_hw=(96, 64))
        stream, shift = None, 0
        for part in (small, large):
            with av.open(str(part)) as source:
                stream = stream or container.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.dts is not None:
                        packet.stream, packet.pts = stream, packet.pts + shift
                        packet.dts += shift
                        container.mux(packet)
            shift = 320
    for read in (count, lambda p: pictures_at(p, [0]), lambda p: list(pictures(p))):
        with pytest.raises(UnreadableVideoError, match="frames differ in size: 64x48, then 64x96"):
            read(path)


def test_a_cover_picture_is_not_the_video(make_video, decode_naively):
    path = make_video("a.mp4", 12, codec="libx264")
    expected = decode_naively(path)
    path.write_bytes(_with_cover(path.read_bytes()))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mjpeg"
    assert (count(path), video_size_hw(path)) == (12, (48, 64))
    np.testing.assert_array_equal(pictures_at(path, [0, 11]), expected[[0, 11]])


def test_a_cover_picture_alone_is_no_video(tmp_path):
    path = tmp_path / "song.mp3"
    cover = io.BytesIO()
    Image.new("RGB", (32, 32)).save(cover, "PNG")
    picture = b"\0image/png\0\3\0" + cover.getvalue()
    frame = b"APIC" + struct.pack(">IH", len(picture), 0) + picture
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    with av.open(str(tmp_path / "sound.mp3"), "w") as container:
        stream = container.add_stream("mp3", 44100)
        # Silence, and not whatever is in the memory, which FFmpeg may take for another format.
        sound = av.AudioFrame.from_ndarray(np.zeros((2, 1152), np.int16), "s16p", "stereo")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    path.write_bytes(b"ID3\3\0\0" + size + frame + (tmp_path / "sound.mp3").read_bytes())
    with pytest.raises(UnreadableVideoError, match="holds no video"):
        count(path)


def test_an_unknown_codec_is_no_readable_video(make_video):
    path = make_video("a.avi", 8)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"\1\2\3\4"))
    with pytest.raises(UnreadableVideoError, match="holds no video"):
        count(path)


def test_names_in_a_header_that_are_no_utf8_do_no_harm(make_video):
    path = make_video("a.webm", 8, codec="libvpx")
    content = path.read_bytes()
    assert b"Lavf" in content
    path.write_bytes(content.replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
    assert count(path) == 8


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libx264"])
def test_a_hole_within_a_picture_is_no_picture(make_video, codec):
    path = make_video("a.mkv", 8, codec=codec, size_hw=(120, 160), g="100")
    content = bytearray(path.read_bytes())
    at = len(content) // 4  # within the first and largest picture
    content[at : at + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match="damaged, only 0 frames can be read"):
        count(path)


def test_a_video_whose_frames_no_memory_holds_is_refused(make_video, monkeypatch):
    path = make_video("a.avi", 4)
    monkeypatch.setattr(decoding, "LARGEST_FRAME_PX", 64 * 48 - 1)
    with pytest.raises(UnreadableVideoError, match="frames of 64x48 pixels are too large"):
        count(path)


def test_a_pipe_is_no_video_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.avi")
    for read in (count, lambda p: list(pictures(p)), video_size_hw):
        with pytest.raises(UnreadableVideoError, match="is not a file"):
            read(tmp_path / "a.avi")


@pytest.mark.parametrize("name", ["a.avi", "gone.avi", "nul\0.avi"])
def test_what_the_system_refuses_is_said(tmp_path, name):
    problem = {"a.avi": "permission denied", "gone.avi": "no such video"}.get(name, "null byte")
    if name == "a.avi":
        (tmp_path / name).symlink_to(tmp_path / name)
        problem = "too many levels of symbolic links"
    with pytest.raises(UnreadableVideoError, match=problem):
        count(tmp_path / name)


def test_a_missing_video_is_named(tmp_path):
    for read in (count, video_size_hw, lambda p: pictures_at(p, [0]), lambda p: list(pictures(p))):
        with pytest.raises(UnreadableVideoError, match=r"gone\.avi: no such video"):
            read(tmp_path / "gone.avi")


def test_a_frame_the_video_does_not_have_is_an_index_error(make_video):
    path = make_video("a.avi", 10)
    for indices, wrong in (([10], 10), ([0, -1], -1)):
        with pytest.raises(IndexError, match=f"no frame {wrong} among 10"):
            pictures_at(path, indices)


def test_what_is_known_of_files_is_bounded(make_video, monkeypatch):
    monkeypatch.setattr(decoding, "_REMEMBERED_FILES", 2)
    paths = [make_video(f"{name}.avi", n) for name, n in (("a", 3), ("b", 4), ("c", 5))]
    assert [count(path) for path in paths] == [3, 4, 5]
    assert [name for name, _, _ in decoding._remembered] == [str(path) for path in paths[1:]]
    assert count(paths[0]) == 3


def test_a_header_that_announces_more_than_there_is_leads_to_a_remark(make_video, lie_about_length):
    path = make_video("a.avi", 40)
    remarks = {n: frame_index(lie_about_length(path, n)).remark for n in (40, 44, 45, 400)}
    assert remarks == {
        40: None,
        44: None,  # fewer than a tenth are missing
        45: "has 40 frames, its header announces 45",
        400: "has 40 frames, its header announces 400",
    }


def _without_picture(content: bytes, packet: int) -> bytes:
    """Clear the bit by which an MPEG-4 picture says that it is coded."""
    changed = bytearray(content)
    at = -1
    for _ in range(packet + 1):
        at = changed.index(b"\x00\x00\x01\xb6", at + 1)
    # Start code, 2 bits picture type, 1 bit end of seconds, marker, 5 bits of 25 ticks, marker.
    seconds = 0
    bit = at * 8 + 32 + 2
    while changed[bit // 8] >> (7 - bit % 8) & 1:
        bit, seconds = bit + 1, seconds + 1
    coded = bit + 1 + 1 + 5 + 1
    changed[coded // 8] &= ~(1 << (7 - coded % 8)) & 0xFF
    return bytes(changed)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _with_cover(content: bytes) -> bytes:
    """Return an MP4 file whose index comes last, with a cover picture before its only track."""
    cover = io.BytesIO()
    Image.new("RGB", (120, 90), (255, 0, 0)).save(cover, "JPEG")
    data = _box(b"covr", _box(b"data", struct.pack(">II", 13, 0) + cover.getvalue()))
    handler = _box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    extra = _box(b"udta", _box(b"meta", bytes(4) + handler + _box(b"ilst", data)))
    at = content.index(b"moov") - 4
    header = int.from_bytes(content[at + 8 : at + 12], "big")
    inner = content[at + 8 : at + int.from_bytes(content[at : at + 4], "big")]
    return content[:at] + _box(b"moov", inner[:header] + extra + inner[header:])
