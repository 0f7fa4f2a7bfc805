"""A video of videos: all frames, and beside them the attention of every run where it saw them.

Whatever has temporal attention has its bar below it, with a pointer to the frame that is shown.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, UInt8

from attncli.visualization.clips import HeatStyle, PictureRow, ShownClip, picture_rows
from attncli.visualization.comparison import DETAIL_LINES
from attncli.visualization.film_parts import (
    DPI,
    GAP_PX,
    STRIP_PX,
    color_bar,
    drawn,
    page_of,
    strip,
)
from attncli.visualization.page.color_bar import LEGENDS
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN
from attncli.visualization.page.heading import HEADING_IN, write_heading
from attncli.visualization.page.lettering import (
    GREY,
    LINE_IN,
    Text,
    text_scale,
)

NOTE = "bars: attention of each frame that the runs saw, in time"
UNSEEN = "not seen by the runs"
"""Beside the number of a frame before the first that the runs saw, or after the last."""


@dataclass(frozen=True)
class Film:
    """A whole video, of which the runs saw a clip."""

    clip: ShownClip
    """What the runs saw, and what they make of it."""
    frames: Iterable[UInt8[np.ndarray, "h w 3"]]
    """All frames of the video, cut as those of the clip are."""
    rate: Fraction
    """Frames per second."""
    masks: Callable[[int], Bool[np.ndarray, "h w"]] | None = None
    """Gives the union of the masks of a frame of the video, where the clip has some."""

    @property
    def reach(self) -> int:
        """How many frames of the video one of the clip stands for; a clip may start over."""
        steps = [b - a for a, b in pairwise(self.clip.frame_indices) if b > a]
        return min(steps, default=1)

    def step(self, index: int) -> int | None:
        """Return the position in the clip of the frame nearest to a frame of the video.

        Returns:
            The earlier of two that are as near; None where the runs saw none so near.
        """
        distances = np.abs(np.array(self.clip.frame_indices) - index)
        nearest = int(distances.argmin())
        return nearest if distances[nearest] < self.reach else None


def animate(
    films: Sequence[Film], names: Sequence[str], style: HeatStyle
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Yield every frame of every video, one video after the other, with its runs side by side.

    Frames between two that the runs saw have the attention of the nearer one; those that are
    farther from the clip are shown without any. Pictures are of one size; what is smaller stands
    at the top left of it.

    Args:
        films: Videos in the order in which they are shown, each with one entry a name.
        names: How the runs are called.
        style: How attention becomes colour.
    """
    sheets = [_Sheet(film, names, style) for film in films]
    height, width = (max(sheet.size_hw[axis] for sheet in sheets) for axis in (0, 1))
    for sheet in sheets:
        for picture in sheet.pictures():
            shown = np.full((height, width, 3), 255, np.uint8)
            shown[: picture.shape[0], : picture.shape[1]] = picture
            yield shown


