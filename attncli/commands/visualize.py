"""`attncli visualize`: the attention of runs, drawn over the frames they saw."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import (
    DryRunOption,
    JsonOption,
    OverwriteOption,
    RunsArgument,
    SplitOption,
    read_paths,
)
from attncli.errors import UsageError
from attncli.reporting import Outcome

if TYPE_CHECKING:
    from attncli.visualization.selection import Wish
    from attncli.workflows.visualize.clips import Picture

CLIPS, HEAT, FIGURE = "Which clips", "Heat maps", "Figure"


def command(
    runs: RunsArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Figure (.png, .pdf) or video (.mp4, .avi, .webm) to write."
        ),
    ] = Path("attention.png"),
    file_format: Annotated[
        Literal["png", "pdf", "mp4"] | None,
        typer.Option(
            "--format", help="Format, whatever the suffix of --out says.", show_default=False
        ),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name",
            help="What a run is called, once a run; its directory's name where unset.",
            show_default=False,
        ),
    ] = None,
    split: SplitOption = "val",
    data: Annotated[
        Path | None,
        typer.Option(
            help="Dataset with the videos; the first run's own where unset.", show_default=False
        ),
    ] = None,
    clips: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many clips; 4 where unset, 1 for a video.",
            show_default=False,
            rich_help_panel=CLIPS,
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            "--id",
            help="A clip to show, such as Archery/v_Archery_g01_c03; may be repeated.",
            show_default=False,
            rich_help_panel=CLIPS,
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            help="Only clips of this class, or only its curves; may be repeated.",
            show_default=False,
            rich_help_panel=CLIPS,
        ),
    ] = None,
    order: Annotated[
        Literal["random", "first", "sharpest", "least-sharp"] | None,
        typer.Option(
            help="Which clips are taken first: random where unset, the dataset's order, or by "
            "the mean entropy of all runs.",
            show_default=False,
            rich_help_panel=CLIPS,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the random order or choice.", rich_help_panel=CLIPS)
    ] = 0,
    value_range: Annotated[
        Literal["frame", "clip", "none"],
        typer.Option(
            "--range",
            help="What the colours span: [0, 1], which lets runs be compared (none), or the "
            "least to the greatest value of each frame, as entropy does, or of each clip.",
            rich_help_panel=HEAT,
        ),
    ] = "none",
    colormap: Annotated[
        str, typer.Option(help="A matplotlib colour map.", rich_help_panel=HEAT)
    ] = "jet",
    opacity: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of the heat map in the picture.", rich_help_panel=HEAT
        ),
    ] = 0.5,
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Mask directory; outlines are shown beside the attention.",
            show_default=False,
            rich_help_panel=HEAT,
        ),
    ] = None,
    edits: Annotated[
        Path | None,
        typer.Option(
            help="Temporal attention people gave, such as edits/edits.csv: only clips that it "
            "edits are shown, with a bar of their scores above the input.",
            show_default=False,
            rich_help_panel=HEAT,
        ),
    ] = None,
    by_class: Annotated[
        bool,
        typer.Option(
            "--by-class",
            help="Draw no clips, but the mean and spread of temporal attention over the time of "
            "a clip, a panel a class and a curve a run; of runs without it the mean over each "
            "class of the maps at the last frame of its videos.",
            rich_help_panel=FIGURE,
        ),
    ] = False,
    apex: Annotated[
        bool,
        typer.Option(
            "--apex",
            help="Draw no clips, but one video a class at its last frame, where an expression is "
            "strongest: what runs of RAM show unless --clips, --id, --order, --masks or --edits "
            "ask for clips.",
            rich_help_panel=FIGURE,
        ),
    ] = False,
    frames: Annotated[
        int,
        typer.Option(
            min=1,
            help="Frames shown of each clip; a video shows all, and so do bars.",
            rich_help_panel=FIGURE,
        ),
    ] = 8,
    width_in: Annotated[
        float,
        typer.Option(
            "--width-in",
            min=2,
            help="Greatest width in inches: 7 spans a two-column page, 3.4 a column.",
            rich_help_panel=FIGURE,
        ),
    ] = 7.0,
    dpi: Annotated[
        int, typer.Option(min=50, max=1200, help="Pixels an inch.", rich_help_panel=FIGURE)
    ] = 300,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Draw attention over the frames of clips, a row a run, as a figure for a paper or a video.

    Temporal attention is a bar above its row, a cell for every frame of the clip; pointers say
    which of them the pictures below are. Entropies beside the maps are those of `attncli entropy`,
    in bits: smaller is sharper. Of runs of RAM a figure shows the apex of one expression a class.

    Example: attncli visualize runs/abn runs/obj_abn --clips 4 -o fig2.png
    """
    out = out if file_format is None else out.with_suffix(f".{file_format}")
    of_clips = {"clips": clips, "id": ids, "order": order, "masks": masks, "edits": edits}
    if by_class or apex:
        _require_one_layout(by_class, apex, of_clips)
    if ids and (clips or labels or order):
        raise UsageError("leaves nothing to --clips, --class and --order", where="--id")
    from attncli.visualization.clips import HeatStyle
    from attncli.visualization.selection import Wish
    from attncli.workflows.visualize.clips import Picture

    picture = Picture(
        out=out,
        style=HeatStyle(colormap=colormap, opacity=opacity, value_range=value_range),
        frames=frames,
        width_in=width_in,
        dpi=dpi,
        names=tuple(names or ()),
        masks=masks,
        edits=edits,
    )
    wish = Wish(
        ids=tuple(ids or ()),
        labels=tuple(labels or ()),
        order=order or "random",
        clips=clips or (1 if picture.is_video else 4),
        seed=seed,
    )
    ways: dict[str, Any] = {"split": split, "overwrite": overwrite, "dry_run": dry_run}
    ways |= {"data": data, "reporter": terminal()}
    paths = read_paths(runs)
    if by_class:
        outcome = _draw_classes(paths, picture, wish, ways)
    else:
        of_time = any((*of_clips.values(), picture.is_video))
        at_apex = apex or (False if of_time else None)
        outcome = _draw_videos(paths, picture, wish, ways, at_apex=at_apex)
    finish(outcome, as_json=json)


