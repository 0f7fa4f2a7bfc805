"""`attncli doctor`: what works on this machine."""

from attncli.commands.console import finish
from attncli.config.shown import Shown
from attncli.errors import AttncliError, MissingDependencyError
from attncli.reporting import Outcome


def command(*, shown: Shown) -> None:
    """Check this machine: versions, video decoder, devices, optional packages and numerics.

    Example: attncli doctor
    """
    from attncli.workflows.doctor.report import FAILED, MISSING, examine

    outcome = examine()
    finish(outcome, shown)
    if missing := _checks(outcome, MISSING):
        raise MissingDependencyError(f"missing: {missing}", remedy="install attncli again")
    if failed := _checks(outcome, FAILED):
        raise AttncliError(f"failed: {failed}", remedy="see the table")


def _checks(outcome: Outcome, status: str) -> str:
    return ", ".join(str(row["check"]) for row in outcome.rows if row["status"] == status)
