"""Dense conditional random fields (CRFs) over the pixels of images that are arrays.

P. Krähenbühl, V. Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge
Potentials", NIPS 2011: mean-field inference of the label of each pixel from -log of its scores
(unary) and from two Gaussian kernels between all pairs of pixels, one of positions and one of
positions and colours (pairwise, Potts compatibility, normalised symmetrically).

Two backends agree to 1e-4 in the answer Q: pydensecrf on a CPU, and torch on any device, which is
imported where it is asked for alone: processes that work on a few images each start sooner.

pydensecrf holds the interpreter's lock while it works, so threads gain nothing; images in files go
through a pool of processes.
"""

from typing import Any, cast

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8
from pydensecrf.densecrf import DenseCRF2D  # type: ignore[import-untyped]

from attncli.config.crf import CrfConfig
from attncli.errors import AttncliError
from attncli.files.label_maps import IGNORE_LABEL

LEAST_PROBABILITY = 1e-5
"""Scores are clipped to this and 1 before the logarithm."""
IMPOSSIBLE = 1e4
"""Unary of a label that no pixel can take: exp(-1e4) is 0 beside the greatest unary, 11.5."""
SLOW, QUICK = 3, 4
"""pydensecrf takes longer over 3 labels than over 4, which fill its vector registers."""
SURE = 0.7
"""Probability of the label that a label map gives a pixel."""


def dense_crf(
    image: UInt8[np.ndarray, "_ _ 3"],
    probabilities: Float[np.ndarray, "k h w"],
    config: CrfConfig,
    *,
    device: Any = "cpu",
) -> Float32[np.ndarray, "k h w"]:
    """Return what a dense CRF makes of scores, a distribution over the labels at each pixel.

    Leave labels out only where all their scores are exactly 0, as those of classes that an image
    is known not to show.

    Args:
        image: RGB values 0-255.
        probabilities: Scores of each label, clipped to [1e-5, 1]; they need not sum to 1.
        config: Kernels, iterations and backend.
        device: Where torch's backend works: a device of torch or its name.

    Raises:
        AttncliError: There is no label, scores are not finite, or they are of another size.
    """
    _require_scores(image, probabilities)
    if len(probabilities) == 1:
        return np.ones(probabilities.shape, dtype=np.float32)
    if config.crf_backend == "torch":
        from attncli.layers.dense_crf import refine_arrays  # torch takes seconds to import

        return refine_arrays(_writeable(image), _writeable(probabilities), config, device)
    return _pydensecrf(image, _unary(probabilities), config)[: len(probabilities)]


def one_hot_probabilities(
    labels: UInt8[np.ndarray, "h w"], classes: Int64[np.ndarray, " k"], *, sure: float = SURE
) -> Float32[np.ndarray, "k h w"]:
    """Return scores for a CRF that refines a label map.

    Args:
        labels: Classes as label maps number them; 255 is of any class alike.
        classes: Classes that the map may hold, in rising order.
        sure: Probability, in (0, 1), of the class that the map gives; the others share the rest.

    Raises:
        AttncliError: The map holds a class that is not among them.
    """
    foreign = np.setdiff1d(labels, [*classes, IGNORE_LABEL])
    if len(foreign):
        raise AttncliError(f"the label map holds class {foreign[0]}, the image shows others only")
    rest = (1 - sure) / max(len(classes) - 1, 1)
    scores = np.where(labels == classes[:, None, None], sure, rest).astype(np.float32)
    scores[:, labels == IGNORE_LABEL] = 1 / max(len(classes), 1)
    return scores


def _unary(probabilities: Float[np.ndarray, "k h w"]) -> Float32[np.ndarray, "_ n"]:
    """Return the costs that pydensecrf takes, with one more label where that is quicker."""
    scores = probabilities.reshape(len(probabilities), -1).astype(np.float32)
    costs = -np.log(np.clip(scores, LEAST_PROBABILITY, 1))
    if len(costs) != SLOW:
        return costs
    return np.pad(costs, ((0, QUICK - SLOW), (0, 0)), constant_values=IMPOSSIBLE)


def _pydensecrf(
    image: UInt8[np.ndarray, "h w 3"], unary: Float32[np.ndarray, "k n"], config: CrfConfig
) -> Float32[np.ndarray, "k h w"]:
    height, width, _ = image.shape
    field = DenseCRF2D(width, height, len(unary))
    field.setUnaryEnergy(np.ascontiguousarray(unary))
    field.addPairwiseGaussian(sxy=config.gaussian_px, compat=config.gaussian_weight)
    field.addPairwiseBilateral(
        sxy=config.bilateral_px,
        srgb=config.bilateral_color,
        rgbim=_writeable(image),
        compat=config.bilateral_weight,
    )
    answer = np.asarray(field.inference(config.crf_iterations), dtype=np.float32)
    return cast(np.ndarray, answer.reshape(-1, height, width))


def _writeable(array: np.ndarray) -> np.ndarray:
    """Return an array in the only memory that both backends take without complaint."""
    return np.require(array, requirements=["C", "W"])


def _require_scores(
    image: UInt8[np.ndarray, "_ _ 3"], probabilities: Float[np.ndarray, "k h w"]
) -> None:
    if probabilities.shape[1:] != image.shape[:2]:
        sizes = [
            f"{width}x{height}" for height, width in (probabilities.shape[1:], image.shape[:2])
        ]
        raise AttncliError(f"scores are of {sizes[0]} pixels, their image has {sizes[1]}")
    if not len(probabilities):
        raise AttncliError("a CRF needs the scores of at least one label")
    if not np.isfinite(probabilities).all():
        raise AttncliError("scores for a CRF must be finite")
