import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from attncli.config.object_abn import ObjectAbnConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.runs import Run, RunDirectory, load
from attncli.training.distributed import World
from attncli.workflows.runs.begin import beginning, claim_run, write_run


@pytest.fixture
def config(tmp_path: Path) -> ObjectAbnConfig:
    return ObjectAbnConfig(data=tmp_path / "data", masks=tmp_path / "masks", weights="none")


def test_a_run_is_written_so_that_it_can_be_read(tmp_path: Path, config: ObjectAbnConfig) -> None:
    out = tmp_path / "run"
    claim_run(out, config, resume=False, overwrite=False)
    world = World(rank=0, size=2, device=torch.device("cpu"))
    write_run(Run(RunDirectory(out), "object-abn", config, ("a", "b")), world)
    found = load(out)
    assert (found.method, found.config, found.classes) == ("object-abn", config, ("a", "b"))
    assert json.loads((out / "environment.json").read_text())["processes"] == 2


def test_a_run_that_is_there_stays_unless_it_may_go(
    tmp_path: Path, config: ObjectAbnConfig
) -> None:
    out = tmp_path / "run"
    claim_run(out, config, resume=False, overwrite=False)
    world = World(rank=0, size=1, device=torch.device("cpu"))
    write_run(Run(RunDirectory(out), "object-abn", config, ("a",)), world)
    with pytest.raises(AttncliError, match="run"):
        claim_run(out, config, resume=False, overwrite=False)
    claim_run(out, config, resume=True, overwrite=False)
    assert (out / "config.toml").exists()
    claim_run(out, config, resume=False, overwrite=True)
    assert not (out / "config.toml").exists()


def test_what_settings_name_is_never_removed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    (out / "masks").mkdir(parents=True)
    (out / "masks" / "a.jsonl").write_text("{}\n")
    (out / "config.toml").write_text("")
    inside = ObjectAbnConfig(data=tmp_path / "data", masks=out / "masks", weights="none")
    with pytest.raises(AttncliError):
        claim_run(out, inside, resume=False, overwrite=True)
    assert (out / "masks" / "a.jsonl").exists()


def test_a_run_is_held_while_it_begins_and_goes_on_with_its_own_settings_alone(
    tmp_path: Path, config: ObjectAbnConfig
) -> None:
    run = Run(RunDirectory(tmp_path / "run"), "object-abn", config, ("a", "b"))
    ways = {"resume": True, "overwrite": False}
    with beginning(run, **ways):
        write_run(run, World(rank=0, size=1, device=torch.device("cpu")))
        with (
            pytest.raises(AttncliError, match="is being written by process"),
            beginning(run, **ways),
        ):
            pass
    with (
        pytest.raises(AttncliError, match="exists already"),
        beginning(run, resume=False, overwrite=False),
    ):
        pass
    other = replace(run, config=replace(config, epochs=config.epochs + 1, lr=2 * config.lr))
    with pytest.raises(UsageError), beginning(other, **ways):
        pass
