from pathlib import Path
from typing import Any

import pytest

from attncli.config.evaluate import EvaluateCall
from attncli.config.toml import dump
from attncli.errors import AttncliError
from attncli.reporting import Outcome, Silent
from attncli.workflows.evaluate import over_seeds
from tests.support.runs import begin_run
from tests.support.settings import tiny


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return runs of two seeds, which are scored by their names."""
    run = tmp_path / "abn"
    for seed in (0, 1):
        begin_run(run / f"seed{seed}", "abn", tmp_path, seed=seed)
    text = dump(tiny("abn", data=tmp_path), method="abn", several=2)
    (run / "config.toml").write_text(text)

    def score(call: EvaluateCall, **_: Any) -> Outcome:
        return Outcome([{"run": str(path), "top1": 10.0 * len(path.name)} for path in call.runs])

    monkeypatch.setattr(over_seeds, "evaluate", score)
    return run


def test_runs_of_a_directory_are_followed_by_their_mean(several: Path, tmp_path: Path) -> None:
    single = begin_run(tmp_path / "x", "x3d", tmp_path)
    call = EvaluateCall(runs=(single, several))
    rows = over_seeds.evaluate_all(call, reporter=Silent()).rows
    assert [row["run"] for row in rows] == [
        str(path) for path in (single, several / "seed0", several / "seed1", several)
    ]
    assert rows[-1] == {"run": str(several), "seeds": 2, "top1": 50.0, "top1_std": 0.0}


def test_a_plan_has_no_means(several: Path) -> None:
    call = EvaluateCall(runs=(several,))
    assert len(over_seeds.evaluate_all(call, dry_run=True, reporter=Silent()).rows) == 2


def test_a_run_that_is_missing_is_named(several: Path) -> None:
    (several / "seed1" / "config.toml").unlink()
    with pytest.raises(AttncliError, match="1 of 2 runs are not trained, such as seed1"):
        over_seeds.evaluate_all(EvaluateCall(runs=(several,)), reporter=Silent())
