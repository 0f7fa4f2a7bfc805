"""What a finished training left, ready to answer: the network of a run."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from attncli import catalog
from attncli.errors import AttncliError, UsageError
from attncli.files.checkpoints import load_weights, read_weights
from attncli.files.runs import Run, load
from attncli.layers.fusion import fuse_for_inference
from attncli.workflows.runs.source import require_samples


def open_network(run: Run, *, weights: Path | None = None, device: torch.device) -> nn.Module:
    """Return the network of a run in evaluation mode; it answers, but cannot be trained.

    Args:
        run: What was trained.
        weights: Its weights: a `.safetensors` file or a checkpoint; those at the end of the
            training where None.
        device: Where it computes.

    Raises:
        UsageError: It was fitted to features, without a network.
        AttncliError: There are no weights, or they are not of this network.
    """
    require_samples(run.method, run.directory.path)
    path = run.directory.weights_path if weights is None else weights
    build = catalog.load(catalog.method(run.method).build)
    model = build(run.config.without_published_weights(), len(run.classes)).model
    load_weights(model, read_weights(path), where=path)
    return fuse_for_inference(model).to(device)


def weights_of(run: Run, checkpoint: str) -> Path:
    """Return the file of weights that `--checkpoint` names: `last`, `best`, or a file.

    Raises:
        AttncliError: There is no such file.
    """
    directory = run.directory
    named = {"last": directory.weights_path, "best": directory.best_checkpoint_path}
    weights = named.get(checkpoint, Path(checkpoint))
    if not weights.is_file():
        remedy = "train the run to its end, or see --checkpoint"
        raise AttncliError("no such weights", where=weights, remedy=remedy)
    return weights


def open_run(path: Path, method: str) -> Run:
    """Return a run of one certain method.

    Raises:
        AttncliError: There is none, or it is of another method.
    """
    run = load(path)
    if run.method != method:
        remedy = f"name a run of {method}"
        raise AttncliError(f"is a run of {run.method}", where=path, remedy=remedy)
    return run


def require_setting(run: Run, name: str, value: object) -> None:
    """Make sure that a run's network answers with another value of a setting than it has.

    Temporal attention has layers with a weight for each frame; other networks take clips of any
    number of them, and networks for images take none.

    Raises:
        UsageError: It does not.
    """
    path, flag = run.directory.path, f"--{name.replace('_', '-')}"
    if not hasattr(run.config, name):
        raise UsageError(f"is not a setting of {path}", where=flag, remedy="leave it out")
    own = getattr(run.config, name)
    if name == "frames" and value != own and "temporal" in catalog.method(run.method).attention:
        raise UsageError(
            f"{path} takes clips of {own} frames only, not of {value}",
            where=flag,
            remedy="leave it out for this run, or train one with that many",
        )


def require_same_classes(run: Run, classes: Sequence[str], data: Path) -> None:
    """Make sure that a dataset has the classes that a run was trained on, if it has any.

    Raises:
        AttncliError: It does not; the first other one is named.
    """
    if not classes or tuple(classes) == run.classes:
        return
    pairs = enumerate(zip_longest(run.classes, classes), start=1)
    number, own, other = next((n, own, other) for n, (own, other) in pairs if own != other)
    theirs, ours = ("missing" if name is None else repr(name) for name in (other, own))
    raise AttncliError(
        f"class {number} is {theirs} here and {ours} in {run.directory.path}",
        where=data,
        remedy="use data with the classes the run was trained on",
    )


def require_attention(run: Run, kind: Literal["spatial", "temporal"]) -> None:
    """Make sure that a run's network has one kind of attention.

    Raises:
        AttncliError: Its method has none.
    """
    able = [method.name for method in catalog.METHODS if kind in method.attention]
    if run.method not in able:
        raise AttncliError(
            f"{run.method} has no {kind} attention",
            where=run.directory.path,
            remedy=f"name a run of {' or '.join(able)}",
        )
