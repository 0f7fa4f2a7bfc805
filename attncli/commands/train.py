"""`attncli train METHOD`: a subcommand a method, whose options are the fields of its settings."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from typer.core import TyperCommand

from attncli.catalog import METHODS, Method, load
from attncli.commands import lazy
from attncli.commands.console import finish, terminal
from attncli.config.fields import Checked, Option, settings
from attncli.config.shown import Shown
from attncli.config.toml import SEVERAL, dump, read, resolve
from attncli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class TrainCall(Checked):
    """What is no setting of the network or its training."""

    out: Annotated[Path | None, Option(short="-o")] = None
    """Run directory.  [default: runs/METHOD]"""
    config_file: Annotated[tuple[Path, ...], Option(flag="--config", is_repeated=True)] = ()
    """TOML file with settings; an option counts more. Given several times, later files count more
    than earlier ones."""
    print_config: bool = False
    """Print the settings as TOML and stop."""
    training_seeds: Annotated[int | None, Option(flag="--seeds", least=1)] = None
    """Number of trainings: with `--seed` and the seeds after it, each into a directory of its own,
    such as RUN/seed0; the table ends with means and standard deviations."""
    parallel_seeds: Annotated[int | None, Option(least=1)] = None
    """Of these trainings how many run side by side, each in a process; one a GPU where unset."""


@dataclass(frozen=True, kw_only=True)
class BesideSeedsCall(TrainCall):
    """The same for methods whose `--seeds` are the seeds of images."""

    training_seeds: Annotated[int | None, Option(flag="--training-seeds", least=1)] = None
    """Number of trainings: with `--seed` and the seeds after it, each into a directory of its own,
    such as RUN/seed0; the table ends with means and standard deviations."""


def command() -> lazy.Group:
    """Return the group `train`."""
    entries = [lazy.LazyCommand(m.name, m.summary, partial(subcommand, m)) for m in METHODS]
    return lazy.group("train", _train, entries)


def subcommand(method: Method) -> TyperCommand:
    """Return the command that trains one method."""

    def train(
        call: TrainCall,
        *,
        given: Mapping[str, Any],
        resume: bool,
        overwrite: bool,
        dry_run: bool,
        shown: Shown,
    ) -> None:
        out = call.out or Path("runs") / method.name
        own = out / "config.toml"
        goes_on = resume and own.exists() and not call.config_file
        config = _settings(method, (own,) if goes_on else call.config_file, given, goes_on=goes_on)
        count = call.training_seeds or (read(own).get(SEVERAL) if goes_on else None)
        if count is None and call.parallel_seeds is not None:
            raise UsageError("needs --seeds", where="--parallel-seeds")
        if call.print_config:
            sys.stdout.write(dump(config, method=method.name))
            return
        ways = {"resume": resume, "overwrite": overwrite, "dry_run": dry_run}
        if count is None:
            outcome = load(method.task.train)(
                method.name, config, out=out, **ways, reporter=terminal()
            )
        else:
            trainings = load("attncli.workflows.train.training_seeds:SeveralTrainings")
            several = trainings(method.name, config, count, out, call.parallel_seeds)
            outcome = several.run(**ways, reporter=terminal())
        finish(outcome, shown)

    train.__doc__ = _help(method)
    if "seeds" in settings(load(method.config)):
        train.__annotations__["call"] = BesideSeedsCall
    return lazy.command(method.name, train, in_file=load(method.config))


def _settings(
    method: Method, files: Sequence[Path], given: Mapping[str, Any], *, goes_on: bool
) -> Any:
    """Return the settings; a run that goes on does so as it began, in whatever environment."""
    variables = {} if goes_on else dict(os.environ)
    return resolve(load(method.config), files, given, method=method.name, variables=variables)


def _train() -> None:
    """Train a network and score it on the validation split.

    Example: attncli train abn --data UCF101/ -o runs/abn
    """


def _help(method: Method) -> str:
    paper = method.paper
    year = f", {paper.year}" if paper.year else ""
    return (
        f"{method.summary}\n\n"
        f"Paper: {paper.authors}, {paper.title}{year}.\n\n"
        f"Example: {method.example}"
    )
