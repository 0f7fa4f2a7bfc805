"""Difference detection: where two label maps of an image differ, which of them is right?

W. Shimoda, K. Yanai, "Self-Supervised Difference Detection for Weakly-Supervised Semantic
Segmentation" (ICCV 2019). One label map is the knowledge (K), the other the advice (A), such as
PSA's seed and what a dense CRF makes of it. A network that sees the image and one of the two learns
to tell where they differ. True labels are regular, so that changes away from false ones are easier
to foresee: where K's change is foreseen and A's is not, A is taken.

=========================  =================================================  ====================
Source                     What                                               Where
=========================  =================================================  ====================
definition of M            M_u = 1 where m_u^K is not m_u^A                   `differing`
L_change                   J(M, d^K) + J(M, d^A)                              `difference_loss`
sample exclusion           delta_c = N_c^A / N_c^K, flag_c = delta_c < 0.5    `shrinking`, `kept`
confidence                 w = d^K - d^A + b_hat + b(m^A) - b(m^K)            `confidence`
refinement                 m^D = m^A where w >= 0, else m^K                   `refined`
=========================  =================================================  ====================

Symbols: M `differs`; d^K, d^A probabilities of change; b_hat `Biases.advice`; b^c the flags times
`Biases.shrinking`, with `Biases.background` for the background.

Differs from the paper:

- Its definition of M is printed with 1 where labels are equal; its code, and the meaning of d, have
  1 where they differ. Its J lacks a minus sign.
- As in its code, pixels that change and those that do not weigh the same, however many there are.
  Where an image has none of one kind, that half of its loss is 0; the code's is not a number.
- As in its code, a class that shrinks makes advice of it more trusted, and knowledge of it less.
  The paper's b^c is 1 for classes that do not shrink, with p and q the other way round: the same.
- A pixel that is ignored (255) in either map counts for no loss; it keeps its knowledge.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn import functional

from attncli.files.label_maps import IGNORE_LABEL

Exclusion = Literal["any", "all", "none"]


@dataclass(frozen=True)
class Biases:
    """What the confidence in the advice is moved by."""

    advice: float
    """Added everywhere: b with a hat."""
    background: float = 0.0
    """Added where the advice says background, taken off where the knowledge does."""
    shrinking: float = 1.0
    """Added where the advice is of a class that shrinks, taken off where the knowledge is."""


def differing(
    knowledge: UInt8[Tensor, "b h w"], advice: UInt8[Tensor, "b h w"]
) -> Bool[Tensor, "b h w"]:
    """Return M: where the label maps differ."""
    return knowledge != advice


def counted(
    knowledge: UInt8[Tensor, "b h w"], advice: UInt8[Tensor, "b h w"]
) -> Bool[Tensor, "b h w"]:
    """Return where neither label is ignored."""
    return (knowledge != IGNORE_LABEL) & (advice != IGNORE_LABEL)


def difference_loss(
    logits: Float[Tensor, "b h w"], differs: Bool[Tensor, "b h w"], counts: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """Return half the mean loss where labels differ and half that where they do not, an image.

    Args:
        logits: How likely each pixel is to differ (logits of d).
        differs: M.
        counts: Which pixels count.
    """
    losses = functional.binary_cross_entropy_with_logits(
        logits.float(), differs.float(), reduction="none"
    )
    means = [_mean_within(losses, kind & counts) for kind in (differs, ~differs)]
    return (means[0] + means[1]) / 2


def pooled_difference_loss(
    logits: Float[Tensor, "b h w"], differs: Bool[Tensor, "b h w"], counts: Bool[Tensor, "b h w"]
) -> Float[Tensor, ""]:
    """Return the loss of all images' pixels together, as of one image."""
    images = (x.flatten(0, 1)[None] for x in (logits, differs, counts))
    return difference_loss(*images).squeeze(0)