class _Sheet:
    """One video's rows side by side, with what is written above and below them."""

    def __init__(self, film: Film, names: Sequence[str], style: HeatStyle) -> None:
        self._film, self._names, self._style = film, names, style
        clip = film.clip
        self._count = len(clip.frames)
        self._width = clip.frames.shape[2]
        # What is written is that of the first frame; bars are of the whole clip in any.
        rows = picture_rows(clip, names, style, [0])
        self._bars = [row.bar for row in rows]
        body_px = len(rows) * (self._width + GAP_PX) - GAP_PX
        self._header = _header(clip, rows, panel_px=self._width + GAP_PX, width_px=body_px)
        self._footer = footer(style, body_px, has_bars=any(self._bars))

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns of each picture."""
        parts_px = self._header.shape[0] + self._film.clip.frames.shape[1] + self._footer.shape[0]
        return parts_px + any(self._bars) * STRIP_PX, self._header.shape[1]

    def pictures(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Yield the picture of each frame."""
        for index, frame in enumerate(self._film.frames):
            step = self._film.step(index)
            parts = [self._header, self._body(index, frame, step)]
            if any(self._bars):
                colors = [None if bar is None else bar.colors for bar in self._bars]
                strips = [strip(of_bar, step, self._width) for of_bar in colors]
                parts.append(_beside(strips))
            yield np.concatenate([*parts, self._footer])

    def _body(
        self, index: int, frame: UInt8[np.ndarray, "h w 3"], step: int | None
    ) -> UInt8[np.ndarray, "h w2 3"]:
        if step is None:
            pictures = [frame.copy() for _ in self._bars]
        else:
            clip = _at(self._film, index, frame)
            rows = picture_rows(clip, self._names, self._style, [step])
            pictures = [row.pictures[0].copy() for row in rows]
        tag = _tag(f"frame {index}, {float(index / self._film.rate):.2f} s", step is None)
        for picture in pictures:
            height, width = (min(a, b) for a, b in zip(tag.shape, picture.shape[:2], strict=False))
            picture[:height, :width] = tag[:height, :width]
        return _beside(pictures)


def _at(film: Film, index: int, frame: UInt8[np.ndarray, "h w 3"]) -> ShownClip:
    """Return the clip with another frame, and its masks, in place of one of its own."""
    frames = np.broadcast_to(frame, film.clip.frames.shape)
    masks = None if film.masks is None else np.broadcast_to(film.masks(index), frames.shape[:3])
    return replace(film.clip, frames=frames, masks=masks)


def _beside(parts: Sequence[UInt8[np.ndarray, "h _ 3"]]) -> UInt8[np.ndarray, "h w 3"]:
    gap = np.full((len(parts[0]), GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for one in parts for part in (one, gap)][:-1], axis=1)


def _tag(words: str, is_unseen: bool) -> UInt8[np.ndarray, "h w 3"]:
    """Return the number and time of a frame, white on black."""
    text = Text(f"{words}, {UNSEEN}" if is_unseen else words, color="white")
    page = Page(text.width_in + 2 * MARGIN_IN, LINE_IN + MARGIN_IN, DPI)
    page.figure.set_facecolor("black")
    page.write(MARGIN_IN, (LINE_IN + MARGIN_IN) / 2, text)
    return drawn(page)


def _header(
    clip: ShownClip, rows: Sequence[PictureRow], *, panel_px: int, width_px: int
) -> UInt8[np.ndarray, "h w 3"]:
    pixels = DPI * text_scale()
    room_in = (panel_px - GAP_PX) / pixels - 2 * MARGIN_IN
    labels = [_label(row, room_in) for row in rows]
    height_in = HEADING_IN + max(3, *map(len, labels)) * LINE_IN + MARGIN_IN
    page = page_of(width_px, height_in)
    write_heading(page, clip.heading, 0.0)
    for column, label in enumerate(labels):
        page.write_lines(column * panel_px / pixels + MARGIN_IN, HEADING_IN, label, at="top")
    return drawn(page)


def footer(style: HeatStyle, width_px: int, *, has_bars: bool) -> UInt8[np.ndarray, "h w 3"]:
    """Return the colour bar, and what bars are."""
    room_in = width_px / DPI / text_scale() - 2 * MARGIN_IN
    note = Text(NOTE, lines=2, color=GREY).fit(room_in) if has_bars else []
    return color_bar(style, width_px, unit=LEGENDS[style.value_range], note=note)


def _label(row: PictureRow, room_in: float) -> list[Text]:
    """Return the lines above a row's pictures, none wider than `room_in`."""
    bar = "" if row.bar is None else f"bar: {row.bar.name}"
    value = "; ".join(text for text in (row.value, bar) if text)
    texts = (
        Text(row.name, bold=True),
        Text(row.detail, lines=DETAIL_LINES, color=row.color),
        Text(value, color=GREY),
    )
    return [line for text in texts for line in text.fit(room_in)]
