import json
from types import SimpleNamespace

import pytest

from attncli.errors import AttncliError
from attncli.reporting import Outcome


@pytest.fixture
def told(monkeypatch):
    """What the command hands to the workflow, which does nothing."""
    seen = SimpleNamespace(calls=[], rows=[{"system": "abn", "top1": 93.956}], error=None)

    def demo_of(config, *, resume):
        return config, resume

    def run_demo(demo, *, overwrite, dry_run, reporter):
        seen.calls.append((*demo, overwrite, dry_run))
        if seen.error:
            raise seen.error
        return Outcome(rows=seen.rows)

    monkeypatch.setattr("attncli.workflows.demo.running.demo_of", demo_of)
    monkeypatch.setattr("attncli.workflows.demo.running.run_demo", run_demo)
    return seen


def test_object_abns_paper_is_run_unless_another_one_is_named(run_cli, told, tmp_path):
    out = tmp_path / "d"
    assert run_cli("demo", "-o", out).exit_code == 0
    assert (
        run_cli(
            "demo", "st-abn", "-o", out, "--epochs", 2, "--resume", "--dry-run", "--json"
        ).exit_code
        == 0
    )
    (first, *ways), (second, *others) = told.calls
    assert (first.paper, first.out, first.epochs) == ("object-abn", out, None)
    assert (second.paper, second.epochs) == ("st-abn", 2)
    assert (ways, others) == ([False, False, False], [True, False, True])


def test_the_papers_table_is_answered_for_people_and_for_programs(run_cli, told, tmp_path):
    assert "93.96" in run_cli("demo", "-o", tmp_path).stdout
    assert json.loads(run_cli("demo", "-o", tmp_path, "--json").stdout) == told.rows


def test_a_step_that_failed_ends_in_one_line(run_cli, told, tmp_path):
    told.error = AttncliError("`attncli eval` ended with exit code 1", where="logs/3-1-eval.txt")
    answer = run_cli("demo", "-o", tmp_path)
    assert (answer.exit_code, answer.stdout) == (1, "")
    line = "attncli: error: logs/3-1-eval.txt: `attncli eval` ended with exit code 1\n"
    assert answer.stderr == line


@pytest.mark.parametrize(
    ("words", "message"),
    [(("nobody",), "nobody"), (("--seeds", 0), "--seeds"), (("--size", 2), "--size")],
)
def test_what_cannot_be_run_is_wrong_usage(run_cli, told, tmp_path, words, message):
    answer = run_cli("demo", *words, "-o", tmp_path)
    assert (answer.exit_code, answer.stdout, told.calls) == (2, "", [])
    assert message in answer.stderr


def test_a_plan_is_a_script_for_a_shell(run_cli, told, tmp_path):
    told.rows = [{"command": "attncli toy-data ucf101 'a b'"}, {"command": "attncli eval x"}]
    answer = run_cli("demo", "-o", tmp_path, "--dry-run")
    assert answer.stdout == "set -e\nattncli toy-data ucf101 'a b'\nattncli eval x\n"
    assert json.loads(run_cli("demo", "-o", tmp_path, "--dry-run", "--json").stdout) == told.rows
