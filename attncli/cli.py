"""The command line: which commands there are, and what a user sees when one fails."""

import errno
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from attncli import __version__
from attncli.catalog import COMMANDS, Command, load
from attncli.commands.console import rank
from attncli.commands.lazy import INVOKED, Group, LazyCommand, command, group
from attncli.errors import AttncliError, ExitCode

COMPLETION_VARIABLE = "_ATTNCLI_COMPLETE"
"""Set by the shell's completion script when it asks for completions."""
PIPE_CLOSED = 128 + 13
"""Exit code of a Unix tool whose reader went away (SIGPIPE)."""
REMEDIES = {
    errno.ENOSPC: "free some space or write elsewhere",
    errno.EDQUOT: "free some space or write elsewhere",
    errno.EROFS: "write elsewhere",
    errno.EACCES: "change its rights or choose another path",
    errno.EPERM: "change its rights or choose another path",
    errno.EMFILE: "lower --workers or raise `ulimit -n`",
}
"""What to do about an error of the operating system."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; what goes wrong is one line on stderr.

    Args:
        arguments: Words after `attncli`; those of this process where None.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    root = application()
    if COMPLETION_VARIABLE in os.environ:
        root.main(words, prog_name="attncli")
    context = None
    try:
        with root.make_context("attncli", list(words)) as context:
            root.invoke(context)
        sys.stdout.flush()
    except typer.Exit as ending:
        return ending.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's last flush
        return PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in words:
            traceback.print_exception(error)
        invoked = context.meta.get(INVOKED) if context else None
        code, message = _explain(error, words, invoked)
        _tell(code, message)
        return code
    return ExitCode.DONE


def application() -> Group:
    """Return the root of the command line; its commands are imported when they are needed."""
    commands = [LazyCommand(row.name, row.summary, _loader(row)) for row in COMMANDS]
    return group("attncli", _attncli, commands, completion=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"attncli {__version__}")
        raise typer.Exit


def _attncli(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            is_eager=True,
            expose_value=False,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Attention branch networks for video and images, as shell pipelines.

    Example: attncli demo -o demo
    """


def _loader(row: Command) -> Callable[[], Any]:
    def make() -> Any:
        found = load(f"{row.module}:command")
        return found() if row.is_group else command(row.name, found)

    return make


def _tell(code: int, message: str) -> None:
    """Write a message as one line; of a distributed run's usage errors only the first's."""
    if rank() and code == ExitCode.USAGE:
        return
    place = f"rank {rank()}: " if rank() else ""
    typer.echo(f"attncli: {place}{' '.join(message.split())}", err=True)


def _explain(
    error: BaseException, words: Sequence[str], invoked: TyperCommand | None
) -> tuple[int, str]:
    """Return the exit code of an error, and what it is and what to do about it."""
    match error:
        case AttncliError():
            return error.exit_code, f"error: {error}"
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            path = context.command_path if context else "attncli"
            problem = error.format_message().strip().rstrip(".")
            return ExitCode.USAGE, f"error: {problem}; see `{path} --help`"
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED, f"interrupted; {_how_to_go_on(words, invoked)}"
        case OSError():
            return ExitCode.FAILED, f"error: {_explain_os_error(error)}"
        case _ if type(error).__name__ == "OutOfMemoryError":  # torch's, without importing torch
            return ExitCode.FAILED, (
                "error: the GPU is out of memory; lower --batch-size, raise --accumulate or use "
                "--precision bf16"
            )
        case MemoryError():
            return ExitCode.FAILED, "error: out of memory; lower --batch-size or --workers"
        case _:
            problem = f"{type(error).__name__}: {error}"
            return ExitCode.FAILED, f"internal error: {problem}; run again with --debug"


def _explain_os_error(error: OSError) -> str:
    name = error.filename2 or error.filename
    where = "" if name is None else f"{os.fsdecode(name)}: "
    problem = (error.strerror or str(error) or type(error).__name__).lower()
    return f"{where}{problem}; {REMEDIES.get(error.errno or 0, 'check the path')}"


def _how_to_go_on(words: Sequence[str], invoked: TyperCommand | None) -> str:
    again = ["attncli", *(word for word in words if word != "--overwrite")]
    can_resume = invoked is not None and any("--resume" in p.opts for p in invoked.params)
    if can_resume and "--resume" not in words:
        again.append("--resume")
    return f"to go on: {shlex.join(again)}"
