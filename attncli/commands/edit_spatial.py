"""`attncli edit-spatial`: choose clips, let people paint where attention belongs, and check it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from attncli.commands import lazy
from attncli.commands.console import finish, terminal
from attncli.config.edit_spatial import (
    FromMasksCall,
    SelectSpatialCall,
    SelectSpatialConfig,
    SpatialEditsCall,
)
from attncli.config.edit_temporal import PageCall
from attncli.config.shown import Shown


def command() -> lazy.Group:
    """Return the group `edit-spatial`."""
    return lazy.family("edit-spatial", _edit_spatial, SUBCOMMANDS)


def _edit_spatial() -> None:
    """Correct spatial attention by hand, to fine-tune on it: beyond ST-ABN's paper.

    Example: attncli edit-spatial select runs/st_abn -o spatial/
    """


def select(
    config: SelectSpatialConfig,
    call: SelectSpatialCall,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Collect misclassified training clips of the weakest classes, to be painted on.

    Every clip comes with the run's spatial attention over the whole video, a picture of every frame
    and, with --masks, the instances in it. The run is evaluated first on a split it was not
    evaluated on.

    Example: attncli edit-spatial select runs/st_abn --masks masks/ssv2 -o spatial/
    """
    from attncli.files.masks import MaskDirectory
    from attncli.workflows.edit.select.selection import select_clips
    from attncli.workflows.edit.spatial.select import SpatialEditing

    masks = config.masks
    outcome = select_clips(
        replace(config, masks=None if masks is None else masks.absolute()),
        call.out,
        SpatialEditing(None if masks is None else MaskDirectory(masks)),
        batch_size=call.batch_size,
        workers=call.workers,
        device=call.device,
        dry_run=dry_run,
        overwrite=overwrite,
        resume=resume,
        reporter=terminal(),
    )
    finish(outcome, shown)


def from_masks(
    call: FromMasksCall,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: Annotated[
        bool,
        "Replace edits that were made from masks; clips on which people painted keep theirs.",
    ],
) -> None:
    """Take instance masks for edits as they are, without painting.

    A frame in which nothing was found gets no edit.

    Example: attncli edit-spatial from-masks spatial/ --masks masks/ssv2 --keep person
    """
    from attncli.workflows.edit.spatial.from_masks import edit_by_masks

    outcome = edit_by_masks(
        call.edits,
        call.masks,
        keep=call.keep,
        keep_existing=call.keep_existing,
        overwrite=overwrite,
        dry_run=dry_run,
        reporter=terminal(),
    )
    finish(outcome, shown)


def check(call: SpatialEditsCall, *, shown: Shown) -> None:
    """Check that edits are whole, and count what they hold.

    Example: attncli edit-spatial check spatial/
    """
    from attncli.workflows.edit.spatial.check import check_edits

    finish(check_edits(call.edits), shown)


def serve(call: SpatialEditsCall, page: PageCall, *, shown: Shown) -> None:
    """Open a page on this machine to paint where attention belongs, until it is interrupted.

    Example: attncli edit-spatial serve spatial/
    """
    from attncli.workflows.edit.spatial.serve import serve_edits

    outcome = serve_edits(call.edits, port=page.port, browser=page.browser, reporter=terminal())
    finish(outcome, shown)


SUBCOMMANDS: dict[str, tuple[str, Callable[..., None]]] = {
    "select": ("Collect misclassified training clips of the weakest classes.", select),
    "serve": ("Paint where attention belongs on a page in the browser.", serve),
    "from-masks": ("Take instance masks for edits as they are.", from_masks),
    "check": ("Check that edits are whole, and count them.", check),
}
"""Each subcommand's line in the list of them, and what it calls."""
