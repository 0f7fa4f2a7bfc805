"""Label maps beside the images they are of: in PASCAL VOC's colours, as errors, or on one sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib.figure import Figure

from attncli.files.label_maps import IGNORE_LABEL, voc_palette
from attncli.visualization.clips import HeatStyle
from attncli.visualization.overlay import overlay
from attncli.visualization.page.color_bar import draw_color_bar, legend_in
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Box, Grid, Row, fit_to_page, most_per_band
from attncli.visualization.page.lettering import GREY, LINE_IN, Text, text_width_in

Color = tuple[int, int, int]

ERROR_COLORS: dict[str, Color] = {
    "right class": (0, 158, 115),
    "missed": (0, 114, 178),
    "where there is none": (213, 94, 0),
    "another class": (240, 228, 66),
}
"""What a pixel of a map of errors is, told apart by the colour-blind too (Okabe and Ito); one
rightly told background is grey."""
LEAST_CELL_IN, MOST_CELL_IN = 0.45, 1.4
"""Width of a picture."""
THUMBNAIL_IN, THUMBNAIL_ASPECT = 0.82, 0.8
"""Width of a cell of a contact sheet, of which as many stand in a line as fit, and its height over
its width; pictures fit into it."""
LABEL_IN = 1.0
"""Width of what stands left of the pictures, at most."""
GAP_IN = 0.04
"""Distance between pictures."""
TITLE_LINES = 3
"""Lines that the name of a column takes at most."""
LEGEND = ("score",)
"""What stands beside the colours of scores."""
TINT = 0.5
"""Share of a class's colour in the picture of a contact sheet, unless another is asked for."""
NAMED_CLASSES = 5
"""Classes that are named beside an image at most."""


@dataclass(frozen=True)
class Labels:
    """The class of each pixel."""

    labels: UInt8[np.ndarray, "h w"]
    """As label maps number them."""


@dataclass(frozen=True)
class Errors:
    """Where a label map is wrong."""

    labels: UInt8[np.ndarray, "h w"]
    """The label map."""
    truth: UInt8[np.ndarray, "h w"]
    """The true labels; 255 counts for nothing."""


@dataclass(frozen=True)
class Heat:
    """How much each pixel is of something."""

    scores: Float[np.ndarray, "h w"]
    """In [0, 1]."""


Panel = Labels | Errors | Heat


@dataclass(frozen=True)
class LabelledImage:
    """An image and what there is to show beside it."""

    name: str
    """Its id."""
    image: UInt8[np.ndarray, "h w 3"]
    """The image itself."""
    panels: Mapping[str, Panel]
    """What there is by the title of its column."""


