"""Frames of video files as FFmpeg yields them: which there are, and how to come by some of them.

One thread decodes, so that every reading gives the same frames. What a full decode finds out about
a file (how many frames, which packet holds which, where decoding may start) is remembered for the
life of the process. Later readings start at the key frame before the first frame wanted, leave out
unwanted frames that no other frame refers to, and stop after the last one wanted. A decoder that
does not yield all frames wanted by then is given the whole file again, from then on.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from jaxtyping import Int64

from attncli.data.video.containers import find_damage
from attncli.data.video.orientation import shown_hw
from attncli.errors import AttncliError, reason
from attncli.files.limits import LARGEST_FRAME_PX

FrameChoice = Callable[[int], Int64[np.ndarray, " t"]]
"""Picks frame indices when it is told how many frames a video has."""

_REMEMBERED_FILES = 100_000
_LONGEST_ZEROS = 64
"""Bytes of zeros in a row that no packet of these codecs has, as zeros announce their parts."""
_WITHOUT_ZEROS = frozenset({"av1", "h264", "hevc", "libdav1d", "mpeg4", "vp8", "vp9"})
_SHORT_SHARE, _SHORT_SEC = 0.1, 0.5
"""Share of its announced length that a video may lack and still be as it should, and seconds."""


class UnreadableVideoError(AttncliError):
    """A video that is missing, damaged, cut short, or without frames."""


@dataclass(frozen=True)
class FrameIndex:
    """What a full decode of a file has shown."""

    packets: tuple[int, ...]
    """Packet that holds each frame: frames in presentation order, packets in the file's order."""
    starts: tuple[int, ...]
    """Frames that neither they nor any later one refer back beyond; rising."""
    remark: str | None = None
    """What the user should know of the file, though it can be read."""
    is_selective: bool = True
    """Whether the decoder yields the frames wanted without decoding all."""

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
class Source:
    """A video file that is open."""

    path: Path
    """The file."""
    container: InputContainer
    """Its container."""
    stream: VideoStream
    """The stream of it that is its video."""


_remembered: dict[tuple[str, int, int], FrameIndex] = {}


def video_size_hw(path: Path) -> tuple[int, int]:
    """Return rows and columns of the video's first frame as it is to be shown."""
    with opened(path) as source:
        for frame in _frames(source):
            return shown_hw(frame)
    raise UnreadableVideoError("has no frame", where=path)


