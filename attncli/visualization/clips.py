"""What is drawn: clips as the networks saw them, and what each run attends to in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from attncli.metrics.value_range import Range, stretched
from attncli.visualization.colormap import COLORS, color_table, colorize, over_grey, rising
from attncli.visualization.overlay import outline, overlay
from attncli.visualization.page.bar import Bar
from attncli.visualization.page.color_bar import ON_GREY
from attncli.visualization.page.heading import Heading
from attncli.visualization.page.lettering import lettered

AS_PUBLISHED = ("jet",)
"""Colour maps that papers on attention draw in, over all of the picture alike."""
GREATEST_OPACITY = 0.85
"""Share of the heat map where attention is 1: what is below is still to be seen."""
EVEN_OPACITY = 0.5
"""Share of a heat map of one opacity."""
BARS = {"temporal": "temporal attention", "edited": "attention that people gave"}
"""What bars are, by their names."""
MARKS = {True: ("✓ ", "#1a7f37"), False: ("✗ ", "#b42318"), None: ("", "black")}
"""Sign and colour of a right, a wrong and an unknown answer."""


@dataclass(frozen=True)
class ClipAttention:
    """What one run makes of a clip."""

    predicted: str
    """Class with the highest score."""
    correct: bool | None
    """Whether that is the clip's class; None where the class is unknown."""
    entropy_bits: float
    """Entropy of the clip's attention as it left the network (eq. 9-11)."""
    attention: Float32[np.ndarray, "t hm wm"]
    """Spatial attention of each frame, in [0, 1]."""
    temporal: Float32[np.ndarray, " t"] | None = None
    """Temporal attention of each frame, in [0, 1]; None where the network has none."""


@dataclass(frozen=True)
class ShownClip:
    """A clip and what every run makes of it."""

    id: str
    """The video's id in its dataset."""
    true_class: str | None
    """Its class; None where the dataset gives none."""
    frame_indices: tuple[int, ...]
    """Position of each frame in its video."""
    frames: UInt8[np.ndarray, "t h w 3"]
    """The part of the frames that the networks saw."""
    runs: tuple[ClipAttention, ...]
    """One entry a run, in the order of the runs."""
    masks: Bool[np.ndarray, "t h w"] | None = None
    """Union of each frame's instance masks; where given, they are shown as outlines."""
    edited: Float32[np.ndarray, " t"] | None = None
    """Temporal attention people gave each frame, in [0, 1]; where given, it is shown as a bar."""

    @property
    def heading(self) -> Heading:
        """Its id, class and frames; where there is no room for all of it, frames are left out."""
        frames = f"frames {min(self.frame_indices)} to {max(self.frame_indices)}"
        if self.true_class is None:
            return Heading(self.id, (frames,))
        true_class = f"true class: {self.true_class}"
        return Heading(self.id, (f"{true_class}; {frames}", true_class, self.true_class))

    @property
    def has_bars(self) -> bool:
        """Whether anything is known of what each frame is worth."""
        return self.edited is not None or any(run.temporal is not None for run in self.runs)


