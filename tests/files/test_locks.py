import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.files.locks import held

HOLD = (
    "import sys, time; from pathlib import Path; from attncli.files.locks import held\n"
    "with held(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(600)"
)


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a process that holds a directory, and ends it when the test does."""
    with ExitStack() as stack:

        def make(directory: Path, code: str = HOLD) -> subprocess.Popen[bytes]:
            call = [sys.executable, "-c", code, directory]
            process = stack.enter_context(subprocess.Popen(call, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            return process

        yield make


def test_a_directory_is_held_by_one_process_and_the_other_is_told_by_which(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    out = tmp_path / "out"
    process = start(out)
    with pytest.raises(AttncliError) as error, held(out):
        pass
    assert f"out: is being written by process {process.pid} on " in str(error.value)
    assert "(attncli" in str(error.value)
    process.kill()
    process.wait()
    with held(out):
        assert [path.name for path in out.iterdir()] == [".lock"]


def test_a_directory_that_was_made_for_nothing_is_gone_again(tmp_path: Path) -> None:
    with held(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "used"):
        (tmp_path / "used" / "file").touch()
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["file"]
    with held(tmp_path):
        pass
    assert tmp_path.is_dir()


def test_an_error_lets_go(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), held(tmp_path):
            _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_forked_to_read_holds_nothing_when_its_parent_is_killed(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    code = HOLD.replace(
        "    print('held', flush=True)",
        "    import os\n"
        "    if os.fork() == 0:\n"
        "        print('held', flush=True); time.sleep(30); os._exit(0)\n"
        "    time.sleep(600)",
    )
    process = start(tmp_path, code)
    process.kill()
    process.wait()
    with held(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_for_nobody_takes_over_at_once(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = start(tmp_path)
    os.kill(process.pid, signal.SIGKILL)  # nobody has waited for it yet
    for _ in range(10_000):
        try:
            with held(tmp_path):
                break
        except AttncliError:
            time.sleep(0.05)
    else:
        pytest.fail("still held by a process that was killed")
    process.wait()
