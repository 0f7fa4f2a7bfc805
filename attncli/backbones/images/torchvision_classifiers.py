"""Whole classifiers of torchvision: any it builds, with the weights it publishes first."""

import re
from collections.abc import Mapping
from typing import Any, cast
from warnings import catch_warnings

import torchvision
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights, list_models

from attncli.backbones.images.normalization import Normalization
from attncli.backbones.images.preprocessing import Preprocessing
from attncli.backbones.images.weights import Weights, read_weights
from attncli.files.downloads import published_file

OLD_NAMES = (
    (re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\."), r"\1\2."),
    (re.compile(r"\.mlp\.linear_1\."), ".mlp.0."),
    (re.compile(r"\.mlp\.linear_2\."), ".mlp.3."),
)
"""What files older than torchvision's DenseNet and ViT of today call their layers."""


def names() -> tuple[str, ...]:
    """Return what torchvision calls the classifiers of images it builds."""
    return tuple(list_models(module=torchvision.models))


def blank_classifier(name: str, n_classes: int | None) -> nn.Module:
    """Return one of `names`, with random weights.

    Args:
        name: Which.
        n_classes: Number of classes; None for the published one.
    """
    options = {} if n_classes is None else {"num_classes": n_classes}
    with catch_warnings(action="ignore"):  # of how Inceptions are to be initialised one day
        network: Any = get_model(name, weights=None, **options)
    if hasattr(network, "transform_input"):  # as what is published of Inceptions was trained
        network.transform_input = True
    return cast(nn.Module, network)


def published_weights(name: str) -> Weights:
    """Return the weights torchvision publishes first, which are fetched where they are not there.

    Raises:
        AttncliError: They cannot be had.
    """
    return renamed(read_weights(published_file(_published(name).url)))


def renamed(weights: Weights) -> Weights:
    """Return weights by the names torchvision has for its layers today."""
    state: Mapping[str, Tensor] = {_name_today(key): w for key, w in weights.state.items()}
    return Weights(state, weights.where)


def published_preprocessing(name: str) -> Preprocessing:
    """Return how the weights that torchvision publishes first see images."""
    transforms = _published(name).transforms()
    return Preprocessing(
        resize_px=transforms.resize_size[0],
        crop_px=transforms.crop_size[0],
        interpolation=transforms.interpolation.value,
        normalization=Normalization(mean=tuple(transforms.mean), std=tuple(transforms.std)),
    )


def _name_today(key: str) -> str:
    for old, today in OLD_NAMES:
        key = old.sub(today, key)
    return key


def _published(name: str) -> Any:
    published: Any = get_model_weights(name)
    return next(iter(published))
