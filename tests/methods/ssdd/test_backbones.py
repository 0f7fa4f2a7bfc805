from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from torch import nn

from attncli.backbones.images.torchvision_networks import blank_network
from attncli.config.ssdd import CamConfig
from attncli.errors import AttncliError, UsageError
from attncli.methods.ssdd.backbones import backbone_of


def config(**changes: object) -> CamConfig:
    tiny = {"backbone": "shufflenet_v2_x0_5", "weights": "none"}
    return CamConfig(data=Path(), **(tiny | changes))


def test_settings_say_how_fine_features_are_and_how_colours_are_seen():
    backbone = backbone_of(config(output_stride="8", normalization="half"))
    assert backbone.output_stride == 8
    assert torch.equal(backbone.normalize.mean, torch.full((3,), 0.5))
    assert backbone.training


@pytest.mark.parametrize("frozen", [True, False])
def test_settings_say_what_does_not_learn(frozen):
    backbone = backbone_of(config(freeze_norms=frozen, freeze_stages=2))
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(norm.training != frozen for norm in norms[-3:])
    learns = {name: weight.requires_grad for name, weight in backbone.named_parameters()}
    convolutions = {name for name in learns if backbone.get_parameter(name).ndim == 4}
    frozen_stages = ("stages.conv2", "stages.conv3")
    assert {n for n in convolutions if not learns[n]} == {
        n for n in convolutions if n.startswith(frozen_stages)
    }


def test_a_file_may_lack_a_tensor_where_settings_say_so_and_it_is_named(tmp_path):
    path = tmp_path / "a.pth"
    state = blank_network("shufflenet_v2_x0_5").state_dict()
    torch.save({key: value for key, value in state.items() if key != "conv1.0.weight"}, path)
    with pytest.raises(AttncliError, match=r"missing: conv1\.0\.weight"):
        backbone_of(config(weights=str(path)))
    reporter = Mock()
    backbone_of(config(weights=str(path), allow_missing_weights=True), reporter=reporter)
    assert "conv1.0.weight" in reporter.warn.call_args.args[0]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(UsageError, match="no such backbone"):
        backbone_of(config(backbone="resnet19"))
