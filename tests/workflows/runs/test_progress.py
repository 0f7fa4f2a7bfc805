from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.files.runs import RunDirectory
from attncli.workflows.runs.progress import Progress, epochs_done, progress_of


def test_the_last_epoch_in_the_log_counts(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert progress_of(run, 3) == Progress(0, is_complete=False)
    run.log_path.write_text("epoch,loss\n1,0.5\n2,0.25\n")
    run.weights_path.touch()
    assert progress_of(run, 3) == Progress(2, is_complete=False)
    assert progress_of(run, 2) == Progress(2, is_complete=True)
    run.weights_path.unlink()
    assert progress_of(run, 2) == Progress(2, is_complete=False)


def test_an_estimator_has_no_epochs(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert progress_of(run, None) == Progress(None, is_complete=False)
    run.weights_path.touch()
    assert progress_of(run, None) == Progress(None, is_complete=True)


@pytest.mark.parametrize("text", ["loss\n0.5\n", "epoch,loss\nlast,0.5\n"])
def test_a_damaged_log_is_named(tmp_path: Path, text: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text)
    with pytest.raises(AttncliError, match=r"log\.csv: is not the log of a training"):
        epochs_done(log)
