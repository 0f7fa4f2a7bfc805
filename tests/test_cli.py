import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import typer
from torch._utils import ExceptionWrapper

from attncli import __version__, cli
from attncli.catalog import COMMANDS, Command
from attncli.errors import AttncliError, MissingDependencyError, PartialError, UsageError

HEAVY = ("torch", "numpy", "matplotlib", "pandas", "av")
SLOW = ("pydantic", "rich.console")  # what typer and the progress bars import in their time
COMPLETIONS = Path(__file__).parent.parent / "completions"


class OutOfMemoryError(RuntimeError):
    """Stands for torch's error of the same name."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """Settings of a command that fails."""

    word: str = ""
    """A word."""


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes `attncli fail` raise an error."""

    def make(error: BaseException | None):
        def command(settings: Word, *, resume: bool, overwrite: bool) -> None:
            """Fail."""
            if error is not None:
                raise error

        module = ModuleType("failing_command")
        module.command = command
        monkeypatch.setitem(sys.modules, "failing_command", module)
        monkeypatch.setattr(cli, "COMMANDS", (Command("fail", "Fail.", "failing_command"),))

    return make


def imported_by(words: list[str], modules: tuple[str, ...], **environment: str) -> str:
    code = (
        "import sys; from attncli.cli import run\n"
        "try: run(sys.argv[1:])\n"
        f"finally: print([m for m in {modules} if m in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout
    return answer.stderr.strip()


@pytest.mark.parametrize(
    "words",
    [["--help"], *([row.name, "--help"] for row in COMMANDS), ["train", "object-abn", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(words):
    assert imported_by(words, HEAVY + SLOW) == "[]"


def test_completing_an_option_imports_nothing_heavy():
    typed = {"COMP_WORDS": "attncli train object-abn --ma", "COMP_CWORD": "3"}
    assert imported_by([], HEAVY, _ATTNCLI_COMPLETE="complete_bash", **typed) == "[]"


def test_help_lists_every_command_with_its_sentence(run_cli):
    code, stdout, stderr = run_cli("--help")
    assert (code, stderr) == (0, "")
    for row in COMMANDS:
        assert f"{row.name} " in stdout
        assert row.summary in stdout


def test_no_command_at_all_asks_for_help(run_cli):
    assert run_cli() == run_cli("--help")


def test_version_is_the_packages(run_cli):
    assert run_cli("--version") == (0, f"attncli {__version__}\n", "")


def test_the_installed_script_and_the_module_answer_alike():
    script = Path(sys.executable).with_name("attncli")
    calls = [[str(script), "--version"], [sys.executable, "-m", "attncli", "--version"]]
    answers = [subprocess.check_output(call, text=True) for call in calls]
    assert answers == [f"attncli {__version__}\n"] * 2


def test_a_misspelt_command_is_answered_with_the_nearest_one(run_cli):
    code, stdout, stderr = run_cli("dmeo")
    assert (code, stdout) == (2, "")
    assert stderr.startswith("attncli: error: dmeo: no such command (nearest: demo); see ")
    assert stderr.count("\n") == 1


def test_a_misspelt_option_is_one_line_that_names_the_commands_help(run_cli):
    code, stdout, stderr = run_cli("demo", "--seed", "1")
    assert (code, stdout) == (2, "")
    assert "--seed" in stderr
    assert stderr.endswith("see `attncli demo --help`\n")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (AttncliError("is empty", where="a", remedy="fill it"), 1, "error: a: is empty; fill it"),
        (AttncliError("is\nempty"), 1, "error: is empty"),
        (UsageError("is wrong", where="--x"), 2, "error: --x: is wrong"),
        (PartialError("some are bad"), 3, "error: some are bad"),
        (MissingDependencyError("no detectron2"), 4, "error: no detectron2"),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/a"),
            1,
            "error: runs/a: no space left on device; free some space or write elsewhere",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "runs/a"),
            1,
            "error: runs/a: permission denied; change its rights or choose another path",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a", None, "b"),
            1,
            "error: b: no such file or directory; check the path",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, "error: broken pipe; check the path"),
        (OSError("odd"), 1, "error: odd; check the path"),
        (MemoryError(), 1, "error: out of memory; lower --batch-size or --workers"),
        (
            OutOfMemoryError("CUDA out of memory"),
            1,
            "error: the GPU is out of memory; lower --batch-size, use --precision bf16 or, in "
            "training, raise --accumulate",
        ),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
            1,
            "error: out of memory; lower --batch-size or --workers",
        ),
        (
            ZeroDivisionError("division by zero"),
            1,
            "internal error: ZeroDivisionError: division by zero; run again with --debug",
        ),
        (
            KeyboardInterrupt(),
            130,
            "interrupted; to go on: attncli fail --word 'a b' --resume",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_with_its_exit_code(run_cli, failing, error, code, line):
    failing(error)
    assert run_cli("fail", "--word", "a b") == (code, "", f"attncli: {line}\n")


def test_an_error_of_a_reading_process_is_what_it_said_there(run_cli, failing):
    try:
        raise AttncliError("is empty", where="a")
    except AttncliError:
        wrapper = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(AttncliError) as caught:
        wrapper.reraise()
    failing(caught.value)
    assert run_cli("fail") == (1, "", "attncli: error: a: is empty\n")


@pytest.mark.parametrize("words", [["--debug", "fail"], ["fail", "--debug"]], ids=" ".join)
def test_debug_shows_the_traceback_wherever_it_stands(run_cli, failing, words):
    failing(AttncliError("is empty"))
    code, _, stderr = run_cli(*words)
    assert code == 1
    assert stderr.startswith("Traceback (most recent call last)")
    assert stderr.endswith("attncli: error: is empty\n")


def test_a_command_that_just_ends_is_done(run_cli, failing):
    failing(None)
    assert run_cli("fail") == (0, "", "")


def test_an_exit_code_of_a_command_is_the_shells(run_cli, failing):
    failing(typer.Exit(3))
    assert run_cli("fail").exit_code == 3


def test_a_command_to_resume_does_not_overwrite_what_it_resumes(run_cli, failing):
    failing(KeyboardInterrupt())
    again = "attncli: interrupted; to go on: attncli fail --resume\n"
    assert run_cli("fail", "--overwrite").stderr == again
    assert run_cli("fail", "--resume").stderr == again


def test_an_interrupted_command_without_resume_is_simply_repeated(run_cli, monkeypatch):
    monkeypatch.setattr("attncli.workflows.doctor.report.examine", interrupt)
    assert run_cli("doctor").stderr == "attncli: interrupted; to go on: attncli doctor\n"


def interrupt():
    raise KeyboardInterrupt


def test_what_torchrun_started_goes_on_under_torchrun(run_cli, failing, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    failing(KeyboardInterrupt())
    command = "torchrun --nproc-per-node 2 -m attncli fail --resume"
    assert run_cli("fail").stderr == f"attncli: interrupted; to go on: {command}\n"
    monkeypatch.setenv("RANK", "1")
    assert run_cli("fail") == (130, "", "")


def test_only_the_first_process_of_a_distributed_run_reports_wrong_usage(
    run_cli, failing, monkeypatch
):
    monkeypatch.setenv("RANK", "1")
    failing(UsageError("is wrong"))
    assert run_cli("fail") == (2, "", "")
    failing(AttncliError("is empty"))
    assert run_cli("fail") == (1, "", "attncli: rank 1: error: is empty\n")


def test_a_command_that_cannot_be_imported_leaves_the_others_alone(run_cli, monkeypatch):
    rows = (*COMMANDS, Command("gone", "Gone.", "attncli.commands.gone"))
    monkeypatch.setattr(cli, "COMMANDS", rows)
    assert "Gone." in run_cli("--help").stdout
    assert run_cli("train", "--help").exit_code == 0
    assert run_cli("gone").exit_code == 1


@pytest.mark.parametrize("words", [["--help"], ["train", "x3d", "--data", "d", "--print-config"]])
def test_a_reader_that_went_away_ends_the_command_quietly(words):
    reading, writing = os.pipe()
    os.close(reading)
    call = [sys.executable, "-m", "attncli", *words]
    buffered = os.environ | {"PYTHONUNBUFFERED": ""}
    answer = subprocess.run(call, env=buffered, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (answer.returncode, answer.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("call", "ending"),
    [
        ("--version >&-", (0, b"")),
        ("train x3d --data d --print-config >&-", (0, b"")),
        ("unknown 2>&-", (2, b"")),
        ("entropy - <&-", (2, b"attncli: error: -: no path on stdin; write one a line\n")),
    ],
)
def test_a_closed_stream_ends_no_command_in_an_internal_error(call, ending):
    shell = ["sh", "-c", f"exec {sys.executable} -m attncli {call}"]
    answer = subprocess.run(shell, capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == ending
    assert answer.stdout == b""


@pytest.mark.parametrize(
    ("shell", "file"), [("bash", "attncli.bash"), ("zsh", "_attncli"), ("fish", "attncli.fish")]
)
def test_the_shipped_completions_are_those_freshly_made(shell, file):
    environment = os.environ | {"_ATTNCLI_COMPLETE": f"source_{shell}"}
    call = [sys.executable, "-m", "attncli"]
    made = subprocess.run(call, env=environment, capture_output=True, text=True, check=True).stdout
    assert (COMPLETIONS / file).read_text() == made.strip() + "\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("attncli tr", ["train"]),
        ("attncli train ob", ["object-abn"]),
        ("attncli train object-abn --ma", ["--masks", "--mask-resize"]),
        ("attncli train abn --optimizer s", ["sgd"]),
        ("attncli segment videos --min", ["--min-area-px"]),
        ("attncli demo st", ["st-abn"]),
    ],
)
def test_a_key_press_offers_what_can_follow(typed, offered):
    environment = os.environ | {
        "_ATTNCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    call = [sys.executable, "-m", "attncli"]
    answer = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == offered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that"
            " dataloader's workers are out of shared memory.",
            "shared memory (/dev/shm) is full; use --workers 0, which reads in the main process, or"
            " a lower --batch-size, or give a container more with --shm-size",
        ),
        (
            "unable to write to file </torch_7_1_2>: No space left on device (28)",
            "shared memory (/dev/shm) is full; use --workers 0",
        ),
        (
            "DataLoader worker (pid 7) is killed by signal: Killed.",
            "a process that reads data was killed, as the system does where memory runs out; use"
            " fewer --workers (--workers 0 reads in the main process) or a lower --batch-size",
        ),
        (
            "DataLoader worker (pid(s) 7, 8) exited unexpectedly",
            "a process that reads data was killed",
        ),
    ],
)
def test_lost_readers_are_explained_and_how_to_go_on(run_cli, failing, text, said):
    failing(RuntimeError(text))
    answer = run_cli("fail")
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"attncli: error: {said}")
    assert answer.stderr.endswith("to go on: attncli fail --resume\n")


