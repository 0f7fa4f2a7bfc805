"""The layers of a classifier as features: its maps, its last layer, and that made orthonormal.

Vectors come of the last weight applied to what the network itself applies it to, maps of the weight
applied to every cell of the last map. Biases are dropped: they are the same for all images. See
`basis` for the paper and its symbols.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.errors import UsageError
from attncli.methods.svd_fc.basis import Basis, orthonormal_basis, random_basis
from attncli.methods.svd_fc.roles import Call, Roles, find_roles, pooled

VECTORS = ("fc", "svd-fc", "random-fc")
"""Layers that answer with a vector an image: W, W_o and the control of what the network pools."""
CLASS_MAPS = {"cam": "fc", "svd-cam": "svd-fc", "random-cam": "random-fc"}
"""Layers that apply the weight of one of `VECTORS` to every cell of the last map."""
MAPS = ("conv2", "conv3", "conv4", "conv5", *CLASS_MAPS)
"""Layers that answer with a map an image."""
LAYERS = ("conv2", "conv3", "conv4", "conv5", *VECTORS, *CLASS_MAPS)
"""All layers."""


class LayerExtractor(nn.Module):
    """A classifier that answers with layers instead of scores.

    Args:
        classifier: Takes images of RGB values 0-255.
        roles: What gives its layers.
        layers: Those to answer with: each is there.
        bases: What stands for the last weight in `svd-fc` and `random-fc`, where they are needed.
        notes: What a user should know of them.
    """

    def __init__(
        self,
        classifier: nn.Module,
        roles: Roles,
        layers: Sequence[str],
        bases: Mapping[str, Basis],
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.layers = tuple(layers)
        self.bases = dict(bases)
        """By `svd-fc` and `random-fc`, where they or their maps are asked for."""
        self.notes = tuple(notes)
        """What a user should know of the layers, a sentence each."""
        rows = {"fc": roles.head.weight.cpu().numpy()}
        rows |= {layer: basis.rows for layer, basis in bases.items()}
        for layer in sorted({CLASS_MAPS.get(layer, layer) for layer in layers} & set(rows)):
            weight = torch.from_numpy(rows[layer].astype(np.float32)).to(roles.head.weight.device)
            self.register_buffer(layer, weight, persistent=False)
        needed = {"conv5" if layer in CLASS_MAPS else layer for layer in layers} - set(VECTORS)
        calls = {layer: _call(roles, layer) for layer in sorted(needed)}
        self._makers = {layer: (call.module, call.turn) for layer, call in calls.items()}
        head = roles.head.call
        self._head = (head.module, head.turn) if set(layers) & set(VECTORS) else None
        self.channels: Mapping[str, int] = {
            layer: len(self.get_buffer(CLASS_MAPS.get(layer, layer)))
            if layer in (*VECTORS, *CLASS_MAPS)
            else calls[layer].made.shape[1]
            for layer in layers
        }
        """Channels by layer."""

    @torch.no_grad()
    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> dict[str, Tensor]:
        """Return the layers of images as float32: maps b x c x h x w, vectors b x c.

        Args:
            images: RGB values 0-255.
        """
        with self._listening() as heard:
            self.classifier(images)
        # Read only now: steps in place may have changed what a layer made, and belong to it.
        seen = {key: made[turn].float() for key, (made, turn) in heard.items()}
        with torch.autocast(images.device.type, enabled=False):
            return {layer: self._layer(layer, seen) for layer in self.layers}

    def _layer(self, layer: str, seen: Mapping[str, Tensor]) -> Tensor:
        if layer in VECTORS:
            return functional.linear(pooled(seen["input"]), self.get_buffer(layer))
        if layer in CLASS_MAPS:
            weight = self.get_buffer(CLASS_MAPS[layer])
            return functional.conv2d(seen["conv5"], weight[:, :, None, None])
        return seen[layer]

    @contextmanager
    def _listening(self) -> Iterator[dict[str, tuple[list[Tensor], int]]]:
        """Keep what needed modules make, and what the last weight is applied to, by turns."""
        heard: dict[str, tuple[list[Tensor], int]] = {}
        hooks = []
        for layer, (module, turn) in self._makers.items():
            heard[layer] = ([], turn)
            hooks.append(module.register_forward_hook(_keep_made(heard[layer][0])))
        if self._head is not None:
            module, turn = self._head
            heard["input"] = ([], turn)
            hooks.append(module.register_forward_pre_hook(_keep_given(heard["input"][0])))
        try:
            yield heard
        finally:
            for hook in hooks:
                hook.remove()


def open_layers(
    classifier: nn.Module,
    image: UInt8[Tensor, "1 3 h w"],
    layers: Sequence[str],
    *,
    form: Literal["polar", "vt"] = "polar",
    tolerance: float = 1e-6,
    seed: int = 0,
) -> LayerExtractor:
    """Return what answers with layers of a classifier, which are found on one image.

    Args:
        classifier: Takes images of RGB values 0-255, and answers with class scores. It is put into
            evaluation mode.
        image: An image of the kind to come, not of one colour, on the classifier's device.
        layers: Some of `LAYERS`.
        form: Which orthonormal rows `svd-fc` has, as `orthonormal_basis` takes it.
        tolerance: Singular values to leave out, likewise.
        seed: Of the random rows.

    Raises:
        UsageError: There is no such layer, the network has it not, ends in no linear layer, or
            cannot take the image.
    """
    _require_known(layers)
    name = str(getattr(classifier, "name", type(classifier).__name__))
    roles = find_roles(classifier.eval(), image, name=name)
    for layer in layers:
        _require_there(layer, roles, name)
    bases = _bases(roles, layers, form, tolerance, seed)
    return LayerExtractor(classifier, roles, layers, bases, _notes(roles, bases))


def _require_known(layers: Sequence[str]) -> None:
    if not layers:
        raise UsageError("must name a layer", where="--layers", remedy=f"use {', '.join(LAYERS)}")
    for layer in layers:
        if layer not in LAYERS:
            near = get_close_matches(layer, LAYERS, n=2, cutoff=0.5)
            remedy = f"did you mean {' or '.join(near)}?" if near else f"use {', '.join(LAYERS)}"
            raise UsageError(f"no such layer: {layer!r}", where="--layers", remedy=remedy)


def _require_there(layer: str, roles: Roles, name: str) -> None:
    """Make sure that a network has a layer."""
    if layer in VECTORS:
        return
    remedy = "use fc and svd-fc, which it has"
    if roles.conv5 is None:
        what = f"{name} has no maps: {roles.why_not}"
    elif layer in CLASS_MAPS and not roles.is_pooled:
        what = f"{name} has no {layer}, as its last layer does not act on the mean of its last map"
    elif layer not in (*CLASS_MAPS, "conv5", *roles.earlier):
        what = f"{name} has no {layer}: there is no such stage before its last"
        remedy = "leave it out"
    else:
        return
    raise UsageError(what, where=f"--layers {layer}", remedy=remedy)


def _bases(
    roles: Roles,
    layers: Sequence[str],
    form: Literal["polar", "vt"],
    tolerance: float,
    seed: int,
) -> dict[str, Basis]:
    needed = {CLASS_MAPS.get(layer, layer) for layer in layers} & {"svd-fc", "random-fc"}
    if not needed:
        return {}
    weight = roles.head.weight.float().cpu().numpy()
    bases = {"svd-fc": orthonormal_basis(weight, form=form, tolerance=tolerance)}
    if "random-fc" in needed:
        bases["random-fc"] = random_basis(weight, rank=bases["svd-fc"].rank, seed=seed)
    return {layer: bases[layer] for layer in bases if layer in needed}


def _notes(roles: Roles, bases: Mapping[str, Basis]) -> list[str]:
    if not bases:
        return []
    n_classes, n_dims = roles.head.weight.shape
    rank = next(iter(bases.values())).rank
    notes = []
    if "svd-fc" in bases and rank == n_dims:
        of = "conv5" if roles.is_pooled else "what the last layer is given"
        notes.append(f"{n_classes} classes in {n_dims} dimensions: svd-fc is a rotation of {of}")
    if rank < min(n_classes, n_dims):
        notes.append(
            f"{rank} of {min(n_classes, n_dims)} directions of the last layer are kept, as its"
            " other singular values are almost zero"
        )
    return notes


def _call(roles: Roles, layer: str) -> Call:
    if layer == "conv5" and roles.conv5 is not None:
        return roles.conv5
    return roles.earlier[layer]


def _keep_made(made: list[Tensor]) -> Callable[[nn.Module, Any, Tensor], None]:
    def keep(_: nn.Module, __: Any, answer: Tensor) -> None:
        made.append(answer)

    return keep


def _keep_given(given: list[Tensor]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def keep(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        given.append(arguments[0])

    return keep
