"""`attncli edit-temporal`: choose clips, let people edit them, and put together what they did."""

from collections.abc import Callable
from typing import Annotated

from attncli.commands import lazy
from attncli.commands.console import finish, terminal
from attncli.config.edit_temporal import (
    CheckCall,
    CompareCall,
    ImportCall,
    MergeCall,
    OracleCall,
    PageCall,
    SelectCall,
    SelectConfig,
    ServeCall,
)
from attncli.config.shown import Shown

Overwrite = Annotated[bool, "Replace the scores of clips that are edited already."]


def command() -> lazy.Group:
    """Return the group `edit-temporal`."""
    return lazy.family("edit-temporal", _edit_temporal, SUBCOMMANDS)


def _edit_temporal() -> None:
    """Correct temporal attention by hand, to fine-tune on it.

    Example: attncli edit-temporal select runs/st_abn -o edits/
    """


def select(
    config: SelectConfig,
    call: SelectCall,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Collect misclassified training clips of the weakest classes, to be edited.

    Every clip comes with the run's temporal attention over the whole video and a small picture of
    every frame. The run is evaluated first on a split it was not evaluated on.

    Example: attncli edit-temporal select runs/st_abn --weakest-classes 8 -o edits/
    """
    from attncli.workflows.edit.select.selection import select_clips
    from attncli.workflows.edit.temporal.select import TemporalEditing

    outcome = select_clips(
        config,
        call.out,
        TemporalEditing(),
        batch_size=call.batch_size,
        workers=call.workers,
        device=call.device,
        dry_run=dry_run,
        overwrite=overwrite,
        resume=resume,
        reporter=terminal(),
    )
    finish(outcome, shown)


def serve(call: ServeCall, page: PageCall, *, shown: Shown) -> None:
    """Open a page on this machine to edit temporal attention, until it is interrupted.

    Example: attncli edit-temporal serve edits/ --annotator anna --part 3/74
    """
    from attncli.workflows.edit.temporal.serve import serve_edits

    outcome = serve_edits(
        call.edits,
        annotator=call.annotator,
        part=call.part_of,
        port=page.port,
        browser=page.browser,
        device=call.device,
        reporter=terminal(),
    )
    finish(outcome, shown)


def check(call: CheckCall, *, shown: Shown) -> None:
    """Check that edits are whole, and count what they hold.

    Clips of which some frames only have a score are named, all of them; with --skip-partial that is
    no error. Frames are counted from 0, as everywhere.

    Example: attncli edit-temporal check edits/
    """
    from attncli.workflows.edit.temporal.check import check_edits

    finish(check_edits(call.edits, skip_partial=call.skip_partial, reporter=terminal()), shown)


def merge(call: MergeCall, *, shown: Shown, dry_run: bool, overwrite: Overwrite) -> None:
    """Put what several annotators did into edits.csv, and measure how well they agree.

    Example: attncli edit-temporal merge edits/
    """
    from attncli.workflows.edit.temporal.merge import merge_edits

    outcome = merge_edits(
        call.edits, rule=call.rule, overwrite=overwrite, dry_run=dry_run, reporter=terminal()
    )
    finish(outcome, shown)


def import_npy(call: ImportCall, *, shown: Shown, dry_run: bool, overwrite: Overwrite) -> None:
    """Bring in edits that are kept as a NumPy vector a video.

    They fill an edit directory, or make a file of edits for a dataset with --data and --out.

    Example: attncli edit-temporal import-npy edits/ --vectors saved_attention/
    """
    from attncli.workflows.edit.temporal import import_npy as workflow

    reporter = terminal()
    if call.data is not None and call.out is not None:
        outcome = workflow.import_for_dataset(
            call.out,
            call.vectors,
            call.data,
            layout=call.layout,
            overwrite=overwrite,
            dry_run=dry_run,
            reporter=reporter,
        )
    elif call.edits is not None:
        outcome = workflow.import_into_directory(
            call.edits, call.vectors, overwrite=overwrite, dry_run=dry_run, reporter=reporter
        )
    finish(outcome, shown)


def oracle(call: OracleCall, *, shown: Shown, dry_run: bool, overwrite: Overwrite) -> None:
    """Edit toy data by its own truth: no person's work, and no measure of what people achieve.

    Frames outside the action get 0, those in it 0.5, those of it that decide the class 1.

    Example: attncli edit-temporal oracle edits/ --truth toy/ssv2/active.csv
    """
    from attncli.workflows.edit.temporal.oracle import edit_by_truth

    outcome = edit_by_truth(
        call.edits, call.truth, overwrite=overwrite, dry_run=dry_run, reporter=terminal()
    )
    finish(outcome, shown)


def compare(call: CompareCall, *, shown: Shown) -> None:
    """Compare temporal attention inside and outside the action, where the toy data tells it.

    Each run is to be evaluated on the split before.

    Example: attncli edit-temporal compare runs/st_abn --truth toy/ssv2/active.csv
    """
    from attncli.workflows.edit.temporal.compare import compare_with_truth

    outcome = compare_with_truth(call.runs, truth=call.truth, split=call.split, reporter=terminal())
    finish(outcome, shown)


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
