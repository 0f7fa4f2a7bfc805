import json
from itertools import chain

import pytest

from attncli.workflows.demo.ram import RamDemo

TINY = (
    *("--widths", "8,8,8,8,16", "--face-px", "16", "--margin-px", "2", "--batch-size", "4"),
    *("--workers", "0", "--device", "cpu"),
)
SYSTEMS = ["convlstm", "convlstm-ram", "enhanced-convlstm", "enhanced-convlstm-ram"]


def test_the_plan_is_the_papers_pipeline_in_order(run_cli, tmp_path):
    answer = run_cli("demo", "ram", "-o", tmp_path / "d", "--seeds", 2, "--dry-run", "--json")
    commands = [row["command"].split()[1] for row in json.loads(answer.stdout)]
    assert answer.exit_code == 0
    assert not (tmp_path / "d").exists()
    assert commands == ["toy-data", *["train"] * 8, *["eval"] * 4, "visualize"]


def test_a_model_with_ram_is_trained_as_the_one_without(tmp_path):
    calls = [c for c in chain(*RamDemo(out=tmp_path).stages()) if c[0] == "train"]
    assert [call[1] for call in calls] == SYSTEMS
    plain, plain_ram, enhanced, enhanced_ram = (call[2 : call.index("-o")] for call in calls)
    assert plain == plain_ram
    assert enhanced == enhanced_ram
    assert plain[plain.index("--epochs") + 1] == "14"
    assert enhanced[enhanced.index("--epochs") + 1] == "7"


def test_options_of_other_papers_are_refused(run_cli, tmp_path):
    answer = run_cli("demo", "ram", "-o", tmp_path / "d", "--pretraining-epochs", 2)
    assert answer.exit_code == 2
    assert "--pretraining-epochs: does not apply to ram" in answer.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_the_whole_pipeline_runs_and_ends_with_the_papers_table(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("attncli.workflows.demo.ram.SMALL", TINY)
    words = ("demo", "ram", "-o", tmp_path / "d", "--size", 4, "--epochs", 1, "--json")
    answer = run_cli(*words)
    assert answer.exit_code == 0, answer.stderr
    rows = {row["system"]: row for row in json.loads(answer.stdout)}
    assert list(rows) == SYSTEMS
    for row in rows.values():
        assert 0 <= row["accuracy"] <= 100
        assert row["accuracy_fold_std"] >= 0
    assert rows["convlstm"]["mcnemar_p"] is None
    assert 0 < rows["convlstm-ram"]["mcnemar_p"] <= 1
    assert rows["enhanced-convlstm-ram"]["published_accuracy"] == 95.11
    assert (tmp_path / "d" / "fig4.png").exists()