def shrinking(
    knowledge: UInt8[Tensor, "b h w"],
    advice: UInt8[Tensor, "b h w"],
    labels: Bool[Tensor, "b k"],
    *,
    below: float = 0.5,
) -> Bool[Tensor, "b k1"]:
    """Return which labels shrink from knowledge to advice; the background never does.

    A class that an image shows and neither map has counts as shrinking, as in the paper's code.

    Args:
        knowledge: Label of each pixel.
        advice: Label of each pixel.
        labels: Which classes each image shows, the background not among them.
        below: Share of a class's pixels that is too few (delta).

    Returns:
        By label: the background first, so that there is one more than classes.
    """
    sizes = [_sizes(labels_of, labels.shape[1]) for labels_of in (knowledge, advice)]
    delta = sizes[1] / sizes[0].clamp(min=1)
    return functional.pad((delta < below) & labels, (1, 0))


def kept(
    flags: Bool[Tensor, "b k1"], labels: Bool[Tensor, "b k"], exclusion: Exclusion
) -> Bool[Tensor, " b"]:
    """Return which images the difference loss is taken over.

    Args:
        flags: Which labels shrink, as of `shrinking`.
        labels: Which classes each image shows.
        exclusion: Whether any class that shrinks, only all of them, or none excludes an image.
    """
    if exclusion == "none":
        return torch.ones_like(flags[:, 0])
    shrunk = flags[:, 1:]
    if exclusion == "any":
        return ~shrunk.any(dim=1)
    return (labels & ~shrunk).any(dim=1) | ~labels.any(dim=1)


def mean_over_kept(losses: Float[Tensor, " b"], keep: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """Return the mean loss of the images that are kept; 0 where none is."""
    return (losses * keep).sum() / keep.sum().clamp(min=1)


def confidence(
    d_knowledge: Float[Tensor, "b h w"],
    d_advice: Float[Tensor, "b h w"],
    knowledge: UInt8[Tensor, "b h w"],
    advice: UInt8[Tensor, "b h w"],
    flags: Bool[Tensor, "b k1"],
    biases: Biases,
) -> Float[Tensor, "b h w"]:
    """Return w, how much the advice is to be trusted rather than the knowledge.

    Args:
        d_knowledge: Probability of change foreseen from the knowledge, in [0, 1].
        d_advice: The same foreseen from the advice.
        knowledge: Label of each pixel.
        advice: Label of each pixel.
        flags: Which labels shrink, as of `shrinking`.
        biases: What w is moved by.
    """
    by_label = flags.to(d_knowledge.dtype) * biases.shrinking
    by_label[:, 0] = biases.background
    moved = _at(by_label, advice) - _at(by_label, knowledge)
    return d_knowledge - d_advice + biases.advice + moved


def refined(
    knowledge: UInt8[Tensor, "b h w"],
    advice: UInt8[Tensor, "b h w"],
    w: Float[Tensor, "b h w"],
) -> UInt8[Tensor, "b h w"]:
    """Return the advice where it is trusted (w >= 0), else the knowledge."""
    return torch.where((w >= 0) & counted(knowledge, advice), advice, knowledge)


def gated(scores: Float[Tensor, "b k1 h w"], labels: Bool[Tensor, "b k"]) -> Tensor:
    """Return scores (logits) of which those of classes an image does not show can never win.

    Args:
        scores: Scores of all labels, the background's first.
        labels: Which classes each image shows; the background is always there.
    """
    present = functional.pad(labels, (1, 0), value=True)
    return scores.masked_fill(~present[:, :, None, None], -torch.inf)


def _mean_within(
    values: Float[Tensor, "b h w"], within: Bool[Tensor, "b h w"]
) -> Float[Tensor, " b"]:
    """Return the mean of each image's values within a region; 0 where that is empty."""
    return (values * within).sum((1, 2)) / within.sum((1, 2)).clamp(min=1)


def _sizes(label_maps: UInt8[Tensor, "b h w"], n_classes: int) -> Float[Tensor, "b k"]:
    """Return how many pixels of each class label maps have."""
    images = torch.arange(len(label_maps), device=label_maps.device)[:, None]
    index = (images * 256 + label_maps.flatten(1).long()).flatten()
    sizes = torch.bincount(index, minlength=256 * len(label_maps)).view(-1, 256)
    return sizes[:, 1 : n_classes + 1].float()


def _at(by_label: Float[Tensor, "b k1"], labels: UInt8[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    """Return the value of each pixel's label; 0 of those that are ignored."""
    values = functional.pad(by_label, (0, 1))  # for 255
    index = labels.long().clamp(max=by_label.shape[1]).flatten(1)
    return values.gather(1, index).view(labels.shape)