def decode_all(path: Path) -> Iterator[VideoFrame]:
    """Yield every frame in presentation order.

    Raises:
        UnreadableVideoError: The video is missing, damaged, cut short, or has no frame; damage
            shows only once it is reached, after the frames before it.
    """
    with opened(path) as source:
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
def opened(path: Path) -> Iterator[Source]:
    """Yield a video file and the stream of it that is its video, both open.

    Raises:
        UnreadableVideoError: The file is missing, damaged, or holds no video; so is whatever the
            decoder raises in the block.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe, whose other end may never come
            raise UnreadableVideoError("is not a file", where=path)
        with av.open(str(path), metadata_errors="replace") as container:
            stream = _video_stream(container)
            if stream is None:
                raise UnreadableVideoError("holds no video", where=path)
            _require_bearable(stream, path)
            stream.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            stream.codec_context.copy_opaque = True
            # Some decoders take `skip_frame` for good when they open: it is not set before.
            stream.codec_context.open()
            yield Source(path, container, stream)
    except AttncliError:
        raise
    except FileNotFoundError as error:
        raise UnreadableVideoError("no such video", where=path) from error
    except MemoryError as error:
        raise UnreadableVideoError("its pictures are too large to decode", where=path) from error
    except Exception as error:  # broken headers make PyAV raise whatever its parts happen to raise
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableVideoError(f"not a readable video ({what})", where=path) from error


def _require_bearable(stream: VideoStream, path: Path) -> None:
    """Refuse a header whose frames would take all memory, and with it the work on other videos."""
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > LARGEST_FRAME_PX:
        raise UnreadableVideoError(f"frames of {width}x{height} pixels are too large", where=path)


def _video_stream(container: InputContainer) -> VideoStream | None:
    """Return the stream that FFmpeg takes for the video; a cover picture is none."""
    stream = cast(VideoStream | None, container.streams.best("video"))
    if stream is None or stream.codec_context is None:  # of a codec that FFmpeg does not know
        return None
    return None if Disposition.attached_pic in stream.disposition else stream


def _all_frames(source: Source) -> Iterator[VideoFrame]:
    packets: list[int | None] = []
    starts: list[int] = []
    size, end_sec = None, 0.0
    for frame in _frames(source):
        if (frame.width, frame.height) != (size := size or (frame.width, frame.height)):
            what = f"frames differ in size: {size[0]}x{size[1]}, then {frame.width}x{frame.height}"
            raise UnreadableVideoError(what, where=source.path)
        end_sec = max(end_sec, _end_sec(frame))
        if frame.key_frame and frame.pict_type == PictureType.I:
            starts.append(len(packets))
        packets.append(cast(int | None, frame.opaque))
        yield frame
    if (damage := find_damage(source.path)) is not None:
        raise UnreadableVideoError(
            f"{damage}, only {len(packets)} frames can be read",
            where=source.path,
            remedy="get the file again",
        )
    if not packets:
        raise UnreadableVideoError("has no frame", where=source.path)
    # PyAV loses what it was told to carry along when several threads decode at once.
    if None not in packets:
        held = tuple(cast(list[int], packets))
        _remember(source.path, FrameIndex(held, tuple(starts), _remark(source, len(held), end_sec)))


def _end_sec(frame: VideoFrame) -> float:
    """Return until when a frame is shown, in seconds of its stream."""
    if frame.pts is None or frame.time_base is None:
        return 0.0
    return float((frame.pts + (frame.duration or 0)) * frame.time_base)


def _remark(source: Source, n_frames: int, end_sec: float) -> str | None:
    """Return what to say where there are far fewer frames than the header says, or they end early.

    It may be the header that is wrong, so the video is not refused.
    """
    stream = source.stream
    if n_frames < (1 - _SHORT_SHARE) * stream.frames:
        return f"has {n_frames} frames, its header announces {stream.frames}"
    if not stream.duration or stream.time_base is None:
        return None
    announced = float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if announced - end_sec <= max(_SHORT_SEC, _SHORT_SHARE * announced):
        return None
    return f"ends after {end_sec:.1f} s, its header announces {announced:.1f} s"


def _frames(
    source: Source, *, first_packet: int = 0, wanted_packets: Collection[int] = ()
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
            if not wanted_packets and _has_hole(decoder.name, bytes(packet)):
                raise _damaged(source, n_frames)
            for frame in packet.decode():
                damaged = packet.is_corrupt or frame.is_corrupt
                if damaged and (not wanted_packets or frame.opaque in wanted_packets):
                    raise _damaged(source, n_frames)
                yield frame
                n_frames += 1
    except av.FFmpegError as error:
        raise _damaged(source, n_frames) from error


def _has_hole(codec: str, content: bytes) -> bool:
    """Return whether a part of a packet was never written, which decoders make pictures of."""
    return codec in _WITHOUT_ZEROS and bytes(_LONGEST_ZEROS) in content


def _damaged(source: Source, n_frames: int) -> UnreadableVideoError:
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
    with opened(path) as source:
        return {i: frame for i, frame in enumerate(_all_frames(source)) if i in likely}


def _likely_length(path: Path) -> int:
    """Return how many frames the header gives, or, as in WebM it never does, count the packets."""
    with opened(path) as source:
        packets = source.container.demux(source.stream)
        return max(1, source.stream.frames or sum(packet.size > 0 for packet in packets))


def _decode_some(path: Path, index: FrameIndex, wanted: Collection[int]) -> dict[int, VideoFrame]:
    one_to_one = len(set(index.packets)) == len(index.packets)
    if one_to_one and index.is_selective:
        with suppress(UnreadableVideoError):  # before the file is blamed, it is decoded as a whole
            if (frames := _decode_selected(path, index, wanted)).keys() == set(wanted):
                return frames
    with opened(path) as source:
        frames = {i: frame for i, frame in enumerate(_all_frames(source)) if i in wanted}
    if frames.keys() != set(wanted):
        raise UnreadableVideoError("changed while it was read", where=path)
    if one_to_one and (anew := _recall(path)) is not None:
        _remember(path, replace(anew, is_selective=False))
    return frames


def _decode_selected(
    path: Path, index: FrameIndex, wanted: Collection[int]
) -> dict[int, VideoFrame]:
    """Return the frames wanted, as far as they come when others are left out."""
    frames: dict[int, VideoFrame] = {}
    frame_of = {index.packets[i]: i for i in wanted}
    with opened(path) as source:
        for frame in _frames(
            source, first_packet=index.start_for(wanted), wanted_packets=frame_of.keys()
        ):
            if frame.opaque in frame_of:
                frames[frame_of[frame.opaque]] = frame
            if len(frames) == len(frame_of):
                break
    return frames


def _identity(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise UnreadableVideoError("no such video", where=path) from error
    except (OSError, ValueError) as error:  # the latter of a name with a NUL
        raise UnreadableVideoError(reason(error), where=path) from error
    return str(path), status.st_mtime_ns, status.st_size


def _recall(path: Path) -> FrameIndex | None:
    return _remembered.get(_identity(path))


def _remember(path: Path, index: FrameIndex) -> None:
    if len(_remembered) >= _REMEMBERED_FILES:
        del _remembered[next(iter(_remembered))]
    _remembered[_identity(path)] = index
