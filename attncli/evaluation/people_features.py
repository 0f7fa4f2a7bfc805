"""Features of people as distances take them: of length 1, a block of images at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32, Int64

from attncli.config.estimators import NO_FUSION, EstimatorConfig
from attncli.errors import AttncliError
from attncli.evaluation.distances import unit_rows
from attncli.files.features import FeatureDirectory
from attncli.training.estimator import UNKNOWN
from attncli.training.feature_tables import Feature, choose_features, feature_table, n_dims
from attncli.training.metric import Distance

ALL = "all"
"""Layer of all layers together, whose distance is learnt where nothing else is asked for."""
ROWS_AT_ONCE = 1024
"""Images whose features are in 64 bits at a time."""


def people_features(
    directory: FeatureDirectory, layers: Sequence[str] = (), sources: Sequence[str] = ()
) -> tuple[Feature, ...]:
    """Return features that people are ranked by, each layer and source by itself.

    Args:
        directory: Where they are.
        layers: Which layers; all where there are none.
        sources: Which sources; likewise.

    Raises:
        UsageError: A layer or source is not there.
        AttncliError: The directory holds maps.
    """
    if directory.pool == "none":
        remedy = "pool them with `attncli train c-dpcf`, or extract with --pool gap"
        raise AttncliError("holds maps, not vectors", where=directory.path, remedy=remedy)
    wanted = EstimatorConfig(
        data=directory.path, layers=tuple(layers), sources=tuple(sources), fuse=(NO_FUSION,)
    )
    return choose_features(directory, wanted)


def layers_to_learn(directory: FeatureDirectory, layers: Sequence[str]) -> tuple[str, ...]:
    """Return the layers that distances are learnt for: those named, else `all`, else every one."""
    usual = (ALL,) if ALL in directory.layers else directory.layers
    return tuple(layers) or usual


def unit_features(
    directory: FeatureDirectory, feature: Feature, rows: Int64[np.ndarray, " n"]
) -> Float32[np.ndarray, "n d"]:
    """Return the features of some images, of length 1.

    Raises:
        AttncliError: A number is not finite; layer, source and image are named.
    """
    found = np.empty((len(rows), n_dims(directory, feature)), np.float32)
    for start, block in _blocks(directory, feature, rows):
        found[start : start + len(block)] = block
    return found


def embedded(
    distance: Distance,
    directory: FeatureDirectory,
    feature: Feature,
    rows: Int64[np.ndarray, " n"],
) -> np.ndarray:
    """Return what a distance makes of the features of some images, a row each.

    Raises:
        AttncliError: A number is not finite; layer, source and image are named.
    """
    whole: np.ndarray | None = None
    for start, block in _blocks(directory, feature, rows):
        part = distance.embed(block)
        if whole is None:
            whole = np.empty((len(rows), part.shape[1]), part.dtype)
        whole[start : start + len(part)] = part
    return np.empty((0, 0)) if whole is None else whole


def embedded_queries(
    distance: Distance,
    directory: FeatureDirectory,
    feature: Feature,
    groups: Sequence[Int64[np.ndarray, " _"]],
) -> np.ndarray:
    """Return the same of queries of several images: of the mean of their features.

    Args:
        distance: How far features are apart.
        directory: Where they are.
        feature: Which they are.
        groups: Rows of the images of each query.

    Raises:
        AttncliError: A number is not finite; layer, source and image are named.
    """
    means = [unit_features(directory, feature, rows).mean(axis=0) for rows in groups]
    return distance.embed(unit_rows(np.stack(means)))


def _blocks(
    directory: FeatureDirectory, feature: Feature, rows: Int64[np.ndarray, " n"]
) -> Iterator[tuple[int, Float32[np.ndarray, "_ d"]]]:
    labels = np.full(len(directory.ids), UNKNOWN)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        table = feature_table(directory, feature, part, labels, directory.classes)
        yield start, unit_rows(np.concatenate(table.features, axis=1))
