"""How static SSDD refines the seeds of one image, in its own size.

Label maps are made small for the network as in training, what it foresees is made large again, and
both decide pixel by pixel. The mirrored image is looked at too, so that mirrored images have
mirrored seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from attncli.data.images.seeds import Scored, labels_of, spread
from attncli.data.images.source import SEED_STRIDE as STRIDE
from attncli.methods.ssdd.difference import Biases, confidence, counted, gated, shrinking
from attncli.methods.ssdd.static import Detected


@dataclass(frozen=True)
class Rules:
    """How knowledge and advice become one."""

    biases: Biases
    """What the confidence in the advice is moved by."""
    shrink_below: float
    """Share of a class's pixels below which it shrinks."""
    flip: bool = True
    """Whether to look at the mirrored image too."""


@dataclass(frozen=True)
class RefinedImage:
    """What became of the seeds of an image."""

    scored: Scored
    """The scores of whichever seed was taken at each pixel."""
    knowledge_difference: Float32[np.ndarray, "h w"]
    """Probability of change foreseen from the knowledge (d^K), in [0, 1]."""
    advice_difference: Float32[np.ndarray, "h w"]
    """Probability of change foreseen from the advice (d^A), in [0, 1]."""
    segmented: UInt8[np.ndarray, "h w"]
    """What the segmentation branch says, of the classes that the image shows."""

    @property
    def labels(self) -> UInt8[np.ndarray, "h w"]:
        """The refined seed."""
        return self.scored.label_map


@torch.inference_mode()
def refine_image(
    network: Callable[..., Detected],
    image: UInt8[np.ndarray, "h w 3"],
    knowledge: Scored,
    advice: Scored,
    shown: Bool[np.ndarray, " k"],
    rules: Rules,
    *,
    device: torch.device,
) -> RefinedImage:
    """Return the refined seed of an image.

    Args:
        network: Foresees differences; in evaluation mode on `device`.
        image: RGB values 0-255.
        knowledge: The seed that is refined, of the image's size.
        advice: What may be better, of the image's size.
        shown: Which classes the image shows, the background not among them.
        rules: How they become one.
        device: Where to compute.
    """
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].to(device)
    ways = (False, True) if rules.flip else (False,)
    seen = [_look(network, pixels, (knowledge, advice), flip=flip) for flip in ways]
    scores, *d = (torch.stack(each).mean(0) for each in zip(*seen, strict=True))
    k, a = (torch.from_numpy(scored.label_map)[None] for scored in (knowledge, advice))
    flags = shrinking(k, a, torch.from_numpy(shown)[None], below=rules.shrink_below)
    w = confidence(d[0], d[1], k, a, flags, rules.biases)
    takes_advice = ((w >= 0) & counted(k, a))[0].numpy()
    return RefinedImage(
        scored=_chosen(knowledge, advice, takes_advice),
        knowledge_difference=d[0][0].numpy(),
        advice_difference=d[1][0].numpy(),
        segmented=_shown_labels(scores, shown),
    )


def _shown_labels(
    scores: Float[Tensor, "1 k1 h w"], shown: Bool[np.ndarray, " k"]
) -> UInt8[np.ndarray, "h w"]:
    """Return the label of each pixel among the classes that an image shows."""
    present = gated(scores, torch.from_numpy(shown)[None])
    return present[0].argmax(0).to(torch.uint8).numpy()


def _look(
    network: Callable[..., Detected],
    pixels: UInt8[Tensor, "1 3 h w"],
    pair: tuple[Scored, Scored],
    *,
    flip: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the labels' probabilities, d^K and d^A of an image's cells, brought to pixels."""
    shown = pixels.flip(3) if flip else pixels
    small = tuple(_small_labels(scored, flip=flip).to(pixels.device) for scored in pair)
    said = network(shown.contiguous(memory_format=torch.channels_last), small)
    shape = (pixels.shape[2], pixels.shape[3])
    fine = [
        functional.interpolate(each.float(), scale_factor=STRIDE, mode="bilinear")
        for each in (said.scores, *(logits[:, None] for logits in said.differences))
    ]
    cut = [each[..., : shape[0], : shape[1]] for each in fine]
    upright = [(each.flip(3) if flip else each).cpu() for each in cut]
    return upright[0].softmax(1), upright[1][:, 0].sigmoid(), upright[2][:, 0].sigmoid()


def _small_labels(scored: Scored, *, flip: bool) -> UInt8[Tensor, "1 hs ws"]:
    """Return the labels of cells, the last of a row or column cut where the image ends."""
    scores = torch.from_numpy(scored.scores)[None]
    scores = scores.flip(3) if flip else scores
    beyond = (0, -scores.shape[3] % STRIDE, 0, -scores.shape[2] % STRIDE)
    whole = functional.pad(scores, beyond, mode="replicate")
    small = functional.interpolate(whole, scale_factor=1 / STRIDE, mode="bilinear")
    return torch.from_numpy(labels_of(scored.classes, small[0].numpy()))[None]


def _chosen(knowledge: Scored, advice: Scored, takes_advice: Bool[np.ndarray, "h w"]) -> Scored:
    """Return at each pixel the scores of the seed that is taken there; 0 of classes it lacks."""
    classes = np.union1d(knowledge.classes, advice.classes)
    of_k, of_a = (spread(scored, classes).scores for scored in (knowledge, advice))
    return Scored(classes, np.where(takes_advice, of_a, of_k))
