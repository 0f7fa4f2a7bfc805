from pathlib import Path

import pytest

from attncli.errors import AttncliError, UsageError
from attncli.files.runs import Run, RunDirectory, load
from attncli.workflows.evaluate.folds import fold_path
from attncli.workflows.train.plan import rehearsed, rehearsed_folds
from tests.support.runs import begin_run
from tests.support.settings import tiny


def test_a_run_that_is_there_is_gone_on_with_or_refused(tmp_path: Path) -> None:
    run = load(begin_run(tmp_path / "r", "x3d", tmp_path))
    run.directory.log_path.write_text("epoch,loss\n1,0.5\n2,0.4\n")
    with pytest.raises(AttncliError, match="exists already"):
        rehearsed(run, {}, resume=False, overwrite=False)
    with pytest.raises(UsageError, match="exclude each other"):
        rehearsed(run, {}, resume=True, overwrite=True)
    (row,) = rehearsed(run, {"train_clips": 3}, resume=True, overwrite=False).rows
    assert (row["train_clips"], row["epochs_done"]) == (3, 2)
    assert "epochs_done" not in rehearsed(run, {}, resume=False, overwrite=True).rows[0]
    assert run.directory.log_path.is_file()
    other = Run(run.directory, "x3d", tiny("x3d", data=tmp_path, lr=0.5), run.classes)
    with pytest.raises(UsageError, match="begun with other settings: --lr"):
        rehearsed(other, {}, resume=True, overwrite=False)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    config = tiny("x3d", data=tmp_path, device="tpu")
    run = Run(RunDirectory(tmp_path / "r"), "x3d", config, ("A",))
    with pytest.raises(UsageError, match="no such device"):
        rehearsed(run, {}, resume=False, overwrite=False)


def test_folds_that_are_done_are_counted(tmp_path: Path) -> None:
    config = tiny("convlstm", data=tmp_path, epochs=1)
    run = Run(RunDirectory(tmp_path / "r"), "convlstm", config, ("A", "B"))
    for fold, name in ((1, "model.safetensors"), (1, "log.csv"), (2, "log.csv")):
        path = fold_path(run.directory.path, fold) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("epoch\n1\n")
    assert rehearsed_folds(run, {}, resume=True).rows[0]["folds_done"] == 1
    assert "folds_done" not in rehearsed_folds(run, {}, resume=False).rows[0]
