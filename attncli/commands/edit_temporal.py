"""`attncli edit-temporal`: choose clips, let people edit them, and put together what they did."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands import lazy
from attncli.commands.console import finish, terminal
from attncli.commands.options import (
    BatchSizeOption,
    BelowPercentOption,
    BrowserOption,
    DeviceOption,
    DryRunOption,
    JsonOption,
    LayoutOption,
    MaxClipsOption,
    OutOption,
    OverwriteOption,
    PortOption,
    ResumeOption,
    RunsArgument,
    SplitOption,
    WeakestClassesOption,
    WorkersOption,
    choice_of_clips,
    read_paths,
)
from attncli.errors import UsageError

EditsArgument = Annotated[
    Path, typer.Argument(help="Edit directory, as `edit-temporal select` writes it.")
]
OverwriteScoresOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the scores of clips that are edited already.")
]


def command() -> lazy.Group:
    """Return the group `edit-temporal`."""
    entries = [
        lazy.LazyCommand(name, summary, partial(lazy.command, name, function))
        for name, (summary, function) in SUBCOMMANDS.items()
    ]
    return lazy.group("edit-temporal", _edit_temporal, entries)


def _edit_temporal() -> None:
    """Correct temporal attention by hand, to fine-tune on it.

    Example: attncli edit-temporal select runs/st_abn -o edits/
    """


def select(
    run: Annotated[Path, typer.Argument(help="Run directory, of a method with such attention.")],
    out: OutOption = Path("edits"),
    weakest_classes: WeakestClassesOption = None,
    below_percent: BelowPercentOption = None,
    max_clips: MaxClipsOption = None,
    batch_size: BatchSizeOption = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    resume: ResumeOption = False,
) -> None:
    """Collect misclassified training clips of the weakest classes, to be edited.

    Every clip comes with the run's temporal attention over the whole video and a small picture of
    every frame. The run is evaluated first on a split it was not evaluated on.

    Example: attncli edit-temporal select runs/st_abn --weakest-classes 8 -o edits/
    """
    from attncli.config.edit_temporal import SelectConfig
    from attncli.workflows.edit.select.selection import select_clips
    from attncli.workflows.edit.temporal.select import TemporalEditing

    settings = SelectConfig(run=run, **choice_of_clips(weakest_classes, below_percent, max_clips))
    outcome = select_clips(
        settings,
        out,
        TemporalEditing(),
        batch_size=batch_size,
        workers=workers,
        device=device,
        dry_run=dry_run,
        overwrite=overwrite,
        resume=resume,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)


def serve(
    edits: EditsArgument,
    annotator: Annotated[
        str | None,
        typer.Option(
            help="Who edits: scores go to annotators/NAME.csv, to edits.csv where unset.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="Show one part of the clips only, as in 3/74: the third of 74.",
            metavar="K/N",
            show_default=False,
        ),
    ] = None,
    port: PortOption = 0,
    browser: BrowserOption = True,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Open a page on this machine to edit temporal attention, until it is interrupted.

    Example: attncli edit-temporal serve edits/ --annotator anna --part 3/74
    """
    from attncli.workflows.edit.temporal.serve import serve_edits

    outcome = serve_edits(
        edits,
        annotator=annotator,
        part=None if part is None else _part(part),
        port=port,
        browser=browser,
        device=device,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)


def check(
    edits: Annotated[Path, typer.Argument(help="Edit directory, or one file of edits.")],
    json: JsonOption = False,
) -> None:
    """Check that edits are whole, and count what they hold.

    Example: attncli edit-temporal check edits/
    """
    from attncli.workflows.edit.temporal.check import check_edits

    finish(check_edits(edits), as_json=json)


