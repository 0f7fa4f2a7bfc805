"""What a training of a network would do, and what it would be refused for."""

from collections.abc import Mapping
from typing import Any

from attncli.files.runs import Run, RunDirectory
from attncli.reporting import Outcome
from attncli.training.distributed import choose_device
from attncli.workflows.evaluate.folds import fold_path
from attncli.workflows.runs.begin import rehearse
from attncli.workflows.runs.progress import epochs_done, progress_of
from attncli.workflows.runs.settings import planned
from attncli.workflows.train.initial import require_initial_weights


def rehearsed(run: Run, facts: Mapping[str, Any], *, resume: bool, overwrite: bool) -> Outcome:
    """Return the plan of a training as a row; nothing is touched.

    Args:
        run: What is to be trained.
        facts: What is known of its data.
        resume: Go on with the run that is there; the row says how many epochs are done.
        overwrite: What is there may go.

    Raises:
        UsageError: The run to go on with was begun with other settings, or there is no such
            device.
        AttncliError: The output or the initial weights cannot be used.
    """
    rehearse(run, resume=resume, overwrite=overwrite)
    choose_device(run.config.device)
    require_initial_weights(run, begun=resume and run.directory.last_checkpoint_path.exists())
    done = {"epochs_done": epochs_done(run.directory.log_path)} if resume else {}
    return Outcome(rows=planned(run, {**facts, **done}))


def rehearsed_folds(run: Run, facts: Mapping[str, Any], *, resume: bool) -> Outcome:
    """Return the plan of the trainings of all folds as a row; nothing is touched.

    Args:
        run: What is to be trained, whose directory may be used.
        facts: What is known of its data.
        resume: Go on with the folds that are there; the row says how many are done.

    Raises:
        UsageError: There is no such device.
        AttncliError: The initial weights cannot be used, or a log is damaged.
    """
    choose_device(run.config.device)
    require_initial_weights(run, begun=False)
    paths = [fold_path(run.directory.path, part.fold) for part in run.config.parts]
    done = [progress_of(RunDirectory(path), run.config.epochs).is_complete for path in paths]
    return Outcome(rows=planned(run, {**facts, **({"folds_done": sum(done)} if resume else {})}))
