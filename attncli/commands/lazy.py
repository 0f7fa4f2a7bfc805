"""Commands whose modules are imported when they are invoked, not when they are listed."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from attncli.commands.volume import asked_volume, shared_options, volume
from attncli.reporting import detail

INVOKED = "attncli.invoked"
"""Key of a context's `meta` that holds the command it has come to."""
ARGUMENTS = "Arguments"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyCommand(TyperCommand):
    """A name and a sentence in the help, until somebody runs it or completes its options.

    Args:
        name: Name on the command line.
        summary: One sentence for the list of commands.
        load: Makes the command or group that stands behind the name.
    """

    def __init__(self, name: str, summary: str, load: Callable[[], Any]) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self.load = load

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 - as its base class
        """Return the whole sentence, which the list of commands wraps where it is long."""
        return self.help or ""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the context of the real command."""
        return self.load().make_context(*args, **kwargs)


class GroupedCommand(TyperCommand):
    """A command whose help lists its options under the headings of their `rich_help_panel`."""

    def invoke(self, ctx: Any) -> Any:
        """Leave a note of what was called, for whoever has to say how to go on, and call it."""
        ctx.meta[INVOKED] = self
        with asked_volume(ctx.meta):
            if volume() == "verbose":
                _introduce()
            return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section a heading; what all commands have alike comes before the rest."""
        from attncli.config.fields import COMMON

        sections: dict[str, list[tuple[str, str]]] = {ARGUMENTS: [], COMMON: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                default = ARGUMENTS if parameter.param_type_name == "argument" else COMMON
                heading = getattr(parameter, "rich_help_panel", None) or default
                sections.setdefault(heading, []).append((_of_one(record[0]), record[1]))
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class Group(TyperGroup):
    """A group of flags and commands that answers with its help when no command is named."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the flags, off: typer's own None is converted by pydantic, slow to import."""
        parameters = super().get_params(ctx)
        for parameter in parameters:
            parameter.default = False
        return parameters

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the group's own options; nothing at all asks for help."""
        return super().parse_args(ctx, args or ["--help"])


def command(
    name: str, function: Callable[..., None], *, in_file: type | None = None
) -> TyperCommand:
    """Return the command that calls `function` with settings, whose fields are its options.

    Args:
        name: Name on the command line.
        function: As `attncli.commands.options.spread` takes it; its docstring is the help.
        in_file: Settings that a file can give too.
    """
    from attncli.commands.options import spread  # the list of commands needs no options

    made = _typer(name, spread(function, in_file=in_file))
    made.params += _typer(name, shared_options).params
    return made


def family(
    name: str,
    function: Callable[..., None],
    subcommands: Mapping[str, tuple[str, Callable[..., None]]],
) -> Group:
    """Return a group of commands that lie in one module.

    Args:
        name: Name on the command line.
        function: Its docstring is the help of the group.
        subcommands: Each one's sentence for the list of them, and what it calls.
    """
    entries = [
        LazyCommand(own, summary, partial(command, own, called))
        for own, (summary, called) in subcommands.items()
    ]
    return group(name, function, entries)


def group(
    name: str,
    function: Callable[..., None],
    commands: Iterable[LazyCommand],
    *,
    completion: bool = False,
) -> Group:
    """Return a group of lazy commands.

    Args:
        name: Name on the command line.
        function: Its docstring is the help, its annotations are the group's own options.
        commands: What belongs to the group.
        completion: Whether to offer `--install-completion` and `--show-completion`.
    """
    app = typer.Typer(
        name=name,
        cls=Group,
        add_completion=completion,
        rich_markup_mode=None,
        context_settings=CONTEXT,
    )
    app.callback()(function)
    made = get_command(app)
    assert isinstance(made, Group)  # noqa: S101 - narrows the type: `cls` above says so
    for entry in commands:
        made.add_command(entry)
    made.params += _typer(name, shared_options).params
    return made


def _typer(name: str, function: Callable[..., None]) -> TyperCommand:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    epilog = getattr(function, "epilog", None)
    app.command(name, cls=GroupedCommand, context_settings=CONTEXT, epilog=epilog)(function)
    made = get_command(app)
    assert isinstance(made, TyperCommand)  # noqa: S101 - narrows the type: `cls` above says so
    return made


def _of_one(name: str) -> str:
    """Return the name of an option with the type of one value, where typer says that of a list."""
    return re.sub(r"<list\[(.*)\]>", lambda found: f"<{found[1].lower()}>", name)


def _introduce() -> None:
    """Say which versions are installed, for a report of what went wrong."""
    from attncli.commands.console import terminal
    from attncli.commands.progress import versions

    detail(versions(), terminal())