def test_messages_stay_one_line_of_bearable_length(run_cli, failing):
    failing(AttncliError("cell " + repr("x" * 5000), where="a\x1b[31m\n.csv", remedy="mend it"))
    (line,) = run_cli("fail").stderr.splitlines()
    assert line.startswith("attncli: error: a\\x1b[31m .csv: cell 'xxx")
    assert line.endswith("xxx'; mend it")
    assert len(line) < 800
    assert " … " in line


@pytest.mark.parametrize("words", [["--json"], []])
def test_a_terminal_without_the_letters_gets_escapes(words):
    code = (
        "import sys; from attncli.cli import _write_any_letter\n"
        "from attncli.commands.console import write_json, write_table\n"
        "_write_any_letter()\n"
        "rows = [{'run': 'caf\\xe9 \\u52d5 \\udce9'}]\n"
        "write_json(rows) if '--json' in sys.argv else write_table(rows)"
    )
    for encoding in ("ascii", "utf-8"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        call = [sys.executable, "-c", code, *words]
        answer = subprocess.run(call, env=environment, capture_output=True, check=True)
        shown = answer.stdout.decode(encoding)
        if words:
            assert json.loads(shown) == [{"run": "café 動 \udce9"}]
        elif encoding == "ascii":
            assert "caf\\xe9 \\u52d5 \\udce9" in shown
        else:
            assert "café 動 \\udce9" in shown
