from pathlib import Path

import pytest
import torch

from attncli.backbones.images.build import build_backbone
from attncli.backbones.images.run_weights import is_run
from attncli.errors import AttncliError, UsageError
from attncli.files.checkpoints import write_weights
from tests.support.networks import build
from tests.support.settings import tiny

NAME = "shufflenet_v2_x0_5"


def run(path: Path, method: str) -> torch.nn.Module:
    """Write the weights of a network of a method, and return its backbone."""
    model = build(method, tiny(method, normalization="half"), 3, seed=1).model
    path.mkdir()
    write_weights(path / "model.safetensors", model, {"method": method})
    return model.backbone if hasattr(model, "backbone") else model.segmentation.backbone


@pytest.mark.parametrize("method", ["cam", "psa", "segmentation", "ssdd", "ssdd-dynamic"])
def test_a_backbone_begins_as_that_of_a_run(tmp_path: Path, method: str) -> None:
    own = run(tmp_path / "run", method)
    for weights in (tmp_path / "run", tmp_path / "run" / "model.safetensors"):
        made = build_backbone(NAME, output_stride=16, weights=str(weights))
        for name, value in own.state_dict().items():
            assert torch.equal(made.state_dict()[name], value), name
        assert made.normalize.mean.tolist() == [0.5, 0.5, 0.5]  # as the run saw colours


def test_a_run_with_another_backbone_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "run", "cam")
    with pytest.raises(AttncliError, match=r"run: the weights are of another architecture"):
        build_backbone("resnet18", weights=str(tmp_path / "run"))


def test_weights_without_a_backbone_are_refused(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2)
    write_weights(tmp_path / "model.safetensors", model, {"method": "x3d"})
    with pytest.raises(AttncliError, match="holds no backbone for images"):
        build_backbone(NAME, weights=str(tmp_path))


def test_other_files_are_no_runs(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", torch.nn.Linear(2, 2), {})
    assert not is_run(str(tmp_path / "a.safetensors"))
    assert not is_run(str(tmp_path / "b.safetensors"))
    assert not is_run("imagenet")


def test_how_colors_are_seen_comes_with_a_run_alone(tmp_path: Path) -> None:
    run(tmp_path / "run", "cam")
    with pytest.raises(UsageError, match=r"--normalization: is already that of the run"):
        build_backbone(NAME, weights=str(tmp_path / "run"), normalization="imagenet")
