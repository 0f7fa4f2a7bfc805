"""How much a command says: `-q` and `-v`, which every command has."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, Literal

import typer

from attncli.errors import UsageError

Volume = Literal["quiet", "normal", "verbose"]
ASKED = "attncli.volume"
"""Key of a context's `meta` that holds what was asked for."""
_volume: ContextVar[Volume] = ContextVar("volume", default="normal")


def volume() -> Volume:
    """Return how much the running command is to say."""
    return _volume.get()


@contextmanager
def asked_volume(meta: Mapping[str, Any]) -> Iterator[None]:
    """Let a command say as much as was asked for, for as long as the context is open.

    Args:
        meta: That of the command's context, and of those of the groups it is in.
    """
    before = _volume.set(meta.get(ASKED, "normal"))
    try:
        yield
    finally:
        _volume.reset(before)


def shared_options(
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", expose_value=False),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "-q",
            "--quiet",
            help="Say nothing but warnings and errors.",
            expose_value=False,
            callback=lambda context, wanted: _ask(context, "quiet", wanted),
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "-v",
            "--verbose",
            help="Say more: versions, settings, each step's rate.",
            expose_value=False,
            callback=lambda context, wanted: _ask(context, "verbose", wanted),
        ),
    ] = False,
) -> None:
    """Options of every command; `--debug` is read from the command line by `attncli.cli`."""


def _ask(context: Any, wanted: Volume, is_given: bool) -> None:
    if is_given and context.meta.setdefault(ASKED, wanted) != wanted:
        raise UsageError("exclude each other", where="--quiet and --verbose", remedy="omit one")
