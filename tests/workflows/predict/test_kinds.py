from pathlib import Path

import pytest

from attncli.errors import UsageError
from attncli.workflows.predict.kinds import open_run
from tests.support.runs import begin_run


def test_what_tells_no_class_is_refused(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "svm", "linear-svm", tmp_path)
    with pytest.raises(UsageError, match="fitted to features"):
        open_run(run)
    run = begin_run(tmp_path / "segmentation", "segmentation", tmp_path)
    with pytest.raises(UsageError, match="tells no class of a clip or image"):
        open_run(run)


def test_a_run_of_folds_asks_for_one_of_them(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "ram", "convlstm-ram", tmp_path, folds=3)
    with pytest.raises(UsageError, match=r"is of 3 folds.*fold01"):
        open_run(run)


def test_settings_can_be_others(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "x3d", "x3d", tmp_path)
    config = open_run(run, "bf16", batch_size=7, workers=None).config
    assert (config.precision, config.batch_size, config.workers) == ("bf16", 7, 0)
