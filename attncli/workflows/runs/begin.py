"""Where a run begins: its directory, and the files that say what it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attncli.files import runs
from attncli.files.locks import held
from attncli.files.outputs import claim
from attncli.training.distributed import World
from attncli.workflows.runs.environment import describe_environment
from attncli.workflows.runs.settings import require_same_settings, values


def claim_run(
    out: Path, config: Any, *, resume: bool, overwrite: bool, dry_run: bool = False
) -> None:
    """Make the directory of a run, or empty it where it may be overwritten.

    Args:
        out: Run directory.
        config: Its settings; nothing that they name may lie in what is removed.
        resume: What is there stays.
        overwrite: What is there may go.
        dry_run: Refuse what would be refused, and touch nothing.

    Raises:
        AttncliError: There is something that may neither stay nor go.
    """
    inputs = [value for value in values(config).values() if isinstance(value, Path)]
    claim(out, overwrite=overwrite, resume=resume, inputs=inputs, dry_run=dry_run)


def rehearse(run: runs.Run, *, resume: bool, overwrite: bool) -> None:
    """Refuse what would be refused where a run begins or goes on; nothing is touched.

    Args:
        run: What is to be trained.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: What is there may go.

    Raises:
        UsageError: The run to go on with was begun with other settings.
        AttncliError: There is something that may neither stay nor go.
    """
    directory = run.directory
    claim_run(directory.path, run.config, resume=resume, overwrite=overwrite, dry_run=True)
    if resume and directory.config_path.exists():
        require_same_settings(runs.load(directory.path), run)


@contextmanager
def beginning(run: runs.Run, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Hold the directory of a run that one process begins, or goes on with, for the block.

    Args:
        run: What is to be trained.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: What is there may go.

    Raises:
        UsageError: The run to go on with was begun with other settings.
        AttncliError: There is something that may neither stay nor go, or another process writes it.
    """
    out = run.directory.path
    # What may not be written is refused before the directory is locked.
    claim(out, overwrite=overwrite and resume, resume=resume or overwrite)
    with held(out):
        if resume and run.directory.config_path.exists():
            require_same_settings(runs.load(out), run)
        claim_run(out, run.config, resume=resume, overwrite=overwrite)
        yield


def write_run(run: runs.Run, world: World) -> None:
    """Write what a run is: settings, classes, and what it is trained on."""
    environment = describe_environment(world.device, processes=world.size)
    runs.create(run.directory.path, run.config, run.method, run.classes, environment)
