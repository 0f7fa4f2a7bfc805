"""Frames of video files as FFmpeg yields them: which there are, and how to come by some of them.

One thread decodes, so that every reading gives the same frames. What a full decode finds out about
a file (how many frames, which packet holds which, where decoding may start) is remembered for the
life of the process. Later readings start at the key frame before the first frame wanted, leave out
unwanted frames that no other frame refers to, and stop after the last one wanted.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from jaxtyping import Int64

from attncli.data.containers import is_cut_short
from attncli.errors import AttncliError

FrameChoice = Callable[[int], Int64[np.ndarray, " t"]]
"""Picks frame indices when it is told how many frames a video has."""

_REMEMBERED_FILES = 100_000


class UnreadableVideoError(AttncliError):
    """A video that is missing, damaged, cut short, or without frames."""


@dataclass(frozen=True)
class FrameIndex:
    """What a full decode of a file has shown."""

    packets: tuple[int, ...]
    """Packet that holds each frame: frames in presentation order, packets in the file's order."""
    starts: tuple[int, ...]
    """Frames that neither they nor any later one refer back beyond; rising."""

    def start_for(self, frames: Collection[int]) -> int:
        """Return the packet at which decoding may start when `frames` are wanted."""
        first_packet = min(self.packets[frame] for frame in frames)
        candidates = (
            self.packets[start]
            for start in reversed(self.starts)
            if start <= min(frames) and self.packets[start] <= first_packet
        )
        return next(candidates, 0)


@dataclass(frozen=True)
class _Source:
    path: Path
    container: InputContainer
    stream: VideoStream


_remembered: dict[tuple[str, int, int], FrameIndex] = {}


def video_size_hw(path: Path) -> tuple[int, int]:
    """Return rows and columns of the video, as its container gives them."""
    with _opened(path) as source:
        return source.stream.height, source.stream.width


def decode_all(path: Path) -> Iterator[VideoFrame]:
    """Yield every frame in presentation order.

    Raises:
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame; damage
            shows only once it is reached, after the frames before it.
    """
    with _opened(path) as source:
        yield from _all_frames(source)


def frame_index(path: Path) -> FrameIndex:
    """Return the file's frame index, decoding the whole of it where it is not yet known.

    Raises:
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame.
    """
    while (index := _recall(path)) is None:
        for _ in decode_all(path):
            pass
    return index


def decode_chosen(
    path: Path, choose: FrameChoice
) -> tuple[Int64[np.ndarray, " t"], list[VideoFrame]]:
    """Return the indices that `choose` picks and their frames, in that order.

    A file not yet known is decoded once: `choose` is asked with the number of frames that header or
    packets suggest, and only where the content makes it choose otherwise is the file read again. It
    must therefore always answer the same to the same number.

    Raises:
        IndexError: `choose` picks a frame the video does not have.
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame.
    """
    kept = {} if _recall(path) else _keep_likely(path, choose)
    index = frame_index(path)
    indices = choose(len(index.packets))
    wanted = set(indices.tolist())
    if outside := [i for i in wanted if not 0 <= i < len(index.packets)]:
        raise IndexError(f"{path}: no frame {outside[0]} among {len(index.packets)}")
    if not wanted <= kept.keys():
        kept = _decode_some(path, index, wanted)
    return indices, [kept[i] for i in indices.tolist()]


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableVideoError("holds no video", where=path)
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            stream.codec_context.copy_opaque = True
            yield _Source(path, container, stream)
    except FileNotFoundError as error:
        raise UnreadableVideoError("no such video", where=path) from error
    except av.FFmpegError as error:
        raise UnreadableVideoError(
            f"not a readable video ({error.strerror})", where=path
        ) from error


