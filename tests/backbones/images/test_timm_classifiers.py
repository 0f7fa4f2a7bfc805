import pytest

from attncli.backbones.images import timm_classifiers
from attncli.errors import AttncliError, UsageError

timm = pytest.importorskip("timm")


def test_a_network_has_the_classes_asked_for():
    assert timm_classifiers.blank_classifier("resnet10t", 7).fc.out_features == 7


def test_a_network_timm_has_not_is_refused():
    with pytest.raises(UsageError, match=r"--network: no such network of timm: 'resnet19'; did"):
        timm_classifiers.blank_classifier("resnet19", None)


def test_images_are_seen_as_timm_says():
    network = timm_classifiers.blank_classifier("tf_efficientnet_lite0", None)
    found = timm_classifiers.published_preprocessing("tf_efficientnet_lite0", network)
    assert (found.resize_px, found.crop_px, found.interpolation) == (256, 224, "bicubic")
    assert found.normalization.std == (0.5, 0.5, 0.5)


def test_a_way_of_resizing_there_is_not_is_refused():
    network = timm_classifiers.blank_classifier("resnet10t", None)
    network.pretrained_cfg = network.pretrained_cfg | {"interpolation": "lanczos"}
    with pytest.raises(UsageError, match="resized by 'lanczos'"):
        timm_classifiers.published_preprocessing("resnet10t", network)


def test_weights_that_cannot_be_fetched_are_told(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(AttncliError, match="--network timm:resnet10t: weights of timm cannot be"):
        timm_classifiers.published_classifier("resnet10t")
