from pathlib import Path
from typing import Any

import pytest
import torch

from attncli.errors import AttncliError
from attncli.files.runs import Run, RunDirectory
from attncli.reporting import Silent
from attncli.workflows.train import initial
from attncli.workflows.train.initial import initial_network, require_initial_weights
from tests.support.runs import make_run
from tests.support.settings import tiny


def run_of(root: Path, **changes: Any) -> Run:
    return Run(RunDirectory(root / "r"), "x3d", tiny("x3d", data=root, **changes), ("A", "B"))


def test_weights_of_another_run_are_those_begun_with(tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", "x3d", tmp_path, seed=7)
    own, begun = (
        initial_network(run_of(tmp_path, init=init), begun=False, reporter=Silent()).model
        for init in (None, other)
    )
    saved = initial.read_weights(other)
    name = next(iter(saved))
    assert torch.equal(begun.state_dict()[name], saved[name])
    assert any(not torch.equal(own.state_dict()[key], saved[key]) for key in saved)


@pytest.mark.parametrize("changes", [{"init": "gone.safetensors"}, {"weights": "gone.pth"}])
def test_weights_that_are_not_there_are_refused_unless_own_ones_are_to_come(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    paths = {name: tmp_path / text for name, text in changes.items()}
    given = {name: path if name == "init" else str(path) for name, path in paths.items()}
    run = run_of(tmp_path, **given)
    with pytest.raises(AttncliError, match="gone"):
        require_initial_weights(run, begun=False)
    require_initial_weights(run, begun=True)


def test_published_weights_are_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(initial, "initial_network", lambda *_, **__: asked.append(1))
    require_initial_weights(run_of(tmp_path, weights="kinetics400"), begun=False)
    assert asked == []
    require_initial_weights(run_of(tmp_path, weights="x.pth"), begun=False)
    assert asked == [1]
