import io
import os
import shutil
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from attncli.data.video import decoding
from attncli.data.video.reading import (
    UnreadableVideoError,
    count_frames,
    frame_size_hw,
    iterate_frames,
    read_clip,
    read_frames,
    remark_on,
    write_video,
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


@pytest.fixture(autouse=True)
def _forget():
    decoding._remembered.clear()


@pytest.mark.parametrize("name", CODINGS)
def test_frames_are_counted_and_iterated_as_the_decoder_presents_them(
    make_video, decode_naively, name
):
    path = make_video(name, 40, **CODINGS[name])
    expected = decode_naively(path)
    assert count_frames(path) == len(expected) == 40
    np.testing.assert_array_equal(np.stack(list(iterate_frames(path))), expected)


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
        np.testing.assert_array_equal(read_frames(path, indices), expected[indices])
        np.testing.assert_array_equal(read_frames(path, indices), expected[indices])
    for i in range(40):
        np.testing.assert_array_equal(read_frames(path, [i])[0], expected[i])


def test_a_known_file_is_decoded_from_the_key_frame_before_the_first_wanted(make_video):
    path = make_video("a.avi", 40, g="12")
    index = decoding.frame_index(path)
    assert index.starts == (0, 12, 24, 36)
    assert [index.start_for([i, 39]) for i in (11, 12, 30, 39)] == [0, 12, 24, 36]


UCF101 = Path(__file__).parents[4] / "shared" / "data" / "UCF101" / "UCF-101"


def test_header_with_a_wrong_number_of_frames_is_not_believed(make_video, decode_naively):
    for lie in (3, 25, 4000):
        path = _lie_about_length(make_video("a.avi", 40), lie)
        assert count_frames(path) == 40
        np.testing.assert_array_equal(
            read_frames(path, [0, 24, 39]), decode_naively(path)[[0, 24, 39]]
        )


def test_a_clip_is_chosen_by_the_content_not_the_header(make_video, decode_naively):
    def last_three(n):
        return np.arange(n - 3, n)

    for lie in (5, 25, 4000):
        path = _lie_about_length(make_video("a.avi", 40), lie)
        decoding._remembered.clear()
        clip = read_clip(path, last_three)
        assert clip.indices.tolist() == [37, 38, 39]
        np.testing.assert_array_equal(clip.frames, decode_naively(path)[37:])


def test_a_clip_of_a_file_without_a_length_in_its_header_costs_one_decode(make_video, monkeypatch):
    path = make_video("a.webm", 40, codec="libvpx-vp9", deadline="realtime")
    decodes = []
    frames = decoding._frames
    monkeypatch.setattr(decoding, "_frames", lambda *a, **k: decodes.append(a) or frames(*a, **k))
    clip = read_clip(path, lambda n: np.arange(0, n, 3))
    assert clip.indices.tolist() == list(range(0, 40, 3))
    assert len(decodes) == 1


def test_packets_without_a_frame_are_not_counted(make_video, decode_naively):
    path = make_video("a.avi", 40)
    path.write_bytes(_without_picture(path.read_bytes(), packet=7))
    expected = decode_naively(path)
    assert count_frames(path) == len(expected) == 39
    np.testing.assert_array_equal(read_frames(path, [6, 7, 38]), expected[[6, 7, 38]])


def test_frames_packed_into_other_packets_are_found(make_video, decode_naively):
    path = make_video("a.avi", 41, bf="1", g="12")
    plain = decode_naively(path)
    path.write_bytes(_pack_b_frames(path.read_bytes()))
    expected = decode_naively(path)
    assert len(expected) == len(plain)
    assert np.abs(expected.astype(int) - plain).mean() < 2  # it is told from XviD's transform
    assert count_frames(path) == 41
    for first in range(0, 30, 3):
        indices = np.arange(first, 41, 4)
        np.testing.assert_array_equal(read_frames(path, indices), expected[indices])


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("name", ["a.avi", "a.webm", "a.mkv", "a.mp4"])
def test_a_video_cut_short_is_refused_whichever_frames_are_wanted(make_video, name, share):
    codec = {"a.avi": "mpeg4", "a.webm": "libvpx-vp9"}.get(name, "libx264")
    path = make_video(name, 40, codec=codec)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    for read in (count_frames, lambda p: read_frames(p, [0]), lambda p: list(iterate_frames(p))):
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
        seen.extend(iterate_frames(path))
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
            read_frames(path, [0, 39])


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
    for read in (count_frames, lambda p: read_frames(p, [0]), lambda p: list(iterate_frames(p))):
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
        count_frames(path)


def test_a_missing_video_is_named(tmp_path):
    for read in (count_frames, frame_size_hw, lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideoError, match=r"gone\.avi: no such video"):
            read(tmp_path / "gone.avi")


def test_a_frame_the_video_does_not_have_is_an_index_error(make_video):
    path = make_video("a.avi", 10)
    for indices in ([10], [0, -1]):
        with pytest.raises(IndexError, match="among 10"):
            read_frames(path, indices)


def test_a_file_that_is_written_anew_is_counted_anew(make_video):
    assert count_frames(make_video("a.avi", 10)) == 10
    assert count_frames(make_video("a.avi", 12)) == 12


def test_frames_can_be_scaled_while_they_are_read(make_video):
    path = make_video("a.avi", 10, size_hw=(48, 64))
    assert frame_size_hw(path) == (48, 64)
    assert read_frames(path, [1, 5], short_side_px=24).shape == (2, 24, 32, 3)
    assert read_frames(path, [1, 5], short_side_px=96).shape == (2, 96, 128, 3)
    full, half = read_frames(path, [3]), read_frames(path, [3], short_side_px=24)
    means = full.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    green = 1  # follows brightness; colour is stored for two by two pixels
    assert np.corrcoef(means[..., green].ravel(), half[0, ..., green].ravel())[0, 1] > 0.95


def test_clips_come_in_the_size_that_is_asked_for_their_own(make_video):
    path = make_video("a.avi", 10, size_hw=(48, 64))
    reduced = read_clip(path, lambda n: np.array([0]), resize=lambda hw: (hw[0] // 2, hw[1] // 4))
    assert reduced.frames.shape == (1, 24, 16, 3)
    kept = read_clip(path, lambda n: np.array([0]))
    assert kept.frames.shape == (1, 48, 64, 3)
    assert reduced.size_hw == kept.size_hw == (48, 64)
    assert reduced.n_frames == kept.n_frames == 10


@pytest.mark.parametrize("pattern", ["{:06d}.jpg", "img_{}.png"])
def test_a_directory_of_images_stands_in_for_a_video(tmp_path, frames_of, pattern):
    frames = frames_of(12)
    folder = tmp_path / "v_Archery_g01_c01"
    folder.mkdir()
    for i, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / pattern.format(i), quality=95)
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no frame")
    assert count_frames(folder) == read_clip(folder, lambda n: np.array([0])).n_frames == 12
    assert frame_size_hw(folder) == (48, 64)
    tolerance = 30 if pattern.endswith("jpg") else 0
    shown = np.stack(list(iterate_frames(folder))).astype(int)
    assert np.abs(shown - frames).mean() <= tolerance
    np.testing.assert_array_equal(read_frames(folder, [11, 1, 11]), shown[[11, 1, 11]])
    assert read_frames(folder, [2], short_side_px=24).shape == (1, 24, 32, 3)
    with pytest.raises(IndexError, match="among 12"):
        read_frames(folder, [12])


def test_bad_images_in_a_directory_are_named(tmp_path, frames_of):
    folder = tmp_path / "frames"
    folder.mkdir()
    with pytest.raises(UnreadableVideoError, match="frames: holds no images"):
        count_frames(folder)
    Image.fromarray(frames_of(1)[0]).save(folder / "1.png")
    Image.fromarray(frames_of(1, (24, 32))[0]).save(folder / "2.png")
    with pytest.raises(UnreadableVideoError, match=r"2\.png is 32x24, not 64x48"):
        read_frames(folder, [0, 1])
    (folder / "2.png").write_bytes((folder / "1.png").read_bytes()[:100])
    with pytest.raises(UnreadableVideoError, match="frames: a frame cannot be used"):
        list(iterate_frames(folder))


@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    n=st.integers(1, 12),
    size_hw=st.tuples(st.integers(16, 40), st.integers(16, 40)),
    suffix=st.sampled_from([".mp4", ".avi", ".webm"]),
)
def test_written_videos_read_back_close_to_what_they_were(tmp_path, n, size_hw, suffix):
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    ramps = [np.stack([rows * 4, columns * 4, rows * 0 + 10 * i], axis=-1) for i in range(n)]
    path = tmp_path / f"a{suffix}"
    write_video(path, [ramp.astype(np.uint8) for ramp in ramps], 25)
    read = np.stack(list(iterate_frames(path)))
    assert read.shape[:3] == (n, size_hw[0] + size_hw[0] % 2, size_hw[1] + size_hw[1] % 2)
    assert np.abs(read[:, : size_hw[0], : size_hw[1]] - np.stack(ramps).astype(int)).mean() < 8


def test_a_video_that_cannot_be_written_whole_is_not_there(tmp_path, frames_of):
    def broken():
        yield frames_of(1)[0]
        raise RuntimeError("stop")

    for frames, error in ((broken(), RuntimeError), (iter(()), ValueError)):
        with pytest.raises(error):
            write_video(tmp_path / "a.mp4", frames, 25)
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not UCF101.is_dir(), reason="no UCF101 here")
def test_real_videos_read_as_a_plain_decoder_reads_them(decode_naively):
    names = ("Archery/v_Archery_g03_c02", "Basketball/v_Basketball_g12_c01")
    for path in (UCF101 / f"{name}.avi" for name in names):  # packed B-frames; dropped frames
        expected = decode_naively(path)
        assert count_frames(path) == len(expected)
        for first in (0, 13, 50, len(expected) - 61):
            indices = np.arange(first, first + 61, 4)
            np.testing.assert_array_equal(read_frames(path, indices), expected[indices])


