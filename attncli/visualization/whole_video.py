"""A whole video at its own rate, under the attention that a network pays to each frame.

    heading: the file, and what the network says of it
    the frame; attention lies on the part that the network sees, within a thin line
    temporal attention of all frames, with a pointer to this one, where there is some
    number and time of the frame
    colour bar

One frame is held at a time, however long the video is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

from attncli.visualization.clips import HeatStyle
from attncli.visualization.colormap import colorize
from attncli.visualization.film_parts import color_bar, drawn, page_of, strip
from attncli.visualization.fonts import FAMILY
from attncli.visualization.overlay import overlay
from attncli.visualization.page.grid import MARGIN_IN
from attncli.visualization.page.heading import HEADING_IN, Heading, write_heading

LEAST_WIDTH_PX = 360
"""Width up to which small frames are enlarged: narrower ones leave no room for what is written."""
LINE_PX = 20
"""Height of the line with number and time of the frame."""
TEXT_PX = 13
"""Size of its text."""
INSET_PX = 4
"""Distance of its text from the left edge."""
EDGE = (255, 255, 255)
"""Colour of the line around what the network sees."""


@dataclass(frozen=True)
class WholeVideo:
    """A video, and what a network attends to in each of its frames."""

    heading: Heading
    """Which video it is, and what the network says of it."""
    frames: Iterable[UInt8[np.ndarray, "_ _ 3"]]
    """All frames, at the video's own resolution; gone through once."""
    rate: Fraction
    """Frames per second."""
    box_xyxy: tuple[float, float, float, float]
    """What the network sees of each frame: left, top, right, bottom in pixels of it."""
    seen: Bool[np.ndarray, " n"]
    """Whether the network was shown each frame; others are drawn without attention."""
    spatial: Float32[np.ndarray, "n hm wm"] | None = None
    """A map of what is seen of each frame, in [0, 1]; may lie on disk."""
    temporal: Float32[np.ndarray, " n"] | None = None
    """What each frame is worth, in [0, 1]; None where the network does not say."""


def draw_whole_video(video: WholeVideo, style: HeatStyle) -> Iterator[UInt8[np.ndarray, "_ _ 3"]]:
    """Yield a picture of each frame, all of one size, to be played at the video's own rate.

    Colours span [0, 1] in all frames alike, so that they can be compared.

    Args:
        video: What is drawn. Its attention is of as many frames as it has, or fewer: frames after
            these are drawn without any.
        style: How attention becomes colour.
    """
    frames = enumerate(video.frames)
    for first, frame in frames:
        sheet = _Sheet(video, style, frame.shape[1])
        yield sheet.picture(first, frame)
        yield from (sheet.picture(index, later) for index, later in frames)


class _Sheet:
    """What is alike in all pictures of a video.

    Args:
        video: What is drawn.
        style: How attention becomes colour.
        frame_px: Columns of a frame.
    """

    def __init__(self, video: WholeVideo, style: HeatStyle, frame_px: int) -> None:
        self._video = video
        self._factor = -(-LEAST_WIDTH_PX // frame_px) if frame_px < LEAST_WIDTH_PX else 1
        self._width_px = self._factor * frame_px
        self._table, self._opacities = style.table, style.opacities
        temporal = video.temporal
        self._cells = None if temporal is None else colorize(temporal, style.blended)
        self._header = _header(video.heading, self._width_px)
        self._footer = color_bar(style, self._width_px, unit=("attention",))[:, : self._width_px]

    def picture(self, index: int, frame: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
        """Return the picture of a frame."""
        video, factor = self._video, self._factor
        parts = [self._header, self._body(index, _enlarged(frame, factor))]
        if video.temporal is not None:
            pointed = min(index, len(video.temporal) - 1)
            parts.append(strip(self._cells, pointed, self._width_px))
        parts.append(_line(index, len(video.seen), video.rate, self._width_px))
        return np.concatenate([*parts, self._footer])

    def _body(self, index: int, frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Return a frame under its attention; as it is where the network did not see it."""
        video = self._video
        if video.spatial is None or index >= len(video.seen) or not video.seen[index]:
            return frame
        left, top, right, bottom = _whole_pixels(video.box_xyxy, self._factor, frame.shape[:2])
        shown, part = frame.copy(), np.ascontiguousarray(frame[None, top:bottom, left:right])
        maps = np.array(video.spatial[index : index + 1])
        look = {"table": self._table, "opacity": self._opacities}
        shown[top:bottom, left:right] = overlay(part, maps, **look)[0]
        if part.shape[1:3] != frame.shape[:2]:
            cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), EDGE, 1)
        return shown


def _enlarged(frame: UInt8[np.ndarray, "_ _ 3"], factor: int) -> UInt8[np.ndarray, "_ _ 3"]:
    if factor == 1:
        return frame
    return cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)


def _whole_pixels(
    box_xyxy: tuple[float, float, float, float], factor: int, size_hw: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return a box in pixels of an enlarged frame, at least one wide and high, and inside it."""
    height, width = size_hw
    left, top, right, bottom = (round(factor * edge) for edge in box_xyxy)
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, min(max(right, left + 1), width), min(max(bottom, top + 1), height)


def _line(index: int, n: int, rate: Fraction, width_px: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return a line with number and time of a frame; both count from 0."""
    picture = Image.new("RGB", (width_px, LINE_PX), "white")
    words = f"frame {index} of 0 to {max(index, n - 1)}, {float(index / rate):.2f} s"
    place = (INSET_PX, LINE_PX // 2)
    ImageDraw.Draw(picture).text(place, words, fill="black", font=_font(), anchor="lm")
    return np.asarray(picture)


@cache
def _font() -> ImageFont.FreeTypeFont:
    """Return a font for words that change from frame to frame: a page a frame is slow to draw."""
    return ImageFont.truetype(findfont(FontProperties(family=[FAMILY])), TEXT_PX)


def _header(heading: Heading, width_px: int) -> UInt8[np.ndarray, "_ _ 3"]:
    page = page_of(width_px, HEADING_IN + MARGIN_IN)
    write_heading(page, heading, 0.0)
    return drawn(page)[:, :width_px]
