"""One input that cannot be used never ends the work on the others, whichever command reads it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from attncli.config.segment import SegmentConfig
from attncli.data.video.reading import write_video
from attncli.files.failures import read_failures
from attncli.files.masks import MaskDirectory
from attncli.reporting import Silent
from attncli.workflows.segment import segment_videos

GOOD = ("A/1", "B/2")
Spoil = Callable[[Path], Path]


def frames(n: int = 12, size_hw: tuple[int, int] = (32, 48)) -> np.ndarray:
    pictures = np.random.default_rng(0).integers(0, 90, (n, *size_hw, 3), dtype=np.uint8)
    for number, picture in enumerate(pictures):
        picture[8:20, number : number + 12] = 250
    return pictures


def changing_size(folder: Path) -> Path:
    parts = [folder.parent / f"{side}.webm" for side in (32, 64)]
    for part, side in zip(parts, (32, 64), strict=True):
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libvpx", 25)
            stream.height, stream.width, stream.pix_fmt = side, side, "yuv420p"
            for picture in frames(6, (side, side)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    path, shift = folder / "bad.webm", 0
    with av.open(str(path), "w") as container:
        stream = None
        for part in parts:
            with av.open(str(part)) as source:
                stream = stream or container.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.dts is not None:
                        packet.stream = stream
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        container.mux(packet)
            shift = 1000
            part.unlink()
    return path


def unknown_codec(folder: Path) -> Path:
    path = folder / "bad.avi"
    write_video(path, frames(), 25)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"\1\2\3\4"))
    return path


def huge_picture(folder: Path) -> Path:
    path = folder / "bad"
    path.mkdir()
    for number in (1, 2):
        Image.new("1", (20_000, 20_000)).save(path / f"{number}.png")
    return path


def two_series(folder: Path) -> Path:
    path = folder / "bad"
    path.mkdir()
    for name in ("img_1.png", "img_2.png", "flow_x_1.png", "flow_x_2.png"):
        Image.fromarray(frames(1)[0]).save(path / name)
    return path


def cut_short(folder: Path) -> Path:
    path = folder / "bad.webm"
    write_video(path, frames(40), 25)
    path.write_bytes(path.read_bytes()[:-50])
    return path


def no_video_at_all(folder: Path) -> Path:
    path = folder / "bad.ts"
    path.write_bytes(os.urandom(5000))
    return path


def a_loop_of_links(folder: Path) -> Path:
    path = folder / "bad.mp4"
    path.symlink_to(path)
    return path


def a_name_too_long_for_its_masks(folder: Path) -> Path:
    path = folder / ("b" * 251 + ".avi")
    write_video(folder / "b.avi", frames(), 25)
    return (folder / "b.avi").rename(path)


def a_name_that_is_no_utf8(folder: Path) -> Path:
    path = Path(os.fsdecode(bytes(folder) + b"/b\xe4d.avi"))
    path.write_bytes(b"no video")
    return path


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (changing_size, "frames differ in size: 32x32, then 64x64"),
        (unknown_codec, "holds no video"),
        (huge_picture, "1.png: Image size (400000000 pixels) exceeds"),
        (two_series, "several series of images: 2 of flow_x_*.png, 2 of img_*.png"),
        (cut_short, "cut short"),
        (no_video_at_all, "not a readable video"),
        (a_loop_of_links, "not a readable video (Too many levels of symbolic links)"),
        (a_name_too_long_for_its_masks, "its name is too long for a file of masks"),
        (a_name_that_is_no_utf8, "not a readable video"),
    ],
)
def test_segment_goes_on_and_names_the_input(tmp_path: Path, spoil: Spoil, problem: str) -> None:
    data, out = tmp_path / "data", tmp_path / "masks"
    for id_ in GOOD:
        write_video(data / f"{id_}.avi", frames(), 25)
    bad = spoil(data / "A")
    outcome = segment_videos(data, out, SegmentConfig(backend="motion"), reporter=Silent())
    (failure,) = outcome.failures
    assert (failure.path, problem in failure.error) == (str(bad), True), failure.error
    assert read_failures(out / "failures.jsonl") == [failure]
    for id_ in GOOD:
        assert len(list(MaskDirectory(out).frames(id_))) == 12
    names = {path.name for path in out.rglob("*") if path.is_file()}
    assert names == {"1.jsonl", "2.jsonl", "config.toml", "failures.jsonl"}


def test_a_full_disk_ends_the_work_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "data" / "A" / "1.avi", frames(), 25)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("attncli.files.masks.MaskWriter.write", full)
    config = SegmentConfig(backend="motion")
    with pytest.raises(OSError, match="No space left") as error:
        segment_videos(tmp_path / "data", tmp_path / "m", config, reporter=Silent())
    assert error.value.filename == str(tmp_path / "m" / "A" / "1.jsonl")
    assert not (tmp_path / "m" / ".lock").exists()
