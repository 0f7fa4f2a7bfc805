import torch
from torchvision.models import DenseNet

from attncli.backbones.images.torchvision_classifiers import (
    blank_classifier,
    names,
    published_preprocessing,
    published_weights,
    renamed,
)
from attncli.backbones.images.weights import Weights


def test_classifiers_are_all_there_and_nothing_else_is():
    assert {"resnet50", "vit_b_16", "vgg11"} <= set(names())
    assert not {"fcn_resnet50", "raft_small", "r3d_18", "quantized_resnet18"} & set(names())


def test_a_network_has_the_classes_asked_for():
    assert blank_classifier("mobilenet_v3_small", 7).classifier[-1].out_features == 7
    assert blank_classifier("mobilenet_v3_small", None).classifier[-1].out_features == 1000


def test_images_are_seen_as_torchvision_says():
    found = published_preprocessing("resnet50")
    assert (found.resize_px, found.crop_px, found.interpolation) == (256, 224, "bilinear")
    assert found.normalization.mean == (0.485, 0.456, 0.406)
    assert published_preprocessing("inception_v3").crop_px == 299
    assert published_preprocessing("swin_t").interpolation == "bicubic"


def test_old_names_become_those_of_today():
    own = DenseNet(4, (1, 1, 1, 1), 8).state_dict()
    old = {
        key.replace("norm1", "norm.1").replace("conv2", "conv.2"): value
        for key, value in own.items()
    }
    assert old.keys() != own.keys()
    assert renamed(Weights(old, "a.pth")).state.keys() == own.keys()
    vit = {"encoder.layers.encoder_layer_0.mlp.linear_1.weight": torch.ones(1)}
    assert set(renamed(Weights(vit, "a.pth")).state) == {
        "encoder.layers.encoder_layer_0.mlp.0.weight"
    }


def test_published_weights_are_those_in_torchs_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "mobilenet_v3_small-047dcff4.pth"
    path.parent.mkdir(parents=True)
    torch.save({"a": torch.ones(2)}, path)
    assert published_weights("mobilenet_v3_small").where == str(path)
