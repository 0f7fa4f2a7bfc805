"""The command line: which commands there are, and what a user sees when one fails."""

import errno
import io
import os
import select
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from attncli import __version__
from attncli.catalog import COMMANDS, Command, load
from attncli.commands.console import rank
from attncli.commands.lazy import INVOKED, Group, LazyCommand, command, group
from attncli.commands.wrong_usage import told
from attncli.errors import AttncliError, ExitCode, shortened

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
    _replace_closed_streams()
    _write_any_letter()
    words = sys.argv[1:] if arguments is None else list(arguments)
    root = application()
    if COMPLETION_VARIABLE in os.environ:
        root.main(words, prog_name="attncli")
    context, code = None, int(ExitCode.DONE)
    try:
        try:
            with root.make_context("attncli", list(words)) as context:
                root.invoke(context)
        except typer.Exit as ending:
            code = ending.exit_code
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError) and _reader_went_away():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
            return PIPE_CLOSED
        if "--debug" in words:
            traceback.print_exception(error)
        invoked = context.meta.get(INVOKED) if context else None
        code, message = _explain(error, words, invoked)
        _tell(code, message)
    return code


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


def _replace_closed_streams() -> None:
    """Let the null device stand for what the shell closed, as `>&-` does to stdout."""
    # In the order of their descriptors: each takes the lowest free one, which is then its own.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def _write_any_letter() -> None:
    """Let streams write what their encoding lacks as escapes: after hours of work nothing fails."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _reader_went_away() -> bool:
    """Return whether it is stdout that is closed, and not a pipe to some other process."""
    poll = select.poll()
    with suppress(OSError):  # stdout need not be a file
        poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _tell(code: int, message: str) -> None:
    """Write a message as one line; what happens to all of a distributed run only once."""
    if rank() and code in (ExitCode.USAGE, ExitCode.INTERRUPTED):
        return
    place = f"rank {rank()}: " if rank() else ""
    typer.echo(f"attncli: {place}{' '.join(message.split())}", err=True)


def _explain(
    error: BaseException, words: Sequence[str], invoked: TyperCommand | None
) -> tuple[int, str]:
    """Return the exit code of an error, and what it is and what to do about it."""
    match error:
        case AttncliError():
            return error.exit_code, f"error: {_text(error)}"
        case typer.TyperException():
            return ExitCode.USAGE, f"error: {told(error)}"
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED, f"interrupted; {_how_to_go_on(words, invoked)}"
        case OSError():
            return ExitCode.FAILED, f"error: {_explain_os_error(error)}"
        case _ if type(error).__name__ == "OutOfMemoryError":  # torch's, without importing torch
            return ExitCode.FAILED, (
                "error: the GPU is out of memory; lower --batch-size, use --precision bf16 or, in "
                "training, raise --accumulate"
            )
        case _ if isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error):
            return ExitCode.FAILED, "error: out of memory; lower --batch-size or --workers"
        case RuntimeError() if _is_of_readers(str(error)):
            return ExitCode.FAILED, f"error: {_explain_lost_readers(str(error), words, invoked)}"
        case _:
            problem = f"{type(error).__name__}: {_text(error)}"
            return ExitCode.FAILED, f"internal error: {problem}; run again with --debug"


def _explain_os_error(error: OSError) -> str:
    name = error.filename2 or error.filename
    where = "" if name is None else f"{shortened(os.fsdecode(name))}: "
    problem = error.strerror.lower() if error.strerror else _text(error) or type(error).__name__
    return f"{where}{problem}; {REMEDIES.get(error.errno or 0, 'check the path')}"


def _is_of_readers(text: str) -> bool:
    """Return whether torch says that a process which reads data is gone or lacks memory."""
    return "DataLoader worker (pid" in text or "/torch_" in text


def _explain_lost_readers(text: str, words: Sequence[str], invoked: TyperCommand | None) -> str:
    lacks_memory = any(sign in text for sign in ("Bus error", "No space left", "shared memory"))
    cause = (
        "shared memory (/dev/shm) is full; use --workers 0, which reads in the main process, or a"
        " lower --batch-size, or give a container more with --shm-size"
        if lacks_memory
        else "a process that reads data was killed, as the system does where memory runs out; use"
        " fewer --workers (--workers 0 reads in the main process) or a lower --batch-size"
    )
    return f"{cause}; {_how_to_go_on(words, invoked)}"


def _text(error: BaseException) -> str:
    """Return what an error says; of one from a process that reads data, only what it said there."""
    text = str(error).strip()
    if "Original Traceback" in text:
        text = text.splitlines()[-1].partition(": ")[2]
    return text


def _how_to_go_on(words: Sequence[str], invoked: TyperCommand | None) -> str:
    processes = os.environ.get("LOCAL_WORLD_SIZE", "1")
    several = ["torchrun", "--nproc-per-node", processes, "-m"] if processes != "1" else []
    again = [*several, "attncli", *(word for word in words if word != "--overwrite")]
    can_resume = invoked is not None and any("--resume" in p.opts for p in invoked.params)
    if can_resume and "--resume" not in words:
        again.append("--resume")
    return f"to go on: {shlex.join(again)}"