def _draw_classes(
    runs: Sequence[Path], picture: "Picture", wish: "Wish", ways: Mapping[str, Any]
) -> Outcome:
    """Draw temporal attention of classes, or, of runs without it, their mean maps."""
    from attncli.workflows.visualize.classes import ClassPicture, visualize_classes
    from attncli.workflows.visualize.faces import lack_temporal, visualize_class_means

    if lack_temporal(runs, ways["split"]):
        return visualize_class_means(runs, picture, classes=wish.labels, **ways)
    _require_unset("--by-class", data=ways["data"])
    curves = ClassPicture(
        picture.out, wish.labels, picture.names, width_in=picture.width_in, dpi=picture.dpi
    )
    return visualize_classes(
        runs, curves, **{name: way for name, way in ways.items() if name != "data"}
    )


def _draw_videos(
    runs: Sequence[Path],
    picture: "Picture",
    wish: "Wish",
    ways: Mapping[str, Any],
    *,
    at_apex: bool | None,
) -> Outcome:
    """Draw videos at their apex or along their time; what suits the runs where it is None."""
    from attncli.workflows.visualize.clips import visualize_runs
    from attncli.workflows.visualize.faces import are_of_faces, visualize_apex

    if are_of_faces(runs) if at_apex is None else at_apex:
        return visualize_apex(runs, picture, wish, **ways)
    return visualize_runs(runs, picture, wish, **ways)


def _require_one_layout(by_class: bool, apex: bool, of_clips: Mapping[str, object]) -> None:
    """Refuse two layouts at once, and options about clips where there are none."""
    if by_class and apex:
        raise UsageError("exclude each other", where="--by-class and --apex")
    if by_class:
        _require_unset("--by-class", **of_clips)
    else:
        _require_unset("--apex", **{name: of_clips[name] for name in of_clips if name != "id"})


def _require_unset(layout: str, **options: object) -> None:
    """Refuse options about clips where there are none."""
    for name, value in options.items():
        if value not in (None, []):
            raise UsageError("is about single clips", where=f"--{name}", remedy=f"omit {layout}")
