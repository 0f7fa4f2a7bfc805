from pathlib import Path

import pytest
import torch

from attncli.config.reid import PcbConfig
from attncli.errors import UsageError
from attncli.methods.reid.pcb import PcbNetwork, build_pcb
from attncli.methods.reid.pcb_layers import PcbLayers
from tests.support.batches import image_batch

IMAGES = image_batch(2, size_hw=(64, 32)).images


@pytest.fixture(scope="module")
def network() -> PcbNetwork:
    torch.manual_seed(0)
    small = {"backbone": "shufflenet_v2_x0_5", "size_hw": (64, 32), "stripes": 4, "width": 8}
    model = build_pcb(PcbConfig(data=Path(), weights="none", **small), 3).model.eval()
    assert isinstance(model, PcbNetwork)
    return model


def test_layers_are_those_of_the_backbone_and_what_tells_people_apart(network: PcbNetwork) -> None:
    layers = PcbLayers(network, ("stripes", "conv3", "conv5"))(IMAGES)
    assert list(layers) == ["stripes", "conv3", "conv5"]
    assert torch.equal(layers["stripes"], network.test_feature(IMAGES))
    features = network.backbone.features(IMAGES)
    assert torch.equal(layers["conv3"], features["conv3"])
    assert torch.equal(layers["conv5"], features["conv5"])
    assert not any(maps.requires_grad for maps in layers.values())


def test_classifiers_of_stripes_are_no_layer(network: PcbNetwork) -> None:
    with pytest.raises(UsageError, match="--layers fc: no such layer of a network of people; use"):
        PcbLayers(network, ("conv5", "fc"))