@dataclass(frozen=True)
class HeatStyle:
    """How attention becomes colour.

    What has little attention shows the picture as it is: the opacity of a colour rises with the
    attention it stands for. Colours of papers (`AS_PUBLISHED`) lie evenly on all of the picture.
    """

    colormap: str = "viridis"
    """Name of a matplotlib colour map."""
    opacity: float | None = None
    """Greatest share of the heat map in the picture, in [0, 1]; the rest is the frame. None: 0.85,
    or 0.5 for colours as published."""
    value_range: Range = "none"
    """What the colours span: [0, 1], or least to greatest attention of each frame or clip; of
    each clip for temporal attention, of which a frame has but one value."""

    @property
    def is_even(self) -> bool:
        """Whether all colours are of one opacity."""
        return self.colormap in AS_PUBLISHED

    @property
    def most(self) -> float:
        """Greatest share of the heat map in the picture."""
        if self.opacity is not None:
            return self.opacity
        return EVEN_OPACITY if self.is_even else GREATEST_OPACITY

    @property
    def table(self) -> UInt8[np.ndarray, "256 3"]:
        """Colours from attention 0 to 1."""
        return color_table(self.colormap)

    @property
    def opacities(self) -> Float32[np.ndarray, "256"]:
        """Share of each of them in a picture."""
        return np.full(COLORS, self.most, np.float32) if self.is_even else rising(self.most)

    def legend(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return what stands beside a colour bar, with what its colours are shown over."""
        return tuple(lines) if self.opacities.min() == 1 else (*lines, ON_GREY)

    @property
    def blended(self) -> UInt8[np.ndarray, "256 3"]:
        """The colours as they look over mid-grey: what colour bars show, and temporal bars."""
        return over_grey(self.table, self.opacities)


@dataclass(frozen=True)
class PictureRow:
    """Pictures of one kind, and what is written beside them."""

    name: str
    """What is seen, with the letter by which a caption refers to it."""
    pictures: UInt8[np.ndarray, "t h w 3"]
    """One picture a frame."""
    detail: str = ""
    """Predicted class, and whether it is right."""
    color: str = "black"
    """Colour of the detail."""
    value: str = ""
    """Entropy of the attention."""
    bar: Bar | None = None
    """Temporal attention, to be drawn along the pictures."""

    @property
    def aspect(self) -> float:
        """Height of a picture over its width."""
        _, height, width, _ = self.pictures.shape
        return height / width


def picture_rows(
    clip: ShownClip, names: Sequence[str], style: HeatStyle, frames: Sequence[int]
) -> list[PictureRow]:
    """Return the clip's rows as in the paper: (a) the input, then masks if any, then the runs.

    Args:
        clip: What is shown.
        names: How its runs are called.
        style: How attention becomes colour.
        frames: Positions in the clip of the frames to show.
    """
    shown, blended = clip.frames[frames], style.blended

    def bar(name: str, values: Float32[np.ndarray, " t"] | None, span: Range) -> Bar | None:
        if values is None:
            return None
        scaled = stretched(values[None, :, None, None], span)[0, :, 0, 0]
        return Bar(name, colorize(scaled, blended), tuple(frames))

    rows = [PictureRow("input", shown, bar=bar("edited", clip.edited, "none"))]
    if clip.masks is not None:
        rows.append(PictureRow("masks", outline(shown, clip.masks[frames])))
    for name, run in zip(names, clip.runs, strict=True):
        mark, color = MARKS[run.correct]
        drawn = stretched(run.attention[None], style.value_range)[0][frames]
        pictures = overlay(shown, drawn, table=style.table, opacity=style.opacities)
        value = f"{run.entropy_bits:.2f} bits"
        span: Range = "none" if style.value_range == "none" else "clip"
        temporal = bar("temporal", run.temporal, span)
        rows.append(PictureRow(name, pictures, mark + run.predicted, color, value, temporal))
    names = lettered(row.name for row in rows)
    return [replace(row, name=name) for row, name in zip(rows, names, strict=True)]


def middles(n: int, count: int) -> list[int]:
    """Return the middle positions of `count` equal parts of 0 to n - 1; all n where fewer.

    A frame in the middle of its part stands below the cells of that part in a bar.

    >>> middles(32, 8)
    [2, 6, 10, 14, 18, 22, 26, 30]
    """
    parts = min(n, count)
    return [(2 * part + 1) * n // (2 * parts) for part in range(parts)]


def evenly_spaced(n: int, count: int) -> list[int]:
    """Return `count` positions from 0 to n - 1, as evenly as integers allow; all n where fewer.

    >>> evenly_spaced(16, 4)
    [0, 5, 10, 15]
    """
    return [round(p) for p in np.linspace(0, n - 1, min(n, count)).tolist()]