def draw_label_maps(
    images: Sequence[LabelledImage],
    titles: Sequence[str],
    classes: Sequence[str],
    *,
    style: HeatStyle,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return the figure: a row an image, beside it a picture a column.

    Left of each row stand the image's name and the classes of its label maps in their colours.

    Args:
        images: From top to bottom.
        titles: The columns, from left to right; an image that has nothing for one leaves it out.
        classes: Names of the classes, the background first.
        style: How scores become colour.
        width_in: Greatest width in inches; pictures shrink so that the figure is no taller than a
            page, as long as they stay visible.
        dpi: Pixels an inch.
    """
    columns = len(titles) + 1
    panels = [panel for shown in images for panel in shown.panels.values()]
    has_heat = any(isinstance(panel, Heat) for panel in panels)
    has_errors = any(isinstance(panel, Errors) for panel in panels)
    labels_in = min(_labels_in(images, classes), LABEL_IN, 0.25 * width_in)
    room_in = width_in - labels_in - 2 * MARGIN_IN - GAP_IN
    lay_out = partial(
        _grid,
        labels_in=labels_in,
        titles=titles,
        images=images,
        footer_in=has_errors * 1.5 * LINE_IN + has_heat * legend_in(style.legend(LEGEND)),
    )
    grid = fit_to_page(
        lay_out,
        widest_in=min(MOST_CELL_IN, (room_in + GAP_IN) / columns - GAP_IN),
        least_in=LEAST_CELL_IN,
        growth=sum(map(_aspect, images)),
    )
    page = Page(grid.width_in, grid.height_in, dpi)
    _write_titles(page, grid, ("image", *titles))
    for position, shown in enumerate(images):
        _write_label(page, grid, position, shown, classes)
        _show(page, shown.image, grid.cell(position, 0))
        for column, title in enumerate(titles, start=1):
            if title in shown.panels:
                picture = _picture(shown.image, shown.panels[title], style)
                _show(page, picture, grid.cell(position, column))
    if has_errors:
        _write_errors(page, grid)
    if has_heat:
        where = {"left_in": grid.left_in, "width_in": grid.strip_in}
        draw_color_bar(page, style.blended, **where, legend=style.legend(LEGEND))
    return page.figure


def draw_contact_sheet(
    images: Sequence[LabelledImage], *, opacity: float = TINT, width_in: float = 7.0, dpi: int = 300
) -> Figure:
    """Return the figure: many images, each under its label map, with its name below it.

    Args:
        images: From left to right and from top to bottom, each with one panel, of labels.
        opacity: Share of a class's colour in the picture.
        width_in: Width in inches; the figure is as tall as it takes.
        dpi: Pixels an inch.
    """
    room_in = width_in - 2 * MARGIN_IN
    per_line = min(len(images), most_per_band(room_in, THUMBNAIL_IN, GAP_IN))
    grid = Grid(
        left_in=MARGIN_IN,
        cell_in=THUMBNAIL_IN,
        rows=(Row(THUMBNAIL_IN * THUMBNAIL_ASPECT, below_in=LINE_IN + GAP_IN),),
        columns=len(images),
        per_band=per_line,
        gap_in=GAP_IN,
    )
    page = Page(grid.width_in, grid.height_in, dpi)
    for position, shown in enumerate(images):
        box = grid.cell(0, position)
        _show(page, _tinted(shown, opacity), box)
        name = Text(shown.name, color=GREY, keeps_end=True).fit(box.width_in)
        page.write_lines(box.middle_in[0], box.bottom_in, name, at="top", ha="center")
    return page.figure


def error_map(
    image: UInt8[np.ndarray, "h w 3"],
    labels: UInt8[np.ndarray, "h w"],
    truth: UInt8[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture of where a label map is wrong: `ERROR_COLORS`, over a pale grey image.

    Pixels that count for nothing are white. One that is given no class is missed where it is of a
    class, and of another class where it is background.
    """
    grey = (image.mean(axis=2, keepdims=True) / 2 + 127).astype(np.uint8)
    picture = np.repeat(grey, 3, axis=2)
    for name, where in _errors(labels, truth).items():
        picture[where] = ERROR_COLORS[name]
    picture[truth == IGNORE_LABEL] = 255
    return picture


def _errors(
    labels: UInt8[np.ndarray, "h w"], truth: UInt8[np.ndarray, "h w"]
) -> dict[str, Bool[np.ndarray, "h w"]]:
    is_class, is_given = truth > 0, (labels > 0) & (labels != IGNORE_LABEL)
    return {
        "right class": is_class & (labels == truth),
        "missed": is_class & ~is_given,
        "where there is none": ~is_class & is_given,
        "another class": (is_class & is_given & (labels != truth))
        | (~is_class & (labels == IGNORE_LABEL)),
    }


def _picture(
    image: UInt8[np.ndarray, "h w 3"], panel: Panel, style: HeatStyle
) -> UInt8[np.ndarray, "h w 3"]:
    if isinstance(panel, Labels):
        return voc_palette()[panel.labels]
    if isinstance(panel, Errors):
        return error_map(image, panel.labels, panel.truth)
    scores = panel.scores.astype(np.float32)[None]
    (heat,) = overlay(image[None], scores, table=style.table, opacity=style.opacities)
    return heat


def _tinted(shown: LabelledImage, opacity: float) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image in whose pixels of a class its colour is mixed."""
    (panel,) = shown.panels.values()
    labels = panel.labels if isinstance(panel, Labels) else np.zeros((0, 0), np.uint8)
    share = opacity * (labels > 0)[..., None]
    mixed = (1 - share) * shown.image + share * voc_palette()[labels]
    return mixed.round().astype(np.uint8)


def _grid(
    cell_in: float,
    *,
    labels_in: float,
    titles: Sequence[str],
    images: Sequence[LabelledImage],
    footer_in: float,
) -> Grid:
    columns = len(titles) + 1
    title_lines = max(len(_title(title).fit(cell_in)) for title in ("image", *titles))
    return Grid(
        left_in=MARGIN_IN + labels_in + GAP_IN,
        cell_in=cell_in,
        rows=tuple(
            Row(max(cell_in * _aspect(shown), _lines(shown) * LINE_IN), below_in=GAP_IN)
            for shown in images
        ),
        columns=columns,
        per_band=columns,
        gap_in=GAP_IN,
        top_in=(title_lines + 0.2) * LINE_IN,
        footer_in=footer_in,
    )


def _aspect(shown: LabelledImage) -> float:
    return shown.image.shape[0] / shown.image.shape[1]


def _lines(shown: LabelledImage) -> int:
    """Return how many lines stand left of an image: its name, and those of its classes."""
    return 1 + min(len(_present(shown)), NAMED_CLASSES)


def _labels_in(images: Sequence[LabelledImage], classes: Sequence[str]) -> float:
    """Return how wide what stands left of images is."""
    names = {classes[number] for shown in images for number in _present(shown)}
    bold = [text_width_in(shown.name, bold=True) for shown in images]
    return max([*bold, *map(text_width_in, names)]) + GAP_IN


def _show(page: Page, picture: UInt8[np.ndarray, "h w 3"], box: Box) -> None:
    """Draw a picture in the middle of a box, as large as it fits."""
    height, width, _ = picture.shape
    side_in = min(box.width_in / width, box.height_in / height)
    width_in, height_in = width * side_in, height * side_in
    left_in, top_in = (m - s / 2 for m, s in zip(box.middle_in, (width_in, height_in), strict=True))
    page.show(picture, Box(left_in, top_in, width_in, height_in))


def _title(words: str) -> Text:
    return Text(words, lines=TITLE_LINES, bold=True)


def _write_titles(page: Page, grid: Grid, titles: Sequence[str]) -> None:
    for column, title in enumerate(titles):
        box = grid.cell(0, column)
        lines = _title(title).fit(box.width_in)
        foot_in = box.top_in - 0.1 * LINE_IN
        page.write_lines(box.middle_in[0], foot_in, lines, at="bottom", ha="center")


def _write_label(
    page: Page, grid: Grid, row: int, shown: LabelledImage, classes: Sequence[str]
) -> None:
    """Write what an image is called, and its classes in their colours, as far as there is room."""
    box = grid.strip(row)
    room_in = grid.left_in - MARGIN_IN - GAP_IN
    lines = [*Text(shown.name, bold=True, keeps_end=True).fit(room_in)]
    for number in _present(shown)[:NAMED_CLASSES]:
        color = "#{:02x}{:02x}{:02x}".format(*voc_palette()[number])
        lines += Text(classes[number], color=color).fit(room_in)
    page.write_lines(MARGIN_IN, box.middle_in[1], lines)


def _present(shown: LabelledImage) -> list[int]:
    """Return the classes of all label maps of an image, those with most pixels first."""
    counts = np.zeros(IGNORE_LABEL + 1, dtype=np.int64)
    for panel in shown.panels.values():
        if isinstance(panel, Labels):
            counts += np.bincount(panel.labels.ravel(), minlength=len(counts))
    counts[[0, IGNORE_LABEL]] = 0
    order = np.argsort(-counts, kind="stable")
    return [int(number) for number in order if counts[number]]


def _write_errors(page: Page, grid: Grid) -> None:
    """Write what the colours of errors say, in a line below the pictures, as far as it goes."""
    left_in, middle_in = grid.left_in, grid.bottom_in + 0.75 * LINE_IN
    side_in = 0.7 * LINE_IN
    for name, color in ERROR_COLORS.items():
        end_in = left_in + 1.4 * side_in + text_width_in(name)
        if end_in > page.width_in - MARGIN_IN:
            return
        patch = np.full((1, 1, 3), color, dtype=np.uint8)
        page.show(patch, Box(left_in, middle_in - side_in / 2, side_in, side_in))
        page.write(left_in + 1.4 * side_in, middle_in, Text(name))
        left_in = end_in + 2 * side_in
