"""Backbones for images by name."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import torch

from attncli.backbones.images import torchvision_networks, wide_resnet38
from attncli.backbones.images.backbone import ImageBackbone, OutputStride
from attncli.backbones.images.normalization import NORMALIZATIONS, Normalization
from attncli.backbones.images.offline import ARCHITECTURES, offline_weights
from attncli.backbones.images.run_weights import is_run, load_run
from attncli.backbones.images.timm_networks import blank_timm_network, timm_backbone
from attncli.backbones.images.weights import Weights, fitted_state, read_weights
from attncli.errors import UsageError
from attncli.files.downloads import published_file
from attncli.reporting import Reporter

TIMM = "timm:"
PUBLISHED, RANDOM = "imagenet", "none"


def build_backbone(
    name: str,
    *,
    output_stride: OutputStride = 32,
    weights: str = PUBLISHED,
    freeze_norms: bool = False,
    freeze_stages: int = 0,
    normalization: str | None = None,
    allow_missing: bool = False,
    reporter: Reporter | None = None,
) -> ImageBackbone:
    """Return a network for images, in training mode.

    Args:
        name: A network of torchvision (`NAMES`), `wide-resnet38`, `timm:NAME`, or
            `efficientnet-lite0` or `1`.
        output_stride: Pixels a cell of the coarsest grid stands for: 8, 16 or 32. Below 32 the
            last stages keep their grid and are dilated. 8 alone for `wide-resnet38`.
        weights: `imagenet` (what torchvision or timm publishes), `efficientnet-lite0` or `1` (from
            a package, for these networks alone), `none` (random), the path of a state-dict, or a
            run whose network has the same backbone.
        freeze_norms: Whether batch normalisations stay as the weights have them.
        freeze_stages: How many stages, from the first on, stay as the weights have them.
        normalization: How the weights were trained to see colours, one of `NORMALIZATIONS`; None
            for what is published of them, which for a file is what is published of the network.
        allow_missing: Whether a file may lack tensors, which then start at random.
        reporter: Where to say what of the weights is not used, or starts at random.

    Raises:
        UsageError: There is no such network or normalisation, it has not this stride or so many
            stages, or the weights are of another or nowhere to fetch.
        MissingDependencyError: timm, or the package with the weights, is not installed.
        AttncliError: The weights cannot be had, or are of another architecture.
    """
    if weights in ARCHITECTURES and _timm_name(name) != ARCHITECTURES[weights]:
        what = f"{weights} is for the backbone of that name only, not for {name}"
        raise UsageError(what, where="--weights", remedy=f"use --backbone {weights}")
    of_run = weights not in (PUBLISHED, RANDOM, *ARCHITECTURES) and is_run(weights)
    if of_run and normalization is not None:
        what = "is already that of the run given as --weights"
        raise UsageError(what, where="--normalization", remedy="leave it out")
    initial = RANDOM if of_run else weights
    backbone = _builder(name)(
        name, output_stride, initial, _normalization(normalization), allow_missing, reporter
    )
    if of_run:
        load_run(backbone, weights)
    if freeze_norms:
        backbone.freeze_norms()
    backbone.freeze_stages(freeze_stages)
    return backbone.to(memory_format=torch.channels_last)


def _builder(name: str) -> Callable[..., ImageBackbone]:
    if name == wide_resnet38.NAME:
        return _wide_resnet38
    return _torchvision if _timm_name(name) is None else _timm


def _timm_name(name: str) -> str | None:
    """Return what timm calls a backbone; None for one that is not of timm."""
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    return name.removeprefix(TIMM) if name.startswith(TIMM) else None


def _normalization(name: str | None) -> Normalization | None:
    if name is not None and name not in NORMALIZATIONS:
        remedy = f"use {', '.join(NORMALIZATIONS)}"
        raise UsageError(f"no such normalisation: {name!r}", where="--normalization", remedy=remedy)
    return None if name is None else NORMALIZATIONS[name]


def _torchvision(
    name: str,
    output_stride: OutputStride,
    weights: str,
    normalization: Normalization | None,
    allow_missing: bool,
    reporter: Reporter | None,
) -> ImageBackbone:
    if name not in torchvision_networks.NAMES:
        raise _unknown(name)
    network = torchvision_networks.blank_network(name)
    url, published = torchvision_networks.published_weights(name)
    if weights != RANDOM:
        path = published_file(url) if weights == PUBLISHED else Path(weights)
        state = fitted_state(
            network.state_dict(),
            read_weights(path),
            head=torchvision_networks.head_of(name),
            allow_missing=allow_missing,
            reporter=None if weights == PUBLISHED else reporter,
        )
        network.load_state_dict(state)
    return torchvision_networks.cut(
        network, normalization or published, output_stride=output_stride
    )


def _wide_resnet38(
    _: str,
    output_stride: OutputStride,
    weights: str,
    normalization: Normalization | None,
    allow_missing: bool,
    reporter: Reporter | None,
) -> ImageBackbone:
    wide_resnet38.require_available(weights, output_stride)
    network = wide_resnet38.WideResNet38()
    if weights != RANDOM:
        state = fitted_state(
            network.state_dict(),
            read_weights(Path(weights)),
            head=wide_resnet38.HEADS,
            allow_missing=allow_missing,
            reporter=reporter,
        )
        network.load_state_dict(state)
    return wide_resnet38.wide_resnet38_backbone(network, normalization)


def _timm(
    name: str,
    output_stride: OutputStride,
    weights: str,
    normalization: Normalization | None,
    allow_missing: bool,
    reporter: Reporter | None,
) -> ImageBackbone:
    architecture = _timm_name(name) or name
    blank = blank_timm_network(architecture)
    state = None
    if weights not in (PUBLISHED, RANDOM):
        found = _timm_weights(weights)
        state = fitted_state(
            blank.state_dict(),
            found,
            head=(),
            allow_missing=allow_missing,
            reporter=None if weights in ARCHITECTURES else reporter,
        )
    return timm_backbone(
        architecture,
        blank,
        output_stride=output_stride,
        state=state,
        published=weights == PUBLISHED,
        normalization=normalization
        or (NORMALIZATIONS["half"] if weights in ARCHITECTURES else None),
    )


def _timm_weights(weights: str) -> Weights:
    return offline_weights(weights) if weights in ARCHITECTURES else read_weights(Path(weights))


def _unknown(name: str) -> UsageError:
    known = (*torchvision_networks.NAMES, wide_resnet38.NAME, *ARCHITECTURES)
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    remedy = (
        f"did you mean {' or '.join(near)}?" if near else f"use {', '.join(known)}, or timm:NAME"
    )
    return UsageError(f"no such backbone: {name!r}", where="--backbone", remedy=remedy)
