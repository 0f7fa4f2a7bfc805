"""The layers of a network of people as features: its maps, and the stripes it tells people by.

See `pcb` for the paper and its symbols.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from attncli.backbones.images.backbone import ROLES
from attncli.errors import UsageError
from attncli.methods.reid.pcb import PcbNetwork
from attncli.methods.svd_fc.basis import Basis

STRIPES = "stripes"
"""Layer that answers with a vector an image, which describes who is shown."""
LAYERS = (*ROLES, STRIPES)
"""All layers."""


class PcbLayers(nn.Module):
    """A network of people that answers with layers instead of scores.

    Args:
        classifier: The network, on any device.
        layers: Some of `LAYERS`.

    Raises:
        UsageError: There is no such layer.
    """

    bases: Mapping[str, Basis] = {}
    """None: it has a last weight for each stripe."""
    notes: Sequence[str] = ()
    """What a user should know of the layers: nothing."""

    def __init__(self, classifier: PcbNetwork, layers: Sequence[str]) -> None:
        super().__init__()
        for layer in layers:
            if layer not in LAYERS:
                what, remedy = "no such layer of a network of people", f"use {', '.join(LAYERS)}"
                raise UsageError(what, where=f"--layers {layer}", remedy=remedy)
        self.classifier = classifier
        self.layers = tuple(layers)

    @torch.no_grad()
    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> dict[str, Tensor]:
        """Return the layers of images as float32: maps b x c x h x w, stripes b x d.

        Args:
            images: RGB values 0-255.
        """
        maps: Mapping[str, Tensor] = {}
        if set(self.layers) - {STRIPES}:
            maps = cast("Mapping[str, Tensor]", self.classifier.backbone.features(images))
        return {layer: self._layer(layer, maps, images) for layer in self.layers}

    def _layer(self, layer: str, maps: Mapping[str, Tensor], images: Tensor) -> Tensor:
        made = self.classifier.test_feature(images) if layer == STRIPES else maps[layer]
        return made.float()
