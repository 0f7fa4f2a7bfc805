"""`attncli edit-spatial`: choose clips, let people paint where attention belongs, and check it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

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
    MaxClipsOption,
    OutOption,
    OverwriteOption,
    PortOption,
    ResumeOption,
    WeakestClassesOption,
    WorkersOption,
    choice_of_clips,
)

EditsArgument = Annotated[
    Path, typer.Argument(help="Edit directory, as `edit-spatial select` writes it.")
]


def command() -> lazy.Group:
    """Return the group `edit-spatial`."""
    entries = [
        lazy.LazyCommand(name, summary, partial(lazy.command, name, function))
        for name, (summary, function) in SUBCOMMANDS.items()
    ]
    return lazy.group("edit-spatial", _edit_spatial, entries)


def _edit_spatial() -> None:
    """Correct spatial attention by hand, to fine-tune on it: beyond ST-ABN's paper.

    Example: attncli edit-spatial select runs/st_abn -o spatial/
    """


def select(
    run: Annotated[Path, typer.Argument(help="Run directory, of a method with such attention.")],
    out: OutOption = Path("spatial"),
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Mask directory, as `attncli segment` writes it: instances to choose from.",
            show_default=False,
        ),
    ] = None,
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
    """Collect misclassified training clips of the weakest classes, to be painted on.

    Every clip comes with the run's spatial attention over the whole video, a picture of every frame
    and, with --masks, the instances in it. The run is evaluated first on a split it was not
    evaluated on.

    Example: attncli edit-spatial select runs/st_abn --masks masks/ssv2 -o spatial/
    """
    from attncli.config.edit_spatial import SelectSpatialConfig
    from attncli.files.masks import MaskDirectory
    from attncli.workflows.edit.select.selection import select_clips
    from attncli.workflows.edit.spatial.select import SpatialEditing

    settings = SelectSpatialConfig(
        run=run,
        masks=None if masks is None else masks.absolute(),
        **choice_of_clips(weakest_classes, below_percent, max_clips),
    )
    outcome = select_clips(
        settings,
        out,
        SpatialEditing(None if masks is None else MaskDirectory(masks)),
        batch_size=batch_size,
        workers=workers,
        device=device,
        dry_run=dry_run,
        overwrite=overwrite,
        resume=resume,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)


def from_masks(
    edits: EditsArgument,
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Mask directory, as `attncli segment` writes it; those that `select` was given "
            "where unset.",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Category of instances that count, such as person; may be repeated; all where "
            "unset.",
            metavar="CATEGORY",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace edits that were made from masks; clips on which people painted keep "
            "theirs.",
        ),
    ] = False,
) -> None:
    """Take instance masks for edits as they are, without painting.

    A frame in which nothing was found gets no edit.

    Example: attncli edit-spatial from-masks spatial/ --masks masks/ssv2 --keep person
    """
    from attncli.workflows.edit.spatial.from_masks import edit_by_masks

    outcome = edit_by_masks(
        edits,
        masks,
        keep=keep or (),
        overwrite=overwrite,
        dry_run=dry_run,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)


def check(edits: EditsArgument, json: JsonOption = False) -> None:
    """Check that edits are whole, and count what they hold.

    Example: attncli edit-spatial check spatial/
    """
    from attncli.workflows.edit.spatial.check import check_edits

    finish(check_edits(edits), as_json=json)


def serve(
    edits: EditsArgument,
    port: PortOption = 0,
    browser: BrowserOption = True,
    json: JsonOption = False,
) -> None:
    """Open a page on this machine to paint where attention belongs, until it is interrupted.

    Example: attncli edit-spatial serve spatial/
    """
    from attncli.workflows.edit.spatial.serve import serve_edits

    finish(serve_edits(edits, port=port, browser=browser, reporter=terminal()), as_json=json)


SUBCOMMANDS: dict[str, tuple[str, Callable[..., None]]] = {
    "select": ("Collect misclassified training clips of the weakest classes.", select),
    "serve": ("Paint where attention belongs on a page in the browser.", serve),
    "from-masks": ("Take instance masks for edits as they are.", from_masks),
    "check": ("Check that edits are whole, and count them.", check),
}
"""Each subcommand's line in the list of them, and what it calls."""
