"""Videos as files: found whole or damaged, decoded, turned upright, read ahead."""

from attncli.data.video.reading import (
    VIDEO_SUFFIXES,
    UnreadableVideoError,
    VideoClip,
    count_frames,
    iterate_frames,
    read_clip,
    read_frames,
    remark_on,
    write_video,
)

__all__ = [
    "VIDEO_SUFFIXES",
    "UnreadableVideoError",
    "VideoClip",
    "count_frames",
    "iterate_frames",
    "read_clip",
    "read_frames",
    "remark_on",
    "write_video",
]