def _pack_b_frames(content: bytes) -> bytes:
    """Put each B-frame into the packet before its own and an empty picture in its place.

    So DivX and XviD stored them for Video for Windows, and so half of UCF101 is stored.
    """
    start, movie, end = b"\x00\x00\x01\xb6", content.index(b"movi"), content.index(b"idx1")
    packets, at = [], movie + 4
    while at < end:
        (size,) = struct.unpack_from("<I", content, at + 4)
        packets.append(content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    marked = packets[0].replace(start, b"\x00\x00\x01\xb2DivX503b1393p" + start, 1)
    packed = [marked]
    for packet in packets[1:]:
        if packet[packet.index(start) + 4] >> 6 == 2:  # a B-frame
            packed[-1] += packet
            packet = start + b"\x50\x5f"
        packed.append(packet)
    chunks = [
        b"00dc" + struct.pack("<I", len(packet)) + packet + bytes(len(packet) % 2)
        for packet in packed
    ]
    body = b"movi" + b"".join(chunks)
    changed = content[: movie - 4] + struct.pack("<I", len(body)) + body
    return changed[:4] + struct.pack("<I", len(changed) - 8) + changed[8:]


def _lie_about_length(path: Path, n_frames: int) -> Path:
    """Overwrite the number of frames in both AVI headers."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"avih") + 8 + 16, n_frames)
    struct.pack_into("<I", content, content.index(b"strh") + 8 + 32, n_frames)
    copy = path.with_name(f"lie{n_frames}.avi")
    copy.write_bytes(content)
    shutil.copystat(path, copy)
    return copy


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


def test_an_av1_video_is_read_again_and_again(make_video, decode_naively):
    path = make_video("a.mp4", 40, codec="libsvtav1", preset="12")
    expected = decode_naively(path)
    for first in range(0, 40, 7):
        indices = np.arange(first, 40, 6)
        np.testing.assert_array_equal(read_frames(path, indices), expected[indices])


def test_frames_a_decoder_leaves_out_are_decoded_as_a_whole_before_the_file_is_blamed(
    make_video, decode_naively, monkeypatch
):
    path = make_video("a.mp4", 20, codec="libx264", bf="2")
    expected = decode_naively(path)
    read_frames(path, [0])
    asked = []

    def lacks_frames(*arguments):
        asked.append(arguments)
        return {}

    monkeypatch.setattr(decoding, "_decode_selected", lacks_frames)
    for _ in range(3):
        np.testing.assert_array_equal(read_frames(path, [3, 9]), expected[[3, 9]])
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
    for read in (count_frames, lambda p: read_frames(p, [0]), lambda p: list(iterate_frames(p))):
        with pytest.raises(UnreadableVideoError, match="frames differ in size: 64x48, then 64x96"):
            read(path)


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


def test_a_cover_picture_is_not_the_video(make_video, decode_naively):
    path = make_video("a.mp4", 12, codec="libx264")
    expected = decode_naively(path)
    path.write_bytes(_with_cover(path.read_bytes()))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mjpeg"
    assert (count_frames(path), frame_size_hw(path)) == (12, (48, 64))
    np.testing.assert_array_equal(read_frames(path, [0, 11]), expected[[0, 11]])


def test_a_cover_picture_alone_is_no_video(tmp_path):
    path = tmp_path / "song.mp3"
    cover = io.BytesIO()
    Image.new("RGB", (32, 32)).save(cover, "PNG")
    picture = b"\0image/png\0\3\0" + cover.getvalue()
    frame = b"APIC" + struct.pack(">IH", len(picture), 0) + picture
    size = bytes((len(frame) >> shift) & 127 for shift in (21, 14, 7, 0))
    with av.open(str(tmp_path / "sound.mp3"), "w") as container:
        stream = container.add_stream("mp3", 44100)
        sound = av.AudioFrame(format="s16p", layout="stereo", samples=1152)
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    path.write_bytes(b"ID3\3\0\0" + size + frame + (tmp_path / "sound.mp3").read_bytes())
    with pytest.raises(UnreadableVideoError, match="holds no video"):
        count_frames(path)


def test_an_unknown_codec_is_no_readable_video(make_video):
    path = make_video("a.avi", 8)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"\1\2\3\4"))
    with pytest.raises(UnreadableVideoError, match="holds no video"):
        count_frames(path)


def test_names_in_a_header_that_are_no_utf8_do_no_harm(make_video):
    path = make_video("a.webm", 8, codec="libvpx")
    content = path.read_bytes()
    assert b"Lavf" in content
    path.write_bytes(content.replace(b"Lavf", b"\xff\xfe\xfd\xfc"))
    assert count_frames(path) == 8


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libx264"])
def test_a_hole_within_a_picture_is_no_picture(make_video, codec):
    path = make_video("a.mkv", 8, codec=codec, size_hw=(120, 160), g="100")
    content = bytearray(path.read_bytes())
    at = len(content) // 4  # within the first and largest picture
    content[at : at + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(UnreadableVideoError, match="damaged, only 0 frames can be read"):
        count_frames(path)


def test_a_header_that_announces_more_than_there_is_leads_to_a_remark(make_video):
    path = make_video("a.avi", 40)
    assert remark_on(path) is None
    assert read_clip(path, lambda n: np.array([0])).remark is None
    path = _lie_about_length(path, 4000)
    said = "has 40 frames, its header announces 4000"
    for _ in range(2):
        assert remark_on(path) == said
        assert read_clip(path, lambda n: np.array([0])).remark == said


def test_gaps_in_a_directory_of_images_lead_to_a_remark(tmp_path, frames_of):
    for number, frame in zip((1, 2, 4), frames_of(3), strict=True):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    clip = read_clip(tmp_path, lambda n: np.arange(n))
    assert (clip.n_frames, clip.remark) == (3, remark_on(tmp_path))
    assert clip.remark == "no frame between 2.png and 4.png (1 is missing)"


def test_a_video_whose_frames_no_memory_holds_is_refused(make_video, monkeypatch):
    path = make_video("a.avi", 4)
    monkeypatch.setattr(decoding, "LARGEST_FRAME_PX", 64 * 48 - 1)
    with pytest.raises(UnreadableVideoError, match="frames of 64x48 pixels are too large"):
        count_frames(path)


def test_a_pipe_is_no_video_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.avi")
    for read in (count_frames, lambda p: list(iterate_frames(p)), frame_size_hw):
        with pytest.raises(UnreadableVideoError, match="is no file"):
            read(tmp_path / "a.avi")


@pytest.mark.parametrize("name", ["a.avi", "gone.avi", "nul\0.avi"])
def test_what_the_system_refuses_is_said(tmp_path, name):
    problem = {"a.avi": "permission denied", "gone.avi": "no such video"}.get(name, "null byte")
    if name == "a.avi":
        (tmp_path / name).symlink_to(tmp_path / name)
        problem = "too many levels of symbolic links"
    with pytest.raises(UnreadableVideoError, match=problem):
        count_frames(tmp_path / name)
