"""Frames of videos: files that FFmpeg decodes, or directories with one image a frame.

A frame's index is its place in presentation order, counted from 0 over the frames that decoding
really yields; what a header says about their number is never believed.

A video is taken whole or not at all. A packet or frame that the decoder reports as damaged, a file
shorter than its container says, and a file without any frame raise `UnreadableVideoError`, even
where the frames asked for would still have come out: concealed or repeated frames never stand in.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from jaxtyping import Int64, UInt8

from attncli.data.scaling import short_side_hw
from attncli.data.video.decoding import (
    FrameChoice,
    decode_all,
    decode_chosen,
    frame_index,
    video_size_hw,
)
from attncli.data.video.decoding import UnreadableVideoError as UnreadableVideoError
from attncli.data.video.frame_folders import frame_files, image_size_hw, missing_numbers, read_image
from attncli.data.video.orientation import Orientation, shown_hw
from attncli.errors import AttncliError
from attncli.files.atomic import replacing

VIDEO_SUFFIXES = frozenset(
    {
        *(".avi", ".mp4", ".webm", ".mkv", ".mov", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv"),
        *(".3gp", ".3g2", ".asf", ".m2ts", ".mts", ".ogv", ".ts", ".vob"),
    }
)
"""Names that are taken for videos where a directory is searched."""

Resize = Callable[[tuple[int, int]], tuple[int, int]]
"""Gives the rows and columns that frames of given rows and columns are resized to."""

_ENCODERS = {".avi": "mpeg4", ".webm": "libvpx-vp9"}
_ENCODER_OPTIONS = {
    "mpeg4": {"qmin": "3", "qmax": "3"},
    "libx264": {"crf": "18", "preset": "fast"},
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6"},
}


@dataclass(frozen=True)
class VideoClip:
    """Some frames of one video."""

    frames: UInt8[np.ndarray, "t h w 3"]
    """RGB values, at the video's resolution or reduced."""
    indices: Int64[np.ndarray, " t"]
    """Position of each frame in the video."""
    size_hw: tuple[int, int]
    """Rows and columns of the video itself."""
    n_frames: int
    """Frames of the whole video."""
    remark: str | None = None
    """What the user should know of the video, such as frames that are missing; None where well."""


def count_frames(path: Path, *, files: Sequence[Path] = ()) -> int:
    """Return how many frames decoding the whole video yields, at least 1.

    Args:
        path: Video file or directory of images.
        files: Images that are its frames, in place of all in the directory.

    Raises:
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame.
    """
    if files or path.is_dir():
        return len(files or folder_frames(path))
    return len(frame_index(path).packets)


def frame_size_hw(path: Path, *, files: Sequence[Path] = ()) -> tuple[int, int]:
    """Return rows and columns of the video's frames without decoding them.

    Args:
        path: Video file or directory of images.
        files: Images that are its frames, in place of all in the directory.

    Raises:
        UnreadableVideoError: The video is missing or no video.
    """
    if files or path.is_dir():
        with _image_errors(path):
            return image_size_hw((files or folder_frames(path))[0])
    return video_size_hw(path)


