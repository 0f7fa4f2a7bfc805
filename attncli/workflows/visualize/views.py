"""Clips as the networks saw them, read from their videos to be drawn."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from attncli.data.layouts import open_dataset
from attncli.data.samples import VideoSample
from attncli.data.video.frame_rate import frame_rate
from attncli.data.video.reading import VideoClip, iterate_frames, read_clip
from attncli.errors import AttncliError
from attncli.files.attention import ClipRecord
from attncli.files.masks import MaskDirectory
from attncli.files.runs import load
from attncli.files.temporal_edits import TemporalEdits
from attncli.visualization.animation import Film
from attncli.visualization.clips import ClipAttention, ShownClip
from attncli.visualization.overlay import cut_view
from attncli.visualization.selection import CommonClip
from attncli.workflows.visualize.attention import NamedAttention

VIEW_PX = 256
"""Height of a clip's pictures before they are placed: that of UCF101's frames, about."""


def video_samples(
    clips: Sequence[CommonClip], run: Path, data: Path | None
) -> dict[str, VideoSample]:
    """Return each clip's video by its id, in `data` or else in the dataset of `run`.

    Raises:
        AttncliError: The dataset does not have it.
    """
    if data is None:
        config = load(run).config
        dataset = open_dataset(config.data, layout=config.layout, split="all")
    else:
        dataset = open_dataset(data, split="all")
    samples = {sample.id: sample for sample in dataset.samples}
    for clip in clips:
        if clip.id not in samples:
            raise AttncliError(
                f"no such video: {clip.id!r}",
                where=dataset.root,
                remedy="give the dataset the runs were evaluated on with --data",
            )
    return samples


def read_view(
    clip: CommonClip,
    sample: VideoSample,
    runs: Sequence[NamedAttention],
    entropies: Float64[np.ndarray, " r"],
    *,
    masks: Path | None = None,
    edits: TemporalEdits | None = None,
) -> ShownClip:
    """Return the part of a video that the networks saw, and what each made of it.

    Args:
        clip: Which clip.
        sample: Its video.
        runs: The runs, each with spatial attention.
        entropies: Entropy of each run's attention, in bits.
        masks: Mask directory; no masks are shown where None.
        edits: Temporal attention people gave; none is shown where None.

    Raises:
        AttncliError: The video, its masks or its edits cannot be read, or are of another video.
        IndexError: The video is shorter than it was.
    """
    record = runs[0].attention.record(clip.rows[0])
    video = _read(sample, record.frames, record.crop)
    frames, indices = video.frames, video.indices
    view = partial(cut_view, box_xyxy=record.crop, flip=record.flip, height_px=VIEW_PX)
    unions = None
    if masks is not None:
        source = MaskDirectory(masks).read(clip.id, indices)
        _require_same_size(source.shape[1:], frames.shape[1:3], masks, clip)
        unions = _seen(source, view)
    return ShownClip(
        id=clip.id,
        true_class=record.label or None,
        frame_indices=record.frames,
        frames=view(frames),
        runs=tuple(
            _answer(run, row, float(bits))
            for run, row, bits in zip(runs, clip.rows, entropies, strict=True)
        ),
        masks=unions,
        edited=None if edits is None else edits.read(clip.id, indices, n_frames=video.n_frames),
    )


def film_of(
    shown: ShownClip, record: ClipRecord, sample: VideoSample, *, masks: Path | None = None
) -> Film:
    """Return the whole video that a clip is of, cut as the clip is; frames are read one by one.

    Args:
        shown: The clip.
        record: What a run says of it.
        sample: Its video.
        masks: Mask directory; no masks are shown where None.
    """
    view = partial(cut_view, box_xyxy=record.crop, flip=record.flip, height_px=VIEW_PX)
    frames = iterate_frames(sample.path, files=sample.files)
    return Film(
        clip=shown,
        frames=(view(frame[None])[0] for frame in frames),
        rate=frame_rate(sample.path),
        masks=None if masks is None else partial(_masks_of, masks, shown.id, view),
    )


def _masks_of(
    masks: Path, id_: str, view: Callable[..., UInt8[np.ndarray, "_ h w"]], index: int
) -> Bool[np.ndarray, "h w"]:
    """Return the union of a frame's masks as the network saw it."""
    source = MaskDirectory(masks).read(id_, [index])
    return _seen(source, view)[0]


def _seen(
    masks: Bool[np.ndarray, "t _ _"], view: Callable[..., UInt8[np.ndarray, "t h w"]]
) -> Bool[np.ndarray, "t h w"]:
    return view(masks.astype(np.uint8) * 255) >= 128  # at least half of the pixel


def read_still(record: ClipRecord, sample: VideoSample, frame: int) -> UInt8[np.ndarray, "h w 3"]:
    """Return the part of one frame that the networks saw.

    Args:
        record: A clip that shows the frame.
        sample: Its video.
        frame: Position of the frame in the video.

    Raises:
        AttncliError: The video cannot be read, or is another one.
        IndexError: The video is shorter than it was.
    """
    frames = _read(sample, (frame,), record.crop).frames
    return cut_view(frames, record.crop, flip=record.flip, height_px=VIEW_PX)[0]


def _read(
    sample: VideoSample, frames: Sequence[int], crop: tuple[float, float, float, float]
) -> VideoClip:
    """Return frames of a video that hold a clip's crop."""
    indices = np.array(frames, dtype=np.int64)
    video = read_clip(sample.path, lambda _: indices, files=sample.files)
    _require_inside(crop, video.frames.shape[1:3], sample.path)
    return video


def _answer(run: NamedAttention, row: int, entropy_bits: float) -> ClipAttention:
    record, attention = run.attention.record(row), run.attention
    return ClipAttention(
        predicted=record.predicted,
        correct=record.predicted == record.label if record.label else None,
        entropy_bits=entropy_bits,
        attention=np.asarray(cast(np.ndarray, attention.spatial)[row]),
        temporal=None if attention.temporal is None else np.asarray(attention.temporal[row]),
    )


def _require_inside(
    crop: tuple[float, float, float, float], size_hw: Sequence[int], path: Path
) -> None:
    height, width = size_hw
    if crop[2] > width + 1 or crop[3] > height + 1:
        raise AttncliError(
            f"frames of {width}x{height} pixels do not hold the clip's crop",
            where=path,
            remedy="give the dataset the runs were evaluated on with --data",
        )


def _require_same_size(
    masks_hw: Sequence[int], frames_hw: Sequence[int], masks: Path, clip: CommonClip
) -> None:
    if tuple(masks_hw) != tuple(frames_hw):
        raise AttncliError(
            f"masks are {masks_hw[1]}x{masks_hw[0]}, the video is {frames_hw[1]}x{frames_hw[0]}",
            where=MaskDirectory(masks).path(clip.id),
            remedy="segment this video again",
        )
