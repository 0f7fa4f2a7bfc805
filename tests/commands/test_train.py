import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from attncli.catalog import METHODS, load
from attncli.commands.train import RUN_OPTIONS
from attncli.config.fields import settings
from attncli.config.object_abn import ObjectAbnConfig
from attncli.reporting import Outcome

REQUIRED = {"data": "videos", "masks": "masks"}


@pytest.fixture
def trained(monkeypatch):
    """Return a list of the calls that reach the training."""
    calls = []

    def train(method, config, **rest):
        rest.pop("reporter")
        calls.append((method, config, rest))
        return Outcome(rows=[{"method": method}])

    module = ModuleType("attncli.workflows.train.network")
    module.train = train
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


def required_options(method) -> list[str]:
    config = load(method.config)
    names = [s.name for s in settings(config).values() if s.is_required]
    return [word for name in names for word in (f"--{name}", REQUIRED[name])]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_help_shows_every_setting_with_its_help_and_default(run_cli, method):
    code, stdout, _ = run_cli("train", method.name, "--help")
    shown = without_spaces(stdout)
    assert code == 0
    assert f"Example: {method.example}" in stdout
    for setting in settings(load(method.config)).values():
        assert f"{setting.flag} " in stdout
        assert without_spaces(setting.help) in shown
        if not setting.is_required and setting.type in (int, float) and setting.default is not None:
            default = f"{setting.help} [default: {setting.default}]"
            assert without_spaces(default) in shown


def test_help_shows_a_list_as_it_is_typed(run_cli):
    shown = without_spaces(run_cli("train", "st-abn", "--help").stdout)
    assert "dividesthelearningrateby10.[default:75,125]" in shown


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_no_setting_has_the_name_of_an_option_of_the_command(method):
    assert not settings(load(method.config)).keys() & RUN_OPTIONS.keys()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_printed_settings_read_back_print_the_same(run_cli, tmp_path, method):
    code, printed, stderr = run_cli(
        "train", method.name, "--print-config", "--lr", "0.5", *required_options(method)
    )
    assert (code, stderr) == (0, "")
    assert tomllib.loads(printed)["lr"] == 0.5
    (tmp_path / "c.toml").write_text(printed)
    again = run_cli("train", method.name, "--print-config", "--config", tmp_path / "c.toml")
    assert again == (0, printed, "")


def test_options_of_every_type_reach_the_settings(run_cli, trained):
    words = (
        *("--data", "d", "--masks", "m", "--epochs", "3", "--lr", "0.5", "--compile"),
        *("--no-deterministic", "--optimizer", "sgd", "--schedule", "step"),
        *("--milestones", "10,20", "--layout", "ucf101", "--clip-grad-norm", "2"),
    )
    assert run_cli("train", "object-abn", *words).exit_code == 0
    ((method, config, rest),) = trained
    assert method == "object-abn"
    assert config == ObjectAbnConfig(
        data=Path("d"),
        masks=Path("m"),
        epochs=3,
        lr=0.5,
        compile=True,
        deterministic=False,
        optimizer="sgd",
        schedule="step",
        milestones=(10, 20),
        layout="ucf101",
        clip_grad_norm=2.0,
    )
    assert rest == {
        "out": Path("runs/object-abn"),
        "resume": False,
        "overwrite": False,
        "dry_run": False,
    }


def test_options_of_the_command_reach_the_training(run_cli, trained, tmp_path):
    words = ("--data", "d", "-o", tmp_path / "r", "--resume", "--overwrite", "--dry-run", "--json")
    code, stdout, _ = run_cli("train", "x3d", *words)
    assert (code, json.loads(stdout)) == (0, [{"method": "x3d"}])
    assert trained[0][2] == {
        "out": tmp_path / "r",
        "resume": True,
        "overwrite": True,
        "dry_run": True,
    }


def test_options_go_before_the_config_file(run_cli, trained, tmp_path):
    (tmp_path / "c.toml").write_text('data = "d"\nepochs = 3\nlr = 0.5\ncompile = true\n')
    words = ("--config", tmp_path / "c.toml", "--epochs", "7", "--no-compile")
    run_cli("train", "abn", *words)
    config = trained[0][1]
    assert (config.epochs, config.lr, config.compile) == (7, 0.5, False)


def test_resuming_takes_the_settings_of_the_run(run_cli, trained, tmp_path):
    (tmp_path / "config.toml").write_text('method = "abn"\ndata = "d"\nepochs = 3\n')
    assert run_cli("train", "abn", "--resume", "-o", tmp_path).exit_code == 0
    assert trained[0][1].epochs == 3


def test_resuming_a_run_of_another_method_is_refused(run_cli, trained, tmp_path):
    (tmp_path / "config.toml").write_text('method = "abn"\ndata = "d"\n')
    code, _, stderr = run_cli("train", "x3d", "--resume", "-o", tmp_path)
    assert code == 2
    assert f"{tmp_path}/config.toml: holds the settings of abn, not of x3d" in stderr
    assert trained == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "missing option --data"),
        (["--data", "d", "--epochs", "0"], "--epochs: must be at least 1"),
        (["--data", "d", "--epochs", "x"], "Invalid value for '--epochs'"),
        (["--data", "d", "--optimizer", "lion"], "Invalid value for '--optimizer'"),
        (["--data", "d", "--milestones", "3,x"], "Invalid value for '--milestones'"),
        (["--data", "d", "--config", "gone.toml"], "gone.toml: no such file or directory"),
    ],
)
def test_wrong_usage_is_one_line_and_trains_nothing(run_cli, trained, words, message):
    code, stdout, stderr = run_cli("train", "x3d", *words)
    assert (code, stdout, trained) == (2, "", [])
    assert message in stderr
    assert stderr.count("\n") == 1