def merge(
    edits: EditsArgument,
    rule: Annotated[
        Literal["mean", "median", "majority"],
        typer.Option(help="What a frame gets of the scores people gave it."),
    ] = "mean",
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteScoresOption = False,
) -> None:
    """Put what several annotators did into edits.csv, and measure how well they agree.

    Example: attncli edit-temporal merge edits/
    """
    from attncli.workflows.edit.temporal.merge import merge_edits

    outcome = merge_edits(
        edits, rule=rule, overwrite=overwrite, dry_run=dry_run, reporter=terminal()
    )
    finish(outcome, as_json=json)


def import_npy(
    vectors: Annotated[
        Path,
        typer.Option(
            help="Directory of ID.npy, or CLASS/ID.npy as the paper's own editor saves them, with "
            "a score for every frame of the video.",
            show_default=False,
        ),
    ],
    edits: Annotated[
        Path | None,
        typer.Argument(help="Edit directory to fill, as `edit-temporal select` writes it."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Dataset of the videos, where there is no edit directory."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write, where there is no edit directory."),
    ] = None,
    layout: LayoutOption = "auto",
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteScoresOption = False,
) -> None:
    """Bring in edits that are kept as a NumPy vector a video.

    They fill an edit directory, or make a file of edits for a dataset with --data and --out.

    Example: attncli edit-temporal import-npy edits/ --vectors saved_attention/
    """
    from attncli.workflows.edit.temporal import import_npy as workflow

    reporter = terminal()
    if edits is not None and data is None and out is None:
        outcome = workflow.import_into_directory(
            edits, vectors, overwrite=overwrite, dry_run=dry_run, reporter=reporter
        )
    elif edits is None and data is not None and out is not None:
        outcome = workflow.import_for_dataset(
            out,
            vectors,
            data,
            layout=layout,
            overwrite=overwrite,
            dry_run=dry_run,
            reporter=reporter,
        )
    else:
        raise UsageError("name an edit directory, or both --data and --out")
    finish(outcome, as_json=json)


def oracle(
    edits: EditsArgument,
    truth: Annotated[Path, typer.Option(help="The toy data's active.csv.", show_default=False)],
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteScoresOption = False,
) -> None:
    """Edit toy data by its own truth: no person's work, and no measure of what people achieve.

    Frames outside the action get 0, those in it 0.5, those of it that decide the class 1.

    Example: attncli edit-temporal oracle edits/ --truth toy/ssv2/active.csv
    """
    from attncli.workflows.edit.temporal.oracle import edit_by_truth

    outcome = edit_by_truth(edits, truth, overwrite=overwrite, dry_run=dry_run, reporter=terminal())
    finish(outcome, as_json=json)


def compare(
    runs: RunsArgument,
    truth: Annotated[Path, typer.Option(help="The toy data's active.csv.", show_default=False)],
    split: SplitOption = "val",
    json: JsonOption = False,
) -> None:
    """Compare temporal attention inside and outside the action, where the toy data tells it.

    Each run is to be evaluated on the split before.

    Example: attncli edit-temporal compare runs/st_abn --truth toy/ssv2/active.csv
    """
    from attncli.workflows.edit.temporal.compare import compare_with_truth

    outcome = compare_with_truth(read_paths(runs), truth=truth, split=split, reporter=terminal())
    finish(outcome, as_json=json)


def _part(text: str) -> tuple[int, int]:
    """Return which part of how many `3/74` is."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"{text!r} is no part", where="--part", remedy="write 3/74, say")
    return int(found[1]), int(found[2])


SUBCOMMANDS: dict[str, tuple[str, Callable[..., None]]] = {
    "select": ("Collect misclassified training clips of the weakest classes.", select),
    "serve": ("Edit temporal attention on a page in the browser.", serve),
    "check": ("Check that edits are whole, and count them.", check),
    "merge": ("Make one file of edits from those of several people.", merge),
    "import-npy": ("Bring in edits that are kept as a NumPy vector a video.", import_npy),
    "oracle": ("Edit toy data by its own truth.", oracle),
    "compare": ("Compare temporal attention with the toy data's truth.", compare),
}
"""Each subcommand's line in the list of them, and what it calls."""
