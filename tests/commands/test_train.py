import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from attncli.catalog import METHODS, load
from attncli.commands.options import FLAGS
from attncli.commands.train import TrainCall
from attncli.config.fields import settings
from attncli.config.object_abn import ObjectAbnConfig
from attncli.config.shown import Shown
from attncli.config.toml import dump
from attncli.data.video.reading import write_video

REQUIRED = {
    "data": "videos",
    "masks": "masks",
    "cams": "runs/cam",
    "seeds": "seeds/psa",
    "knowledge": "seeds/psa",
    "advice": "seeds/psa_crf",
}


@pytest.fixture
def videos(tmp_path):
    """Return a dataset of one training and one validation video."""
    lines = ["path,id,label,split"]
    for split in ("train", "val"):
        write_video(tmp_path / f"{split}.avi", np.zeros((4, 24, 32, 3), np.uint8), 25.0)
        lines.append(f"{split}.avi,{split},Hop,{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "manifest.csv"


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
            default = without_spaces(f"{setting.help} [default: {setting.default}")
            assert any(f"{default}{end}" in shown for end in ("]", ";"))  # before a range, or alone


def test_help_shows_a_list_as_it_is_typed(run_cli):
    shown = without_spaces(run_cli("train", "st-abn", "--help").stdout)
    assert "dividesthelearningrateby10.[default:75,125]" in shown


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_no_setting_has_the_name_of_an_option_of_the_command(method):
    others = {*settings(TrainCall), *settings(Shown), *FLAGS}
    assert not settings(load(method.config)).keys() & others


def test_the_papers_own_settings_stand_under_its_name(run_cli):
    shown = run_cli("train", "st-abn", "--help").stdout
    headings = re.findall(r"^(\S.*):$", shown, flags=re.MULTILINE)
    assert headings == ["Options", "ST-ABN"]
    common, own = shown.split("\nST-ABN:\n")
    assert all(f"{flag} " in common for flag in ("--data", "--lr", "--frames", "--out", "--json"))
    assert all(f"{flag} " in own for flag in ("--depth", "--gamma-t", "--temporal-edits"))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_printed_settings_read_back_print_the_same(run_cli, tmp_path, method):
    words = ("--print-config", "--seed", "5", *required_options(method))
    code, printed, stderr = run_cli("train", method.name, *words)
    assert (code, stderr) == (0, "")
    assert tomllib.loads(printed)["seed"] == 5
    (tmp_path / "c.toml").write_text(printed)
    again = run_cli("train", method.name, "--print-config", "--config", tmp_path / "c.toml")
    assert again == (0, printed, "")


def test_options_of_every_type_become_settings(run_cli):
    words = (
        *("--data", "d", "--masks", "m", "--epochs", "3", "--lr", "0.5", "--compile", "-j", "2"),
        *("--no-deterministic", "--optimizer", "sgd", "--schedule", "step"),
        *("--milestones", "10,20", "--layout", "ucf101", "--clip-grad-norm", "2"),
    )
    code, printed, _ = run_cli("train", "object-abn", *words, "--print-config")
    expected = ObjectAbnConfig(
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
        workers=2,
    )
    assert (code, printed) == (0, dump(expected, method="object-abn"))


def test_a_dry_run_answers_with_the_plan_and_touches_nothing(run_cli, videos, tmp_path):
    words = ("train", "x3d", "--data", videos, "--weights", "none", "--dry-run", "--json")
    code, stdout, _ = run_cli(*words, "-o", tmp_path / "r")
    (plan,) = json.loads(stdout)
    assert code == 0
    assert (plan["out"], plan["train_clips"]) == (str(tmp_path / "r"), 1)
    assert json.loads(run_cli(*words).stdout) == [{**plan, "out": "runs/x3d"}]
    (begun,) = json.loads(run_cli(*words, "--resume").stdout)
    assert begun["epochs_done"] == 0
    code, _, stderr = run_cli(*words, "--resume", "--overwrite")
    assert (code, "exclude each other" in stderr) == (2, True)
    assert not (tmp_path / "r").exists()


def test_options_go_before_the_config_file(run_cli, tmp_path):
    (tmp_path / "c.toml").write_text('data = "d"\nepochs = 3\nlr = 0.5\ncompile = true\n')
    words = ("--config", tmp_path / "c.toml", "--epochs", "7", "--no-compile")
    found = tomllib.loads(run_cli("train", "abn", *words, "--print-config").stdout)
    assert (found["epochs"], found["lr"], found["compile"]) == (7, 0.5, False)


def test_resuming_takes_the_settings_of_the_run(run_cli, tmp_path):
    (tmp_path / "config.toml").write_text('method = "abn"\ndata = "d"\nepochs = 3\n')
    code, printed, _ = run_cli("train", "abn", "--resume", "-o", tmp_path, "--print-config")
    assert (code, tomllib.loads(printed)["epochs"]) == (0, 3)


def test_resuming_a_run_of_another_method_is_refused(run_cli, tmp_path):
    (tmp_path / "config.toml").write_text('method = "abn"\ndata = "d"\n')
    code, _, stderr = run_cli("train", "x3d", "--resume", "-o", tmp_path)
    assert code == 2
    assert f"{tmp_path}/config.toml: holds the settings of abn, not of x3d" in stderr
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--data: is required"),
        (["--data", "d", "--epochs", "0"], "--epochs: must be at least 1"),
        (["--data", "d", "--epochs", "x"], "--epochs: must be an integer, not 'x'; see "),
        (["--data", "d", "--optimizer", "lion"], "--optimizer: must be adam or adamw or sgd"),
        (["--data", "d", "--milestones", "3,x"], "--milestones: must be integers between"),
        (["--data", "d", "--classes", ""], "--classes: '' holds no value; see `attncli train"),
        (["--data", "d", "--config", "gone.toml"], "gone.toml: no such file or directory"),
    ],
)
def test_wrong_usage_is_one_line_and_trains_nothing(run_cli, tmp_path, words, message):
    code, stdout, stderr = run_cli("train", "x3d", *words, "-o", tmp_path / "r")
    assert (code, stdout) == (2, "")
    assert message in stderr
    assert stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_later_config_file_goes_before_an_earlier_one(run_cli, tmp_path):
    (tmp_path / "a.toml").write_text('data = "d"\nepochs = 3\nlr = 0.5\n')
    (tmp_path / "b.toml").write_text("epochs = 4\n")
    files = ("--config", tmp_path / "a.toml", "--config", tmp_path / "b.toml")
    found = tomllib.loads(run_cli("train", "abn", *files, "--print-config").stdout)
    assert (found["epochs"], found["lr"]) == (4, 0.5)


