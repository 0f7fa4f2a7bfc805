"""Moving foreground without any weights: what does not move as the camera does.

The camera's motion from frame to frame is the similarity transform most points of an even grid
follow (pyramidal Lucas-Kanade, RANSAC). Frames before and after, aligned by it, are compared with
the current one: a pixel is foreground where it differs from nearly all of them. That "nearly all"
is a low quantile keeps out the background an object uncovers, and keeps in an object that turns on
the spot. Thresholds follow the video's own noise.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from attncli.backbones.segmenters.frames import SourceFrame
from attncli.config.segment import SegmentConfig
from attncli.files.masks import FrameMasks, Instance

CATEGORY = "moving"
SHORT_SIDE_PX = 240
"""What larger frames are reduced to for the search."""
REACH = 24
"""Frames looked at before and after the current one."""
STEP = 6
"""Every how many-th of these is compared with it."""
QUANTILE = 0.2
"""Share of the compared frames a pixel of the foreground may resemble."""
NOISE_FACTOR = 6
"""Difference from which on a pixel is foreground, over the frame's median difference."""
SMALLEST_DIFFERENCE = 12
"""The same in grey levels, for videos with next to no noise."""
GRID_SHARE = 1 / 12
"""Distance of the points that are followed, over the frame's short side."""
GAP_SHARE = 1 / 16
"""Width of gaps that are closed, over the frame's short side."""
UNKNOWN = 255


@dataclass(frozen=True)
class _Aligned:
    source: SourceFrame
    smooth: UInt8[np.ndarray, "h w 3"]
    grey: UInt8[np.ndarray, "h w"]
    camera: Float[np.ndarray, "3 3"]
    """Where a point of the first frame is in this one."""


@dataclass(frozen=True)
class MotionSegmenter:
    """Segments what moves, in a window of frames that slides over the video."""

    config: SegmentConfig
    """Which instances are kept."""

    def segment(self, frames: Iterable[SourceFrame]) -> Iterator[FrameMasks]:
        """Yield the masks of the wanted frames, in order."""
        window: deque[_Aligned] = deque(maxlen=2 * REACH + 1)
        answered = -1
        for frame in frames:
            window.append(self._align(frame, window[-1] if window else None))
            if len(window) == window.maxlen:
                yield from self._answer(window, answered + 1, frame.index - REACH)
                answered = frame.index - REACH
        if window:
            yield from self._answer(window, answered + 1, window[-1].source.index)

    def _align(self, frame: SourceFrame, before: _Aligned | None) -> _Aligned:
        short_px = min(frame.pixels.shape[:2])
        scale = min(1.0, (self.config.short_side_px or SHORT_SIDE_PX) / short_px)
        height, width = (max(round(scale * side), 1) for side in frame.pixels.shape[:2])
        small = cv2.resize(frame.pixels, (width, height), interpolation=cv2.INTER_AREA)
        smooth = cv2.GaussianBlur(small, (0, 0), 1)
        grey = cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY)
        camera = np.eye(3)
        if before is not None:
            camera = camera_step(before.grey, grey) @ before.camera
        return _Aligned(frame, smooth, grey, camera)

    def _answer(self, window: Sequence[_Aligned], first: int, last: int) -> Iterator[FrameMasks]:
        for current in list(window):
            source = current.source
            if source.is_wanted and first <= source.index <= last:
                height, width = source.pixels.shape[:2]
                yield FrameMasks(source.index, (height, width), self._instances(current, window))

    def _instances(self, current: _Aligned, window: Sequence[_Aligned]) -> tuple[Instance, ...]:
        others = [other for other in window if other is not current]
        spaced = [o for o in others if (o.source.index - current.source.index) % STEP == 0]
        if not others:
            return ()
        height, width = current.source.pixels.shape[:2]
        instances = []
        for outline in _outlines(_difference(current, spaced or others)):
            filled = np.zeros(current.grey.shape, dtype=np.uint8)
            cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
            mask = cv2.resize(filled, (width, height), interpolation=cv2.INTER_NEAREST) == 1
            if mask.sum() >= max(self.config.min_area_px, 1):
                instances.append(Instance.of(mask, category=CATEGORY, score=1.0))
        return tuple(instances)


def camera_step(
    before: UInt8[np.ndarray, "h w"], after: UInt8[np.ndarray, "h w"]
) -> Float[np.ndarray, "3 3"]:
    """Return where the points of one frame are in the next by the motion of the camera alone."""
    height, width = before.shape
    step = max(round(GRID_SHARE * min(height, width)), 4)
    columns, rows = np.meshgrid(np.arange(step / 2, width, step), np.arange(step / 2, height, step))
    points = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2).astype(np.float32)
    followed, is_found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, points.copy(), winSize=(21, 21), maxLevel=2
    )
    found = np.asarray(is_found)[:, 0] == 1
    camera = np.eye(3)
    if found.sum() >= 2:
        similarity, _ = cv2.estimateAffinePartial2D(
            points[found],
            np.asarray(followed)[found],
            method=cv2.RANSAC,
            ransacReprojThreshold=0.5,
            maxIters=500,
        )
        if similarity is not None:
            camera[:2] = similarity
    return camera


def _difference(current: _Aligned, others: Sequence[_Aligned]) -> UInt8[np.ndarray, "h w"]:
    """Return the difference, in grey levels, that nearly all aligned frames keep from this one."""
    height, width = current.grey.shape
    mean = np.full((1, 3), 1 / 3)
    # Smoothing knows nothing beyond the border, so what is near it is not compared either.
    inside = np.pad(np.zeros((height - 4, width - 4), np.uint8), 2, constant_values=UNKNOWN)
    differences = []
    for other in others:
        there = (other.camera @ np.linalg.inv(current.camera))[:2]
        aligned = cv2.warpAffine(
            other.smooth, there, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        outside = cv2.warpAffine(
            inside,
            there,
            (width, height),
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
            borderValue=UNKNOWN,
        )
        difference = cv2.transform(cv2.absdiff(current.smooth, aligned), mean)
        differences.append(cv2.max(difference, outside))
    rank = int(QUANTILE * len(differences))
    kept = np.partition(np.stack(differences), rank, axis=0)[rank]
    return np.where(kept == UNKNOWN, 0, kept).astype(np.uint8)


def _outlines(difference: UInt8[np.ndarray, "h w"]) -> Sequence[Any]:
    """Return the outer outlines of the regions that differ."""
    smooth = np.asarray(cv2.GaussianBlur(difference.astype(np.float32), (0, 0), 1))
    threshold = max(NOISE_FACTOR * float(np.median(smooth)), SMALLEST_DIFFERENCE)
    foreground = (smooth > threshold).astype(np.uint8)
    gap = 2 * round(GAP_SHARE * min(difference.shape) / 2) + 1
    opened = cv2.morphologyEx(foreground, cv2.MORPH_OPEN, _disc(3))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(gap))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return outlines


def _disc(width: int) -> UInt8[np.ndarray, "w w"]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