def iterate_frames(
    path: Path, *, files: Sequence[Path] = ()
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Yield every frame as RGB in presentation order, holding one at a time in memory.

    Args:
        path: Video file or directory of images.
        files: Images that are its frames, in place of all in the directory.

    Raises:
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame; damage
            shows only once it is reached, after the frames before it.
    """
    if files or path.is_dir():
        with _image_errors(path):
            images = files or folder_frames(path)
            size_hw = image_size_hw(images[0])
            for file in images:
                yield read_image(file, size_hw)
    else:
        reformatter = VideoReformatter()
        for frame in decode_all(path):
            yield _to_rgb(reformatter, frame, shown_hw(frame))


def read_frames(
    path: Path,
    indices: Sequence[int] | Int64[np.ndarray, " t"],
    *,
    short_side_px: int | None = None,
) -> UInt8[np.ndarray, "t h w 3"]:
    """Return the frames at `indices` as RGB, in that order; an index may come more than once.

    Args:
        path: Video file or directory of images.
        indices: Positions in presentation order, counted from 0; at least one.
        short_side_px: What the frames' shorter side is resized to; source resolution where None.

    Raises:
        IndexError: The video has no frame of that index.
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame.
    """
    chosen = np.asarray(indices, dtype=np.int64)
    resize = None if short_side_px is None else partial(short_side_hw, short_side_px=short_side_px)
    return read_clip(path, lambda _: chosen, resize=resize).frames


def read_clip(
    path: Path,
    choose: FrameChoice,
    *,
    resize: Resize | None = None,
    files: Sequence[Path] = (),
) -> VideoClip:
    """Return the frames that `choose` picks when it is told how many there are.

    Args:
        path: Video file or directory of images.
        choose: Must always pick the same of the same number; it may be asked twice.
        resize: What frames are resized to; source resolution where None.
        files: Images that are its frames, in place of all in the directory.

    Raises:
        IndexError: `choose` picks a frame the video does not have.
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame.
    """
    if files or path.is_dir():
        with _image_errors(path):
            return _read_folder(path, files or folder_frames(path), choose, resize)
    indices, frames = decode_chosen(path, choose)
    size_hw = shown_hw(frames[0])
    if any(shown_hw(frame) != size_hw for frame in frames):
        raise UnreadableVideoError("frames differ in size", where=path)
    target_hw = size_hw if resize is None else resize(size_hw)
    reformatter = VideoReformatter()
    rgb = np.stack([_to_rgb(reformatter, frame, target_hw) for frame in frames])
    index = frame_index(path)
    return VideoClip(rgb, indices, size_hw, len(index.packets), index.remark)


def remark_on(path: Path, *, files: Sequence[Path] = ()) -> str | None:
    """Return what the user should know of a video that can be read; None where all is well.

    Args:
        path: Video file or directory of images.
        files: Images that are its frames, in place of all in the directory.

    Raises:
        UnreadableVideoError: The video cannot be read.
    """
    if files:
        return None  # they were picked one by one
    return missing_numbers(folder_frames(path)) if path.is_dir() else frame_index(path).remark


def write_video(
    path: Path, frames: Iterable[UInt8[np.ndarray, "h w 3"]], fps: int | float | Fraction
) -> None:
    """Write RGB frames as a video whose container and codec follow from the suffix.

    `.avi` holds MPEG-4, `.webm` VP9, any other H.264. A last odd row or column is doubled, since
    these codecs store colour for two by two pixels. The file appears whole or not at all.

    Args:
        path: Where to write; its directory is made.
        frames: At least one frame, all of one size.
        fps: Frames per second.

    Raises:
        ValueError: There is no frame.
    """
    encoder = _ENCODERS.get(path.suffix.lower(), "libx264")
    pictures = (_even(frame) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError(f"{path}: a video needs a frame")
    with replacing(path) as temporary, av.open(str(temporary), "w") as container:
        rate = Fraction(fps).limit_denominator(1001)
        options = _ENCODER_OPTIONS[encoder]
        stream = cast(VideoStream, container.add_stream(encoder, rate, options=options))
        stream.height, stream.width, stream.pix_fmt = first.shape[0], first.shape[1], "yuv420p"
        for picture in chain([first], pictures):
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _even(frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2 3"]:
    rows, columns = frame.shape[:2]
    return np.pad(frame, [(0, rows % 2), (0, columns % 2), (0, 0)], mode="edge")


def _to_rgb(
    reformatter: VideoReformatter, frame: VideoFrame, size_hw: tuple[int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a frame as it is to be shown, with that many rows and columns."""
    orientation = Orientation.of(frame)
    height, width = orientation.size_hw(size_hw)
    stored = reformatter.reformat(
        frame, width, height, format="rgb24", interpolation="AREA", threads=1
    )
    return orientation.apply(stored.to_ndarray())


def _read_folder(
    folder: Path, files: Sequence[Path], choose: FrameChoice, resize: Resize | None
) -> VideoClip:
    indices = choose(len(files))
    if outside := [i for i in indices.tolist() if not 0 <= i < len(files)]:
        raise IndexError(f"{folder}: no frame {outside[0]} among {len(files)}")
    size_hw = image_size_hw(files[indices[0]])
    target_hw = size_hw if resize is None else resize(size_hw)
    images = {i: read_image(files[i], size_hw, target_hw) for i in set(indices.tolist())}
    frames = np.stack([images[i] for i in indices.tolist()])
    return VideoClip(frames, indices, size_hw, len(files), missing_numbers(files))


def folder_frames(folder: Path) -> list[Path]:
    """Return the images in a directory that are the frames of one video, in order.

    Raises:
        UnreadableVideoError: It holds none, or several series of them.
    """
    with _image_errors(folder):
        files = frame_files(folder)
    if not files:
        raise UnreadableVideoError("holds no images", where=folder)
    return files


@contextmanager
def _image_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (AttncliError, IndexError):
        raise
    except MemoryError as error:
        raise UnreadableVideoError("its frames are too large to decode", where=folder) from error
    except Exception as error:  # a broken image makes decoders raise anything
        raise UnreadableVideoError(f"a frame cannot be used ({error})", where=folder) from error
