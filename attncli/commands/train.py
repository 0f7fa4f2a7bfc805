"""`attncli train METHOD`: a subcommand a method, whose options are the fields of its settings."""

import inspect
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.core import TyperCommand

from attncli.catalog import METHODS, Method, load
from attncli.commands import lazy, options
from attncli.commands.console import finish, terminal
from attncli.config.fields import Setting, settings
from attncli.config.ram import SequenceConfig
from attncli.config.toml import dump, resolve

RUN_OPTIONS = {
    "out": Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Run directory.  [default: runs/METHOD]"),
    ],
    "config_file": Annotated[
        Path | None, typer.Option("--config", help="TOML file with settings; options go before it.")
    ],
    "print_config": Annotated[
        bool, typer.Option("--print-config", help="Print the settings as TOML and stop.")
    ],
    "resume": options.ResumeOption,
    "overwrite": options.OverwriteOption,
    "dry_run": options.DryRunOption,
    "json": options.JsonOption,
}
"""Options of every method that are no settings of the network or its training."""


def command() -> lazy.Group:
    """Return the group `train`."""
    entries = [lazy.LazyCommand(m.name, m.summary, partial(subcommand, m)) for m in METHODS]
    return lazy.group("train", _train, entries)


def subcommand(method: Method) -> TyperCommand:
    """Return the command that trains one method."""
    config = load(method.config)

    def train(**values: Any) -> None:
        run_options = {name: values.pop(name) for name in RUN_OPTIONS}
        given = {name: value for name, value in values.items() if value is not None}
        _train_method(method, config, given, **run_options)

    train.__doc__ = _help(method)
    train.__signature__ = inspect.Signature(list(_parameters(config)))  # type: ignore[attr-defined]
    return lazy.command(method.name, train)


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


def _parameters(config: type) -> Iterator[inspect.Parameter]:
    """Yield what typer makes options of; a setting that is not given stays None."""
    for setting in settings(config).values():
        yield _parameter(setting.name, _annotation(setting), None)
    for name, annotation in RUN_OPTIONS.items():
        yield _parameter(name, annotation, False if get_args(annotation)[0] is bool else None)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _annotation(setting: Setting) -> Any:
    flag = f"{setting.flag}/--no-{setting.flag[2:]}" if setting.type is bool else setting.flag
    is_list = get_origin(setting.type) is tuple
    option = typer.Option(
        flag,
        help=f"{setting.help}{_default(setting)}",
        show_default=False,
        rich_help_panel=setting.heading,
        metavar="<int,int,...>" if is_list else None,
        parser=_integers if is_list else None,
    )
    return Annotated[Any if is_list else setting.type | None, option]


def _default(setting: Setting) -> str:
    if setting.is_required:
        return "  [required]"
    if setting.default is None or setting.default == ():
        return ""
    shown = setting.default
    if setting.type is bool:
        shown = str(shown).lower()
    elif isinstance(shown, tuple):
        shown = ",".join(map(str, shown))
    return f"  [default: {shown}]"


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _train_method(
    method: Method,
    config: type,
    given: dict[str, Any],
    *,
    out: Path | None,
    config_file: Path | None,
    print_config: bool,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    json: bool,
) -> None:
    out = out or Path("runs") / method.name
    started = out / "config.toml"
    if resume and config_file is None and started.exists():
        config_file = started
    resolved: Any = resolve(config, config_file, given, method=method.name)
    if print_config:
        sys.stdout.write(dump(resolved, method=method.name))
        return
    if isinstance(resolved, SequenceConfig):
        from attncli.workflows.train.folds import train_folds as train
    else:
        from attncli.workflows.train.network import train

    outcome = train(
        method.name,
        resolved,
        out=out,
        resume=resume,
        overwrite=overwrite,
        dry_run=dry_run,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)
