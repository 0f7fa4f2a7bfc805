"""Weights of a run as those that a backbone begins with, whatever was trained on top of it.

PSA's and SSDD's networks begin with what the classifier has learnt, whose maps they go on from.
"""

from pathlib import Path

from attncli.backbones.images.backbone import ImageBackbone
from attncli.errors import AttncliError
from attncli.files.checkpoints import load_weights, read_metadata, read_weights

PREFIXES = ("backbone.", "segmentation.backbone.")
"""What the backbone is called within the networks of runs."""
SUFFIX = ".safetensors"


def is_run(weights: str) -> bool:
    """Return whether weights are those of a run: its directory, or the file in it."""
    path = Path(weights)
    if path.is_dir():
        return True
    return path.suffix == SUFFIX and path.is_file() and "method" in read_metadata(path)


def load_run(backbone: ImageBackbone, weights: str) -> None:
    """Put the backbone's weights of a run into a backbone, with how they see colours.

    Args:
        backbone: Network whose weights are overwritten.
        weights: Directory of the run, or its file of weights.

    Raises:
        AttncliError: There are none, they hold no backbone for images, or one of another name.
    """
    path = Path(weights)
    found = read_weights(path)
    for prefix in PREFIXES:
        own = {key.removeprefix(prefix): w for key, w in found.items() if key.startswith(prefix)}
        if own:
            load_weights(backbone, own, where=path)
            return
    raise AttncliError(
        "holds no backbone for images", where=path, remedy="name a run of cam, or other weights"
    )
