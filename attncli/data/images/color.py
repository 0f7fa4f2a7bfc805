"""Colour jitter: brightness, contrast, saturation and hue of an image, changed at random."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from attncli.config.images import ImageConfig


class Change(IntEnum):
    """What is changed."""

    BRIGHTNESS = 0
    CONTRAST = 1
    SATURATION = 2
    HUE = 3


_APPLY = {
    Change.BRIGHTNESS: transforms.adjust_brightness,
    Change.CONTRAST: transforms.adjust_contrast,
    Change.SATURATION: transforms.adjust_saturation,
    Change.HUE: transforms.adjust_hue,
}
_UNCHANGED = {Change.BRIGHTNESS: 1.0, Change.CONTRAST: 1.0, Change.SATURATION: 1.0, Change.HUE: 0.0}


@dataclass(frozen=True)
class ColorJitter:
    """Changes of an image's colours, in their order."""

    changes: tuple[tuple[Change, float], ...]
    """What is changed, and by how much: a factor, of hue a part of the colour circle."""

    @classmethod
    def draw(cls, config: ImageConfig, generator: np.random.Generator) -> "ColorJitter":
        """Return the changes that the generator's next numbers make, in an order drawn as well."""
        largest = {
            Change.BRIGHTNESS: config.jitter_brightness,
            Change.CONTRAST: config.jitter_contrast,
            Change.SATURATION: config.jitter_saturation,
            Change.HUE: config.jitter_hue,
        }
        drawn = {
            change: _UNCHANGED[change] + by * float(generator.uniform(-1, 1))
            for change, by in largest.items()
        }
        order = [Change(number) for number in generator.permutation(len(drawn))]
        return cls(tuple((change, drawn[change]) for change in order if largest[change] > 0))

    def apply(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Return an image with its colours changed."""
        picture = Image.fromarray(image)  # Pillow turns hue in a third of the time tensors take
        for change, amount in self.changes:
            picture = _APPLY[change](picture, amount)
        return np.array(picture)
