"""Whole classifiers of images, as libraries publish them or files hold them."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.backbones.images import timm_classifiers, torchvision_classifiers
from attncli.backbones.images.build import PUBLISHED, RANDOM, TIMM
from attncli.backbones.images.normalization import NormalizeImages
from attncli.backbones.images.offline import ARCHITECTURES, offline_weights
from attncli.backbones.images.preprocessing import Preprocessing as Preprocessing
from attncli.backbones.images.weights import Weights, exact_state, read_weights, without_prefixes
from attncli.errors import UsageError
from attncli.reporting import Reporter


class Classifier(nn.Module):
    """A network that tells classes of images apart, with how it sees them.

    Args:
        network: Takes normalised images.
        preprocessing: What images become before.
        name: What the network is called on the command line.
    """

    def __init__(self, network: nn.Module, preprocessing: Preprocessing, *, name: str) -> None:
        super().__init__()
        self.network = network
        self.preprocessing = preprocessing
        self.name = name
        self.normalize = NormalizeImages(preprocessing.normalization)

    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b k"]:
        """Return the class scores (logits) of images.

        Args:
            images: RGB values 0-255, resized and cropped as `preprocessing` says.
        """
        return self.network(self.normalize(images))


@dataclass(frozen=True)
class _Architecture:
    """A network that can be built."""

    blank: Callable[[int | None], nn.Module]
    """With random weights, for so many classes; None for those of the published weights."""
    published: Callable[[], nn.Module]
    """With the weights its library publishes."""
    preprocessing: Callable[[nn.Module], Preprocessing]
    """How those see images."""
    read: Callable[[Path], Weights]
    """Weights of a file."""


def network_of(weights: str, network: str) -> str:
    """Return the network that weights are of: their own where they come as a package.

    >>> network_of("efficientnet-lite0", "resnet50")
    'efficientnet-lite0'
    """
    return weights if weights in ARCHITECTURES else network


def open_classifier(
    weights: str, *, network: str, seed: int = 0, reporter: Reporter | None = None
) -> Classifier:
    """Return a classifier of images, in evaluation mode, channels-last in memory.

    Images are seen as the published weights of the network see them, whatever the weights are.

    Args:
        weights: `imagenet` (what torchvision or timm publishes), `efficientnet-lite0` or `1` (from
            a package, with a network of their own), `none` (random), or the path of a state-dict of
            the network, for any number of classes, each of whose keys must be one of the network.
        network: A classifier of torchvision, `timm:NAME`, or `efficientnet-lite0` or `1`.
        seed: Of random weights.
        reporter: Told how many classes a file has.

    Raises:
        UsageError: There is no such network, or it is of a kind that cannot be used.
        MissingDependencyError: timm, or the package with the weights, is not installed.
        AttncliError: The weights cannot be had, or are of another architecture.
    """
    name = network_of(weights, network)
    architecture = _architecture(name)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        built = _built(architecture, weights, reporter)
    classifier = Classifier(built, architecture.preprocessing(built), name=name).eval()
    return classifier.to(memory_format=torch.channels_last)


def _built(architecture: _Architecture, weights: str, reporter: Reporter | None) -> nn.Module:
    if weights == PUBLISHED:
        return architecture.published()
    if weights == RANDOM:
        return architecture.blank(None)
    if weights in ARCHITECTURES:
        return _loaded(architecture.blank(None), offline_weights(weights))
    found = architecture.read(Path(weights))
    blank = architecture.blank(None)
    n_classes = _n_classes(blank, found)
    if n_classes is not None:
        blank = architecture.blank(n_classes)
        if reporter is not None:
            reporter.note(f"{weights}: a network of {n_classes} classes")
    return _loaded(blank, found)


def _loaded(network: nn.Module, weights: Weights) -> nn.Module:
    # The network's own state-dict carries the versions of its layers, by which it is then read.
    state = network.state_dict()
    state.update(exact_state(state, weights))
    network.load_state_dict(state)
    return network


def _n_classes(blank: nn.Module, weights: Weights) -> int | None:
    """Return how many classes weights tell apart; None for as many as the network has, or none."""
    layers = [
        (name, module)
        for name, module in blank.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    name, last = layers[-1]
    found = without_prefixes(weights, blank.state_dict()).get(f"{name}.weight")
    of_same_kind = found is not None and found.shape[1:] == last.weight.shape[1:]
    if found is None or not of_same_kind or found.shape == last.weight.shape:
        return None
    return len(found)


def _architecture(name: str) -> _Architecture:
    if name in ARCHITECTURES:
        return _timm(ARCHITECTURES[name])
    if name.startswith(TIMM):
        return _timm(name.removeprefix(TIMM))
    known = torchvision_classifiers.names()
    if name in known:
        return _torchvision(name)
    near = get_close_matches(name, (*known, *ARCHITECTURES), n=3, cutoff=0.5)
    named = "a classifier of torchvision, timm:NAME, or " + " or ".join(ARCHITECTURES)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"use {named}"
    raise UsageError(f"no such network: {name!r}", where="--network", remedy=remedy)


def _timm(name: str) -> _Architecture:
    return _Architecture(
        blank=lambda n_classes: timm_classifiers.blank_classifier(name, n_classes),
        published=lambda: timm_classifiers.published_classifier(name),
        preprocessing=lambda network: timm_classifiers.published_preprocessing(name, network),
        read=read_weights,
    )


def _torchvision(name: str) -> _Architecture:
    def blank(n_classes: int | None) -> nn.Module:
        return torchvision_classifiers.blank_classifier(name, n_classes)

    return _Architecture(
        blank=blank,
        published=lambda: _loaded(blank(None), torchvision_classifiers.published_weights(name)),
        preprocessing=lambda _: torchvision_classifiers.published_preprocessing(name),
        read=lambda path: torchvision_classifiers.renamed(read_weights(path)),
    )
