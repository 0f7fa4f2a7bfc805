"""Whole classifiers of timm, with the weights it publishes."""

from difflib import get_close_matches
from math import floor
from typing import Any, cast

from torch import nn

from attncli.backbones.images.normalization import Normalization
from attncli.backbones.images.preprocessing import Preprocessing
from attncli.backbones.images.timm_networks import import_timm
from attncli.errors import AttncliError, UsageError, reason


def blank_classifier(name: str, n_classes: int | None) -> nn.Module:
    """Return a network of timm, with random weights.

    Args:
        name: What timm calls it.
        n_classes: Number of classes; None for the published one.

    Raises:
        MissingDependencyError: timm is not installed.
        UsageError: It has no such network.
    """
    timm = import_timm(f"timm:{name}")
    if not timm.is_model(name):
        near = get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
        remedy = f"did you mean {' or '.join(near)}?" if near else "see timm.list_models()"
        raise UsageError(f"no such network of timm: {name!r}", where="--network", remedy=remedy)
    options = {} if n_classes is None else {"num_classes": n_classes}
    return cast(nn.Module, timm.create_model(name, pretrained=False, **options))


def published_classifier(name: str) -> nn.Module:
    """Return a network of timm with the weights timm publishes.

    Raises:
        MissingDependencyError: timm is not installed.
        AttncliError: They cannot be fetched.
    """
    timm = import_timm(f"timm:{name}")
    try:
        return cast(nn.Module, timm.create_model(name, pretrained=True))
    except Exception as error:  # of the hub, of its client, and of files that arrive damaged
        raise AttncliError(
            f"weights of timm cannot be fetched ({reason(error)})",
            where=f"--network timm:{name}",
            remedy="fetch them elsewhere and give --weights NAME=FILE",
        ) from error


def published_preprocessing(name: str, network: nn.Module) -> Preprocessing:
    """Return how the weights that timm publishes of a network see images.

    Raises:
        UsageError: They are resized in a way there is not.
    """
    config: Any = network.pretrained_cfg
    crop_px = config["input_size"][-1]
    interpolation = config["interpolation"]
    if interpolation not in ("bilinear", "bicubic"):
        what = f"timm's {name} wants images resized by {interpolation!r}"
        raise UsageError(what, where="--network", remedy="use another network")
    return Preprocessing(
        resize_px=floor(crop_px / config["crop_pct"]),
        crop_px=crop_px,
        interpolation=interpolation,
        normalization=Normalization(mean=tuple(config["mean"]), std=tuple(config["std"])),
    )
