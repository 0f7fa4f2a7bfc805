import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attncli.errors import AttncliError, MissingDependencyError
from attncli.files.runs import RunDirectory
from attncli.training.log import Log, LogRow
from attncli.training.wandb_log import WandbWriter, id_path, require_wandb

ROWS: list[LogRow] = [{"epoch": 1, "step": 2, "loss": 0.75, "val_top1": None}]


class FakeRun:
    """What `wandb.init` returns, as far as it is used here."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said
        self.points: list[tuple[dict[str, float], int]] = []
        self.is_finished = False

    def log(self, values: dict[str, float], *, step: int) -> None:
        self.points.append((values, step))

    def finish(self) -> None:
        self.is_finished = True


class FakeWandb(ModuleType):
    """The package, which keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.runs: list[FakeRun] = []

    def init(self, **said: Any) -> FakeRun:
        self.runs.append(FakeRun(said))
        return self.runs[-1]


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return fake


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "abn"
    path.mkdir()
    (path / "config.toml").write_text('method = "abn"\nepochs = 3\n')
    return RunDirectory(path)


def test_it_gets_the_points_that_tensorboard_gets(
    wandb: FakeWandb, directory: RunDirectory
) -> None:
    log = Log(directory, [], 0, "wandb")
    log.add_step(0, {"loss": 0.5, "gradient_norm": 2.0})
    log.add_epoch(ROWS, 2)
    log.close()
    (run,) = wandb.runs
    assert run.points == [
        ({"step/loss": 0.5}, 0),
        ({"step/gradient_norm": 2.0}, 0),
        ({"epoch/epoch": 1}, 1),
        ({"epoch/step": 2}, 1),
        ({"epoch/loss": 0.75}, 1),
    ]
    assert run.is_finished
    assert directory.log_path.read_text() == "epoch,step,loss,val_top1\n1,2,0.75,\n"
    assert not directory.tensorboard_path.exists()


def test_a_run_has_the_name_and_settings_of_its_directory(
    wandb: FakeWandb, directory: RunDirectory
) -> None:
    WandbWriter(directory)
    said = wandb.runs[0].said
    assert (said["name"], said["dir"]) == ("abn", str(directory.path))
    assert (said["project"], said["resume"]) == ("attncli", "allow")
    assert said["config"] == {"method": "abn", "epochs": 3}


def test_a_run_that_goes_on_is_the_same_one_and_another_is_not(
    wandb: FakeWandb, directory: RunDirectory
) -> None:
    for _ in range(2):
        WandbWriter(directory).close()
    id_path(directory).unlink()
    WandbWriter(directory)
    first, second, anew = (run.said["id"] for run in wandb.runs)
    assert first == second != anew


def test_a_project_of_the_environment_goes_before_ours(
    wandb: FakeWandb, directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    WandbWriter(directory)
    assert wandb.runs[0].said["project"] is None


def test_without_an_account_it_says_what_to_do(
    wandb: FakeWandb, directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise RuntimeError("no API key")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(AttncliError) as error:
        WandbWriter(directory)
    assert str(error.value) == (
        "--logger wandb: wandb cannot begin (no API key);"
        " log in with `wandb login`, or set WANDB_MODE=offline"
    )


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingDependencyError) as error:
        require_wandb()
    assert error.value.exit_code == 4
    assert str(error.value).endswith('; pip install "attncli[wandb]"')


def test_nobody_imports_it_who_does_not_ask_for_it(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    Log(directory, [], 0).close()
    assert directory.tensorboard_path.is_dir()
