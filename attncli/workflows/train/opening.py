"""What is said when a training begins: where it computes, with what, and how much there is."""

from collections.abc import Mapping

import torch

from attncli.config.toml import dump
from attncli.data.samples import Samples
from attncli.files.runs import Run
from attncli.reporting import counted
from attncli.training.distributed import World
from attncli.training.loop import Progress


def opening(run: Run, splits: Mapping[str, Samples], world: World) -> str:
    """Return one line about a training: device, arithmetic, samples, batches and epochs.

    Args:
        run: What it was asked to do.
        splits: The samples of `train` and `val`.
        world: The processes that share each batch.
    """
    config, train, val = run.config, splits["train"], splits["val"]
    parts = f" in {config.accumulate} parts" if config.accumulate > 1 else ""
    amounts = [
        counted(len(train.samples), train.unit),
        f"{len(val.samples):,} to validate",
        f"batches of {config.batch_size}{parts}",
        counted(config.epochs, "epochs"),
    ]
    where = f"{device_name(world.device)}"
    if world.size > 1:
        where = f"{world.size} processes, the first on {where}"
    return f"training {run.method} on {where}, {config.precision}: {', '.join(amounts)}"


def going_on(progress: Progress, epochs: int) -> str:
    """Return from where a training that was broken off goes on.

    >>> going_on(Progress(epoch=13), 50), going_on(Progress(epoch=13, step=120), 50)
    ('going on with epoch 14 of 50', 'going on with epoch 14 of 50, after step 120')
    >>> going_on(Progress(epoch=50), 50)
    'all 50 epochs are done'
    """
    if progress.epoch >= epochs:
        return f"all {counted(epochs, 'epochs')} are done"
    step = f", after step {progress.step}" if progress.step else ""
    return f"going on with epoch {progress.epoch + 1} of {epochs}{step}"


def device_name(device: torch.device) -> str:
    """Return a device with what it is called, or how many threads it computes with."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"{device} ({counted(torch.get_num_threads(), 'threads')})"


def particulars(run: Run, splits: Mapping[str, Samples]) -> list[str]:
    """Return what only some want to know: all settings, and where data and weights come from."""
    weights = run.directory.last_checkpoint_path
    begins = weights if weights.exists() else run.config.init
    return [
        f"data: {run.config.data}, layout {splits['train'].layout}",
        f"weights: {'new' if begins is None else begins}; published ones in {torch.hub.get_dir()}",
        *(f"setting: {line}" for line in dump(run.config, method=run.method).splitlines() if line),
    ]
