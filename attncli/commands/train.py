"""`attncli train METHOD`: a subcommand a method, whose options are the fields of its settings."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from typer.core import TyperCommand

from attncli.catalog import METHODS, Method, load
from attncli.commands import lazy
from attncli.commands.console import finish, terminal
from attncli.config.fields import Option
from attncli.config.toml import dump, resolve


@dataclass(frozen=True, kw_only=True)
class TrainCall:
    """What is no setting of the network or its training."""

    out: Annotated[Path | None, Option(short="-o")] = None
    """Run directory.  [default: runs/METHOD]"""
    config_file: Annotated[Path | None, Option(flag="--config")] = None
    """TOML file with settings; options go before it."""
    print_config: bool = False
    """Print the settings as TOML and stop."""


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
        json: bool,
    ) -> None:
        out = call.out or Path("runs") / method.name
        file = call.config_file
        if file is None and resume and (out / "config.toml").exists():
            file = out / "config.toml"
        config: Any = resolve(load(method.config), file, given, method=method.name)
        if call.print_config:
            sys.stdout.write(dump(config, method=method.name))
            return
        outcome = load(method.task.train)(
            method.name,
            config,
            out=out,
            resume=resume,
            overwrite=overwrite,
            dry_run=dry_run,
            reporter=terminal(),
        )
        finish(outcome, as_json=json)

    train.__doc__ = _help(method)
    return lazy.command(method.name, train, in_file=load(method.config))


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
