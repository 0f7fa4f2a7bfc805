"""What is told of features: a row a network."""

from collections.abc import Mapping

import numpy as np

from attncli.files.feature_rows import done_in
from attncli.files.features import SINGULAR_VALUES, FeatureDirectory, holds_features
from attncli.methods.svd_fc.basis import share_of_dimensions
from attncli.reporting import Row
from attncli.workflows.svd_fc.description import Described


def planned_rows(about: Described, *, begins_anew: bool) -> list[Row]:
    """Return what a dry run answers.

    Args:
        about: What would be done.
        begins_anew: Whether what is there is to be replaced.
    """
    n_images, out = len(about.images.samples), about.call.out
    finished = 0
    if not begins_anew:
        finished = n_images if holds_features(out) else int(done_in(out, n_images).sum())
    shared: Row = {"layers": ",".join(about.config.layers), "pooling": about.config.pool}
    shared |= {"images": n_images, "finished": finished}
    return [
        {
            "run": str(out),
            "source": plan.name,
            "network": plan.network,
            "weights": plan.weights,
            **shared,
        }
        for plan in about.plans
    ]


def finished_rows(directory: FeatureDirectory, images_per_sec: float | None) -> list[Row]:
    """Return what there is to know of features.

    `sigma_80_percent` is the percentage of dimensions of the last layer's weight that hold 80 % of
    the sum of its singular values, `sigma2_80_percent` that of their squares.

    Args:
        directory: The features.
        images_per_sec: Images that all networks saw in a second; None where they saw none.
    """
    bases = directory.bases()
    rate = None if images_per_sec is None else round(images_per_sec, 2)
    rows: list[Row] = []
    for source, about in directory.settings["sources"].items():
        row: Row = {"run": str(directory.path), "source": source, "network": about["network"]}
        row |= {"classes": about["classes"], "layers": ",".join(directory.layers)}
        row |= {"pooling": directory.pool, "images": len(directory.ids)}
        row |= {"failed": directory.n_failed, **_shares(bases, source), "images_per_sec": rate}
        rows.append(row)
    return rows


def _shares(bases: Mapping[tuple[str, str], np.ndarray], source: str) -> Row:
    """Return which percentage of dimensions holds 80 % of singular values, and of their squares."""
    values = bases.get((source, SINGULAR_VALUES))
    if values is None:
        return {"sigma_80_percent": None, "sigma2_80_percent": None}
    return {
        "sigma_80_percent": round(100 * share_of_dimensions(values), 2),
        "sigma2_80_percent": round(100 * share_of_dimensions(values, power=2), 2),
    }
