"""Settings of `attncli visualize`: what of the attention of runs is drawn, and how."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import Checked, Option
from attncli.errors import UsageError

Order = Literal["random", "first", "sharpest", "least-sharp"]
Show = Literal[
    "table",
    "combinations",
    "singular-values",
    "maps",
    "mean-maps",
    "ranked-lists",
    "cmc",
    "position-maps",
]

OF_PEOPLE: tuple[Show, ...] = ("ranked-lists", "cmc", "position-maps")
"""Figures of people's features, and of what is fitted to them."""
FONT_PT = 6.5
"""Size of text for which figures are laid out, in points."""
LEAST_LAYOUT_IN = 2.0
"""Width of a figure whose text has that size, at least."""
MOVIE_SUFFIXES = {".mp4", ".avi", ".webm", ".mkv", ".mov"}
CLIPS_OF_A_FIGURE = 4


@dataclass(frozen=True, kw_only=True)
class ClipChoice(Checked):
    """Which clips are drawn."""

    heading: ClassVar[str] = "Which clips"

    clips: Annotated[int | None, Option(least=1)] = None
    """How many clips; 4 where unset, 1 for a video."""
    ids: Annotated[tuple[str, ...], Option(flag="--id", is_repeated=True)] = ()
    """A clip to show, such as Archery/v_Archery_g01_c03; may be repeated."""
    classes: Annotated[tuple[str, ...], Option(flag="--class", is_repeated=True)] = ()
    """Only clips of this class, or only its curves; may be repeated."""
    order: Order | None = None
    """Which clips are taken first: random where unset, the dataset's order, or by the mean entropy
    of all runs."""
    seed: Annotated[int, Option(least=0)] = 0
    """Seed of the random order or choice."""

    def __post_init__(self) -> None:
        """Refuse a choice that leaves another nothing.

        Raises:
            UsageError: A value is out of its range, or two exclude each other.
        """
        super().__post_init__()
        if self.ids and (self.clips or self.classes or self.order):
            remedy = "leave out --clips, --class and --order"
            raise UsageError("chooses the clips by itself", where="--id", remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class HeatMaps(Checked):
    """How attention becomes colour, and what is shown beside it."""

    heading: ClassVar[str] = "Heat maps"

    value_range: Annotated[Literal["frame", "clip", "none"], Option(flag="--range")] = "none"
    """What the colours span: [0, 1], which lets runs be compared (none), or the least to the
    greatest value of each frame, as entropy does, or of each clip."""
    colormap: str = "viridis"
    """A matplotlib colour map, whose opacity follows attention; jet is drawn evenly over all of a
    picture, as papers do."""
    opacity: Annotated[float | None, Option(least=0, most=1)] = None
    """Share of the heat map in the picture where attention is 1, or everywhere with jet; 0.85 and
    0.5 where unset."""
    masks: Path | None = None
    """Mask directory; outlines are shown beside the attention."""
    edits: Path | None = None
    """Temporal attention people gave, such as edits/edits.csv: only clips that it edits are shown,
    with a bar of their scores above the input."""


@dataclass(frozen=True, kw_only=True)
class Figure(Checked):
    """What kind of figure it is, and how large."""

    heading: ClassVar[str] = "Figure"

    by_class: bool = False
    """Draw no clips, but the mean and spread of temporal attention over the time of a clip, a panel
    a class and a curve a run; of runs without it the mean over each class of the maps at the last
    frame of its videos."""
    apex: bool = False
    """Draw no clips, but one video a class at its last frame, where an expression is strongest:
    what runs of RAM show unless --clips, --id, --order, --masks or --edits ask for clips."""
    curves: bool = False
    """Draw how runs were trained: losses, and figures of training and validation, against epochs;
    of folds and of several seeds their mean and spread."""
    errors: bool = False
    """Beside each label map show where it is wrong."""
    contact_sheet: bool = False
    """Show many images of one seed directory or run, each under its label map; 48 where --clips is
    unset."""
    show: Show | None = None
    """What is drawn of transfer features and of runs fitted to them: the accuracy of each layer and
    source (table), or of pairs of layers (combinations); of a feature directory the singular values
    of its sources, the maps of a class over images (CAM beside SVD-CAM), or their mean magnitude
    over all classes. Of people found again: the images nearest to queries (ranked-lists), or how
    many are found within each rank (cmc); of pooled maps of people the weights of places over the
    mean person of each camera (position-maps). Unset: what suits the method of a run, such as the
    table or ranked lists; maps where a feature directory has some, else singular values."""
    layers: Annotated[tuple[str, ...], Option(flag="--layer", is_repeated=True)] = ()
    """Layer whose ranked lists, match curves or position maps are drawn; may be repeated. Unset:
    all, but of ranked lists the layer and source that finds most people at rank 1."""
    source_classes: Annotated[
        tuple[str, ...], Option(flag="--source-class", is_repeated=True, metavar="[SOURCE=]CLASS")
    ] = ()
    """Class that the maps of a source are of, by number from 0 or by name; repeated where sources
    have their own. Unset: the one each source sees most of in each image."""
    frames: Annotated[int, Option(least=1)] = 8
    """Frames shown of each clip; a video shows all, and so do bars."""
    width_in: Annotated[float, Option(least=2)] = 7.0
    """Greatest width in inches: 7 spans a two-column page, 3.4 a column."""
    dpi: Annotated[int, Option(least=50, most=1200)] = 300
    """Pixels an inch."""
    font_size: Annotated[float, Option(least=4, most=20)] = FONT_PT
    """Size of text in points."""


@dataclass(frozen=True, kw_only=True)
class VisualizeConfig(Figure, HeatMaps, ClipChoice):
    """A picture of attention: where it goes, of what it is, and how it looks."""

    heading: ClassVar[str] = "Options"

    out: Annotated[Path, Option(short="-o")] = Path("attention.png")
    """Figure (.png, .pdf) or video (.mp4, .avi, .webm) to write."""
    format: Literal["png", "pdf", "mp4"] | None = None
    """Format, whatever the suffix of --out says."""
    names: tuple[str, ...] = ()
    """What runs are called in their rows, one name a run; their directories' names where unset."""
    split: Literal["train", "val"] = "val"
    """Part of the dataset; UCF101's test list is `val`."""
    data: Path | None = None
    """Dataset with the videos or images; the first run's own where unset. Seed directories have
    none of their own."""

    def __post_init__(self) -> None:
        """Refuse two layouts at once, and options about clips where there are none.

        Raises:
            UsageError: A value is out of its range, or two exclude each other.
        """
        super().__post_init__()
        if self.by_class and self.apex:
            raise UsageError("exclude each other", where="--by-class and --apex")
        if self.errors and self.contact_sheet:
            raise UsageError("exclude each other", where="--errors and --contact-sheet")
        self._require_one_kind()
        if self.layers and self.show not in (None, *OF_PEOPLE):
            remedy = f"choose --show {', '.join(OF_PEOPLE[:-1])} or {OF_PEOPLE[-1]}"
            raise UsageError("is about people's features", where="--layer", remedy=remedy)
        for layout, is_drawn in (("--by-class", self.by_class), ("--apex", self.apex)):
            for flag in self.about_clips if is_drawn else ():
                if (layout, flag) != ("--apex", "--id"):
                    remedy = f"omit {layout}"
                    raise UsageError("is about single clips", where=flag, remedy=remedy)

        if self.layout_in < LEAST_LAYOUT_IN:
            what = f"is too large for a figure {self.width_in:g} in wide"
            most = self.width_in * FONT_PT / LEAST_LAYOUT_IN
            remedy = f"choose {most:g} at most, or a greater --width-in"
            raise UsageError(what, where="--font-size", remedy=remedy)

    def _require_one_kind(self) -> None:
        """Refuse other kinds of figures beside `show`, and a class that no map is shown of."""
        layouts = {
            "--by-class": self.by_class,
            "--apex": self.apex,
            "--errors": self.errors,
            "--contact-sheet": self.contact_sheet,
        }
        for flag in (flag for flag, is_given in layouts.items() if is_given and self.show):
            raise UsageError("exclude each other", where=f"--show and {flag}")
        if self.source_classes and self.show not in (None, "maps"):
            remedy = "choose --show maps"
            raise UsageError("is about the maps of a class", where="--source-class", remedy=remedy)

    @property
    def about_clips(self) -> list[str]:
        """Options that were given and are about single clips."""
        options = {
            "--clips": self.clips,
            "--id": self.ids,
            "--order": self.order,
            "--masks": self.masks,
            "--edits": self.edits,
        }
        return [flag for flag, value in options.items() if value]

    @property
    def layout_in(self) -> float:
        """Greatest width, in inches of a page on which text is of the usual size."""
        return self.width_in * FONT_PT / self.font_size

    @property
    def picture(self) -> Path:
        """File that the picture goes to."""
        return self.out if self.format is None else self.out.with_suffix(f".{self.format}")

    @property
    def is_video(self) -> bool:
        """Whether it is a video."""
        return self.picture.suffix.lower() in MOVIE_SUFFIXES
