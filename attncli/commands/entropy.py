"""`attncli entropy`: how sharp attention maps are, and how well they agree with masks."""

from attncli.commands.console import finish, terminal
from attncli.config.entropy import EntropyCall, Measure
from attncli.config.shown import Shown


def command(
    call: EntropyCall, measure: Measure, *, shown: Shown, dry_run: bool, overwrite: bool
) -> None:
    """Measure how sharp attention maps are: the entropy of their histograms, in bits.

    A map whose values are all equal counts as log2 of the bins, the largest entropy there is.

    Example: attncli entropy runs/abn runs/obj_abn --bins 10
    """
    from attncli.workflows.entropy import measure_entropy

    outcome = measure_entropy(
        call.runs,
        measure,
        split=call.split,
        out=call.out,
        dry_run=dry_run,
        overwrite=overwrite,
        reporter=terminal(),
    )
    finish(outcome, shown)
