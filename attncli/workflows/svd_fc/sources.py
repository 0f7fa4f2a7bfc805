"""The networks that see the images: named on the command line, opened, and described."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attncli.backbones.images.classifiers import network_of, open_classifier
from attncli.backbones.images.normalization import NormalizeImages
from attncli.backbones.images.offline import ARCHITECTURES
from attncli.config.svd_fc import NONE, SvdFcConfig
from attncli.data.images.center_crops import CenterCrop, Cut, WholeImage
from attncli.errors import AttncliError, UsageError
from attncli.files.features import JOINT, is_source_name
from attncli.files.hashes import sha256_of
from attncli.files.runs import Run, load
from attncli.reporting import Reporter
from attncli.workflows.runs.network import open_network

PUBLISHED = ("imagenet", "none", *ARCHITECTURES)
"""Weights that are no files."""
CLASSIFIER, PEOPLE = "cam", "pcb"
"""Methods whose runs can be sources: of classes, and of people."""
LAYERS_OF_CLASSES = ("conv5", "fc", "svd-fc", "random-fc")
LAYERS_OF_PEOPLE = ("conv5", "stripes")
"""Layers of networks where none is named."""
UNNAMED_RUN = "I"
"""What a run is called that is given no name."""


@dataclass(frozen=True)
class Plan:
    """A network that is asked for."""

    name: str
    """What it is called among the features."""
    network: str
    """Its architecture."""
    weights: str
    """Its weights: a path, or the name of published ones."""
    weights_sha256: str
    """Hash of their file; empty where there is none."""
    run: Run | None = None
    """The run they are of, if any."""

    @property
    def shows_people(self) -> bool:
        """Whether it tells people apart, stripe by stripe."""
        return self.run is not None and self.run.method == PEOPLE

    @property
    def about(self) -> dict[str, Any]:
        """What is known of it before it is opened."""
        hashed = {"weights_sha256": self.weights_sha256}
        return {"network": self.network, "weights": self.weights, **hashed}


@dataclass(frozen=True)
class Source:
    """A network that was opened."""

    plan: Plan
    """What was asked for."""
    classifier: nn.Module
    """Takes images of RGB values 0-255, and scores classes."""
    cut: Cut
    """What it sees of an image."""

    def about(self, n_classes: int) -> dict[str, Any]:
        """Return what there is to know of it.

        Args:
            n_classes: Classes it scores.
        """
        seen = self.cut.about
        layers = self.classifier.modules()
        norm = next((layer for layer in layers if isinstance(layer, NormalizeImages)), None)
        if norm is not None:
            seen |= {"mean": _rounded(norm.mean), "std": _rounded(norm.std)}
        named = {} if self.plan.run is None else {"class_names": list(self.plan.run.classes)}
        return {**self.plan.about, "classes": n_classes, **seen, **named}


def plan_sources(config: SvdFcConfig) -> tuple[Plan, ...]:
    """Return the networks that settings ask for, in their order; none is opened.

    Raises:
        UsageError: A name is given twice or cannot be one, or no such weights are there.
        AttncliError: A run is none of a classifier, or has no weights.
    """
    weights: dict[str, str] = {}
    for text in config.weights:
        name, value = _named(text)
        if name in weights:
            remedy = "give each network a name of its own"
            raise UsageError(f"names source {name} twice", where="--weights", remedy=remedy)
        weights[name] = value
    networks, default = _networks(config.network, tuple(weights))
    return tuple(_plan(name, value, networks.get(name), default) for name, value in weights.items())


def with_layers(config: SvdFcConfig, plans: Sequence[Plan]) -> SvdFcConfig:
    """Return settings that name layers: where they do not, usual ones that all networks have."""
    if config.layers:
        return config
    usual = [LAYERS_OF_PEOPLE if plan.shows_people else LAYERS_OF_CLASSES for plan in plans]
    shared = tuple(layer for layer in usual[0] if all(layer in own for own in usual))
    return replace(config, layers=shared)


def fusions_of(config: SvdFcConfig, names: Sequence[str]) -> tuple[str, ...]:
    """Return which sources are fused before pooling, such as `I+P`.

    Args:
        config: What is asked for.
        names: All sources.

    Raises:
        UsageError: Something is to be fused that is no source, or with itself.
    """
    if config.pool != "mpn-cbp" or config.fuse == (NONE,):
        return ()
    if not config.fuse:
        return (JOINT.join(names),) if len(names) > 1 else ()
    for fusion in config.fuse:
        parts = fusion.split(JOINT)
        if len(parts) < 2 or len(set(parts)) < len(parts) or not set(parts) <= set(names):
            what = f"{fusion!r} does not join two or more of the sources {', '.join(names)}"
            raise UsageError(what, where="--fuse", remedy=f"as in --fuse {JOINT.join(names)}")
    return tuple(dict.fromkeys(config.fuse))


def open_source(
    plan: Plan, config: SvdFcConfig, *, seed: int, device: torch.device, reporter: Reporter
) -> Source:
    """Return a network, ready to answer.

    Args:
        plan: Which one.
        config: How images are to be cut, where not as the network was trained.
        seed: Of random weights.
        device: Where it computes.
        reporter: Told what there is to know of its weights.

    Raises:
        UsageError: There is no such network.
        MissingDependencyError: A package is not there.
        AttncliError: The weights cannot be had, or are of another architecture.
    """
    own: Cut
    if plan.run is not None:
        own = _cut_of_run(plan.run)
        classifier: nn.Module = open_network(plan.run, device=device)
    else:
        opened = open_classifier(plan.weights, network=plan.network, seed=seed, reporter=reporter)
        seen, classifier = opened.preprocessing, opened
        own = CenterCrop(seen.resize_px, seen.crop_px, seen.interpolation)
    layout: Any = {"memory_format": torch.channels_last}
    return Source(plan, classifier.to(device=device, **layout).eval(), _cut(own, config))


def _plan(name: str, weights: str, network: str | None, default: str) -> Plan:
    path, own = Path(weights).expanduser(), None
    run = _open_run(path.resolve()) if path.is_dir() else None
    if run is not None:
        own, where = str(run.config.backbone), run.directory.weights_path
        if not where.is_file():
            remedy = "train it to its end"
            raise AttncliError("has no weights", where=run.directory.path, remedy=remedy)
    elif weights in ARCHITECTURES:
        own = network_of(weights, default)
    elif weights not in PUBLISHED and not path.is_file():
        kinds = f"a run of {CLASSIFIER} or {PEOPLE}"
        remedy = f"name a file, {kinds}, {', '.join(PUBLISHED[:-1])} or {PUBLISHED[-1]}"
        raise UsageError(f"no such weights: {weights!r}", where="--weights", remedy=remedy)
    if own is not None and network not in (None, own):
        what = f"{name} is {own}, not {network}"
        raise UsageError(what, where="--network", remedy="leave it out for this source")
    if weights in PUBLISHED:
        return Plan(name, own or network or default, weights, "")
    file = path if run is None else run.directory.weights_path
    return Plan(name, own or network or default, str(path.resolve()), sha256_of(file), run)


def _open_run(path: Path) -> Run:
    """Return a run of a method whose networks can be sources.

    Raises:
        AttncliError: There is none, or it is of another method.
    """
    run = load(path)
    if run.method not in (CLASSIFIER, PEOPLE):
        remedy = f"name a run of {CLASSIFIER} or {PEOPLE}"
        raise AttncliError(f"is a run of {run.method}", where=path, remedy=remedy)
    return run


def _named(text: str) -> tuple[str, str]:
    """Return name and weights; what has no name is called by its file, a run `I`."""
    name, is_named, weights = text.partition("=")
    if not is_named:
        is_run = Path(text).expanduser().is_dir()
        name, weights = UNNAMED_RUN if is_run else Path(text).stem, text
    if not is_source_name(name) or not weights:
        what = f"{text!r} is not NAME=WEIGHTS with a name of letters, digits, '-', '_' and '.'"
        raise UsageError(what, where="--weights", remedy="as in --weights I=imagenet")
    return name, weights


def _networks(texts: Sequence[str], names: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return networks by source, and that of the others."""
    by_source: dict[str, str] = {}
    defaults: list[str] = []
    for text in texts:
        name, is_named, network = text.partition("=")
        if not is_named:
            defaults.append(text)
        elif name not in names:
            remedy = f"name one of {', '.join(names)}"
            raise UsageError(f"no such source: {name!r}", where="--network", remedy=remedy)
        elif name in by_source:
            raise UsageError(f"names source {name} twice", where="--network")
        else:
            by_source[name] = network
    if len(defaults) > 1:
        what = f"names {' and '.join(defaults)} for all sources"
        raise UsageError(what, where="--network", remedy="write NAME=NETWORK for each source")
    return by_source, (defaults or ["resnet50"])[0]


def _cut_of_run(run: Run) -> Cut:
    """Return what the network of a run was tested with."""
    if run.config.whole_hw is not None:
        return WholeImage(run.config.whole_hw)
    side = run.config.crop_px
    return CenterCrop(side, side, "bilinear")


def _cut(own: Cut, config: SvdFcConfig) -> Cut:
    """Return what a network sees of an image, as settings have it.

    Raises:
        UsageError: A square is asked for of a network that sees whole images.
    """
    if config.size_hw is not None:
        return WholeImage(config.size_hw)
    if isinstance(own, WholeImage):
        if config.crop_px is not None or config.resize_px is not None:
            what = "is for networks that see squares, and one sees whole images"
            where = "--resize-px" if config.crop_px is None else "--crop-px"
            raise UsageError(what, where=where, remedy="use --size-hw")
        return own
    crop = config.crop_px or min(own.crop_px, config.resize_px or own.crop_px)
    resize = config.resize_px or max(crop, round(crop * own.resize_px / own.crop_px))
    return CenterCrop(resize, crop, own.interpolation)


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(float(value), 6) for value in values]
