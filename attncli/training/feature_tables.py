"""Which features of a directory estimators are fitted to, and the tables they are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float32, Int64

from attncli.config.estimators import NO_FUSION, EstimatorConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import JOINT, FeatureDirectory
from attncli.training.estimator import UNKNOWN, FeatureTable

ROWS_AT_ONCE = 4096
"""Images that are looked at together."""


@dataclass(frozen=True)
class Feature:
    """What one estimator is fitted to."""

    layer: str
    """Name of its layer, such as `fc`, or of two of them, such as `conv4+fc`."""
    source: str
    """Name of its source, or of a fusion, such as `I+P`."""
    parts: tuple[tuple[str, str], ...]
    """Source and layer of each array; several are put side by side."""

    @property
    def name(self) -> str:
        """What it is called in messages.

        >>> Feature("fc", "I+P", (("I", "fc"), ("P", "fc"))).name
        'fc of I+P'
        """
        return f"{self.layer} of {self.source}"


def choose_features(directory: FeatureDirectory, config: EstimatorConfig) -> tuple[Feature, ...]:
    """Return the features that are asked for: layers in their order, single sources first in each.

    Raises:
        UsageError: A layer, source or fusion is not there.
        AttncliError: The directory holds maps.
    """
    if directory.pool == "none":
        raise AttncliError(
            "holds maps, not vectors", where=directory.path, remedy="extract with --pool gap"
        )
    layers = _known(config.layers, directory.layers, "--layers")
    sources = _known(config.sources, directory.sources, "--sources")
    fusions = _fusions(directory, config, sources)
    found = [
        feature
        for layer in layers
        for feature in (
            *(Feature(layer, source, ((source, layer),)) for source in sources),
            *(_fused(directory, fusion, layer) for fusion in fusions),
        )
    ]
    if config.combinations:
        found += [one for one in _combinations(directory, layers, sources) if one not in found]
    for feature in found:
        _require_arrays(directory, feature)
    return tuple(found)


def class_numbers(directory: FeatureDirectory, classes: Sequence[str]) -> Int64[np.ndarray, " n"]:
    """Return the classes of images as numbers, `UNKNOWN` where there is no name.

    Args:
        directory: The images; the name of a class is empty where it is not known.
        classes: Names of all classes, in the order of the numbers.

    Raises:
        AttncliError: An image is of another class; it is named.
    """
    numbers = {name: number for number, name in enumerate(classes)} | {"": UNKNOWN}
    for id_, label in zip(directory.ids, directory.labels, strict=True):
        if label not in numbers:
            what = f"{id_} is of class {label!r}, which is not among the {len(classes)} known"
            raise AttncliError(what, where=directory.path, remedy="use data with the same classes")
    return np.array([numbers[label] for label in directory.labels], dtype=np.int64)


def feature_table(
    directory: FeatureDirectory,
    feature: Feature,
    rows: Int64[np.ndarray, " n"],
    labels: Int64[np.ndarray, " _"],
    classes: tuple[str, ...],
) -> FeatureTable:
    """Return the features of some images.

    Args:
        directory: Where they are.
        feature: Which they are.
        rows: Which images, by their rows in the directory.
        labels: Classes of all images of the directory.
        classes: Names of the classes.

    Raises:
        AttncliError: There are no such features, or a number of them is not finite; layer, source
            and image are named.
    """
    parts = tuple(_part(directory, source, layer, rows) for source, layer in feature.parts)
    name = f"{directory.path}: {feature.name}"
    return FeatureTable(parts, labels[rows], classes, name)


def require_finite(directory: FeatureDirectory, features: Sequence[Feature]) -> None:
    """Make sure that all numbers of features are finite, before hours are spent on some of them.

    Raises:
        AttncliError: One is not; layer, source and image are named.
    """
    for source, layer in dict.fromkeys(part for one in features for part in one.parts):
        for start in range(0, len(directory.ids), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(directory.ids))
            _part(directory, source, layer, np.arange(start, stop))


def n_dims(directory: FeatureDirectory, feature: Feature) -> int:
    """Return how many numbers a feature has."""
    return sum(directory.open(source, layer).shape[1] for source, layer in feature.parts)


def _known(wanted: Sequence[str], known: Sequence[str], flag: str) -> Sequence[str]:
    """Return what is wanted, or all where nothing is said.

    Raises:
        UsageError: Something is not there.
    """
    for name in wanted:
        if name not in known:
            raise UsageError(f"no such name: {name}", where=flag, remedy=f"use {', '.join(known)}")
    return wanted or known


def _fusions(
    directory: FeatureDirectory, config: EstimatorConfig, sources: Sequence[str]
) -> Sequence[str]:
    if config.fuse == (NO_FUSION,):
        return ()
    if not config.fuse:
        if directory.pool == "mpn-cbp":
            return [one for one in directory.fusions if set(one.split(JOINT)) <= {*sources}]
        return [JOINT.join(sources)] if len(sources) > 1 else []
    for fusion in config.fuse:
        names = fusion.split(JOINT)
        if len(names) < 2 or len(set(names)) < len(names):
            raise UsageError(
                f"must be two or more sources, not {fusion!r}", where="--fuse", remedy="write I+P"
            )
        _known(names, directory.sources, "--fuse")
    return config.fuse


def _fused(directory: FeatureDirectory, fusion: str, layer: str) -> Feature:
    """Return a layer of several sources: an array of its own where pooling is of all of them."""
    if directory.pool == "mpn-cbp":
        return Feature(layer, fusion, ((fusion, layer),))
    return Feature(layer, fusion, tuple((source, layer) for source in fusion.split(JOINT)))


def _combinations(
    directory: FeatureDirectory, layers: Sequence[str], sources: Sequence[str]
) -> list[Feature]:
    """Return every layer of the first source beside every layer of the second one."""
    if len(sources) < 2:
        raise UsageError("needs two sources", where="--combinations", remedy="leave it out")
    first, second = sources[:2]
    return [
        _fused(directory, f"{first}{JOINT}{second}", mine)
        if mine == other
        else Feature(f"{mine}{JOINT}{other}", f"{first}{JOINT}{second}", parts)
        for mine, other in product(layers, layers)
        for parts in [((first, mine), (second, other))]
    ]


def _require_arrays(directory: FeatureDirectory, feature: Feature) -> None:
    for source, layer in feature.parts:
        if not directory.has(source, layer):
            remedy = "extract it, or name others with --layers, --sources and --fuse"
            raise AttncliError(f"has no {layer} of {source}", where=directory.path, remedy=remedy)


def _part(
    directory: FeatureDirectory, source: str, layer: str, rows: Int64[np.ndarray, " n"]
) -> Float32[np.ndarray, "n d"]:
    part = np.asarray(directory.open(source, layer)[rows])
    finite = np.isfinite(part).all(axis=1)
    if not finite.all():
        id_ = directory.ids[rows[np.flatnonzero(~finite)[0]]]
        raise AttncliError(
            f"{layer} of {source} holds a number that is not finite for image {id_}",
            where=directory.path,
            remedy="extract the features again",
        )
    return part