def test_variables_stand_between_options_and_the_config_file(run_cli, tmp_path, monkeypatch):
    (tmp_path / "c.toml").write_text("epochs = 3\nlr = 0.5\nbatch_size = 2\n")
    for name, value in {"DATA": "d", "EPOCHS": "5", "LR": "0.25"}.items():
        monkeypatch.setenv(f"ATTNCLI_{name}", value)
    words = ("--config", tmp_path / "c.toml", "--lr", "0.125", "--print-config")
    found = tomllib.loads(run_cli("train", "abn", *words).stdout)
    named = [found[name] for name in ("data", "epochs", "lr", "batch_size")]
    assert named == ["d", 5, 0.125, 2]


def test_a_run_goes_on_with_its_own_settings_in_whatever_environment(
    run_cli, tmp_path, monkeypatch
):
    (tmp_path / "config.toml").write_text('method = "abn"\ndata = "d"\nepochs = 3\n')
    monkeypatch.setenv("ATTNCLI_EPOCHS", "5")
    monkeypatch.setenv("ATTNCLI_LIMIT", "5")
    code, printed, _ = run_cli("train", "abn", "--resume", "-o", tmp_path, "--print-config")
    found = tomllib.loads(printed)
    assert (code, found["epochs"], "limit" in found) == (0, 3, False)


def test_a_wrong_variable_is_wrong_usage_and_named(run_cli, monkeypatch):
    monkeypatch.setenv("ATTNCLI_WORKERS", "-1")
    code, _, stderr = run_cli("train", "abn", "--data", "d", "--print-config")
    assert code == 2
    assert "ATTNCLI_WORKERS: --workers: must not be negative" in stderr


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_can_be_trained_with_several_seeds(run_cli, method):
    shown = run_cli("train", method.name, "--help").stdout
    has_own = "seeds" in settings(load(method.config))
    flag = "--training-seeds" if has_own else "--seeds"
    assert f"{flag} <int>" in shown
    assert shown.count("--parallel-seeds <int>") == 1


def test_so_many_runs_of_several_seeds_are_planned(run_cli, videos, tmp_path):
    words = ("train", "x3d", "--data", videos, "--weights", "none", "--seed", "4")
    answer = run_cli(*words, "--seeds", "2", "-o", tmp_path / "r", "--dry-run", "--json")
    assert answer.exit_code == 0
    plans = [(row["out"], row["seed"]) for row in json.loads(answer.stdout)]
    assert plans == [(str(tmp_path / "r" / f"seed{seed}"), seed) for seed in (4, 5)]
    assert not (tmp_path / "r").exists()


def test_no_seeds_are_wrong_usage(run_cli, tmp_path):
    code, _, stderr = run_cli("train", "x3d", "--data", "d", "--seeds", "0", "-o", tmp_path / "r")
    assert (code, stderr) == (2, "attncli: error: --seeds: must be at least 1\n")


def test_seeds_side_by_side_without_seeds_are_wrong_usage(run_cli):
    code, _, stderr = run_cli("train", "x3d", "--data", "d", "--parallel-seeds", "2")
    assert (code, stderr) == (2, "attncli: error: --parallel-seeds: needs --seeds\n")