def _all_frames(source: _Source) -> Iterator[VideoFrame]:
    packets: list[int | None] = []
    starts: list[int] = []
    for frame in _frames(source):
        if frame.key_frame and frame.pict_type == PictureType.I:
            starts.append(len(packets))
        packets.append(cast(int | None, frame.opaque))
        yield frame
    if is_cut_short(source.path):
        raise UnreadableVideoError(
            f"cut short, only {len(packets)} frames can be read",
            where=source.path,
            remedy="get the file again",
        )
    if not packets:
        raise UnreadableVideoError("has no frame", where=source.path)
    # PyAV loses what it was told to carry along when several threads decode at once.
    if None not in packets:
        _remember(source.path, FrameIndex(tuple(cast(list[int], packets)), tuple(starts)))


def _frames(
    source: _Source, *, first_packet: int = 0, wanted_packets: Collection[int] = ()
) -> Iterator[VideoFrame]:
    """Decode from `first_packet` on.

    Where `wanted_packets` are given, other frames may be left out, or lack what they refer to where
    that comes before `first_packet`.
    """
    decoder = source.stream.codec_context
    # MPEG-4 may pack a frame into the packet of an earlier one, and it would be left out with it;
    # that it does so, and by which encoder's rules, only the first packet may say.
    mpeg4 = decoder.name == "mpeg4"
    n_frames = 0
    try:
        for number, packet in enumerate(source.container.demux(source.stream)):
            if number < first_packet and not (mpeg4 and number == 0):
                continue
            if wanted_packets and not mpeg4:
                decoder.skip_frame = "DEFAULT" if number in wanted_packets else "NONREF"
            packet.opaque = number
            for frame in packet.decode():
                damaged = packet.is_corrupt or frame.is_corrupt
                if damaged and (not wanted_packets or frame.opaque in wanted_packets):
                    raise _damaged(source, n_frames)
                yield frame
                n_frames += 1
    except av.FFmpegError as error:
        raise _damaged(source, n_frames) from error


def _damaged(source: _Source, n_frames: int) -> UnreadableVideoError:
    return UnreadableVideoError(
        f"damaged, only {n_frames} frames can be read",
        where=source.path,
        remedy="get the file again",
    )


def _keep_likely(path: Path, choose: FrameChoice) -> dict[int, VideoFrame]:
    """Decode the whole file and keep what `choose` picks if it is as long as it seems."""
    likely: set[int] = set()
    # The content may be longer than it seems, and then allow a clip after all.
    with suppress(AttncliError):
        likely = set(choose(_likely_length(path)).tolist())
    with _opened(path) as source:
        return {i: frame for i, frame in enumerate(_all_frames(source)) if i in likely}


def _likely_length(path: Path) -> int:
    """Return how many frames the header gives, or, as in WebM it never does, count the packets."""
    with _opened(path) as source:
        packets = source.container.demux(source.stream)
        return max(1, source.stream.frames or sum(packet.size > 0 for packet in packets))


def _decode_some(path: Path, index: FrameIndex, wanted: Collection[int]) -> dict[int, VideoFrame]:
    frames: dict[int, VideoFrame] = {}
    one_to_one = len(set(index.packets)) == len(index.packets)
    with _opened(path) as source:
        if not one_to_one:
            return {i: frame for i, frame in enumerate(_all_frames(source)) if i in wanted}
        frame_of = {index.packets[i]: i for i in wanted}
        for frame in _frames(
            source, first_packet=index.start_for(wanted), wanted_packets=frame_of.keys()
        ):
            if frame.opaque in frame_of:
                frames[frame_of[frame.opaque]] = frame
            if len(frames) == len(frame_of):
                return frames
    raise UnreadableVideoError("changed while it was read", where=path)


def _identity(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableVideoError("no such video", where=path) from error
    return str(path), status.st_mtime_ns, status.st_size


def _recall(path: Path) -> FrameIndex | None:
    return _remembered.get(_identity(path))


def _remember(path: Path, index: FrameIndex) -> None:
    if len(_remembered) >= _REMEMBERED_FILES:
        del _remembered[next(iter(_remembered))]
    _remembered[_identity(path)] = index
