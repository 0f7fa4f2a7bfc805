"""Folds trained side by side, when one of them or the whole is brought down."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from attncli.config.ram import ConvLstmConfig
from attncli.reporting import Silent
from attncli.workflows.train import folds_beside

pytestmark = pytest.mark.slow

WAIT_SEC = 900
"""More than a busy machine takes; a wait ends with what it is for."""
Processes = Callable[[Path], list[int]]
WaitUntil = Callable[[Callable[[], bool]], None]
ENDLESS = (
    *("--folds", "2", "--parallel-folds", "2", "--face-px", "16", "--margin-px", "2"),
    *("--widths", "4,4,4,4,8", "--face-crop", "centre", "--batch-size", "8", "--device", "cpu"),
    *("--epochs", "100000", "--eval-every", "100000"),
)


@pytest.fixture
def begun(
    faces: Path, tmp_path: Path, trainings: Processes, wait_until: WaitUntil
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A training of two folds without an end, both of which have checkpoints already."""
    out = tmp_path / "run"
    words = ["train", "convlstm", "--data", str(faces), *ENDLESS, "-o", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "attncli", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_until(lambda: process.poll() is not None or len(checkpointed(out)) == 2)
            assert process.poll() is None
            yield process, out
        finally:
            for number in trainings(out):
                os.kill(number, signal.SIGKILL)


def checkpointed(run: Path) -> list[Path]:
    return [fold for fold in run.glob("fold*") if any(fold.glob("checkpoints/*"))]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children on Linux only")
def test_killed_it_leaves_no_fold_behind(begun, trainings, wait_until):
    process, out = begun
    process.kill()
    wait_until(lambda: not trainings(out))
    assert len(checkpointed(out)) == 2


def test_asked_to_stop_it_stops_every_fold_and_goes_on_until_one_fails_and_is_named(
    begun, faces, trainings, run_cli
):
    process, out = begun
    process.terminate()  # Ctrl-C does the same, see the tests of demos
    _, messages = process.communicate(timeout=WAIT_SEC)
    assert process.returncode == 130, messages
    assert trainings(out) == []
    assert all("--resume" in log.read_text() for log in (out / "logs").iterdir())
    (damaged,) = (out / "fold02" / "checkpoints").glob("last*")
    damaged.write_bytes(b"damaged")
    words = ("train", "convlstm", "--data", faces, *ENDLESS, "-o", out, "--resume")
    answer = run_cli(*words)
    assert answer.exit_code == 1
    log = out / "logs" / "fold02.txt"
    assert f"{log}: fold 2 ended with exit code 1; see its last line" in answer.stderr
    assert f"{damaged}: refused" in log.read_text().splitlines()[-1]
    assert trainings(out) == []
    assert checkpointed(out)


def test_a_fold_is_given_the_gpu_that_is_free(tmp_path, monkeypatch):
    devices = {}

    def start(call: list[str], **_: object) -> subprocess.Popen[bytes]:
        fold, device = (call[call.index(option) + 1] for option in ("--fold", "--device"))
        devices[int(fold)] = device
        return subprocess.Popen(["sleep", "3" if fold == "1" else "0"])

    monkeypatch.setattr(folds_beside, "start_attncli", start)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    config = ConvLstmConfig(data=tmp_path, folds=4)
    folds_beside.train_beside("convlstm", config, tmp_path, 2, Silent())
    assert devices == {1: "cuda:0", 2: "cuda:1", 3: "cuda:1", 4: "cuda:1"}
