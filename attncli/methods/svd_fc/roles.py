"""Which modules of a classifier give its layers, found by what they answer to one image.

Libraries name their layers as they like. What a layer is shows while the network looks at an image:
how many pixels a cell of a map stands for, which map is pooled, which weight comes last.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import log2
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from attncli.errors import UsageError, reason

STRIDES = {"conv2": 4, "conv3": 8, "conv4": 16}
"""How many pixels a cell of a map stands for, by layer."""
SMALLEST_PX = 64
"""Side of images from which on maps at a stride of 32 have more cells than one."""
RTOL = 1e-3
"""Part of the largest value by which a pooled map may differ from what it is compared with."""


@dataclass(frozen=True)
class Call:
    """What a module made of the image, one of the times it was asked."""

    module: nn.Module
    """The module."""
    turn: int
    """How many times it was asked before."""
    begun: int
    """How many other calls had ended when this one began: those from there on are within it."""
    given: Tensor | None
    """The first tensor it was given."""
    made: Tensor
    """What it made of it, as later steps in place left it."""


@dataclass(frozen=True)
class Head:
    """The last weight of a network, and what it acts on."""

    call: Call
    """The call of its module."""
    weight: Tensor
    """W, without bias, k x d."""
    vector: Tensor
    """What it is applied to, 1 x d: a map's mean where it acts on a map."""


@dataclass(frozen=True)
class Roles:
    """The calls that give a network's layers."""

    head: Head
    """The last weight."""
    conv5: Call | None
    """Gives the last map; None where there is none."""
    is_pooled: bool = False
    """Whether the last weight acts on that map's mean, so that it can act on its cells."""
    earlier: dict[str, Call] = field(default_factory=dict)
    """Give the maps before, by layer: those there are."""
    why_not: str = ""
    """Why there is no last map."""


def find_roles(network: nn.Module, image: UInt8[Tensor, "1 3 h w"], *, name: str) -> Roles:
    """Return what gives the layers of a classifier.

    `conv5` is the last map before the last weight, that whose mean the weight acts on where there
    is one. `conv2` to `conv4` are the last ones at strides of 4, 8 and 16, where those within a
    step to the next stride do not count: they belong to the next stage. Where the network is
    dilated, so that later stages keep the grid, they are what the later stage is given.

    Args:
        network: Takes images of RGB values 0-255, and answers with class scores; in evaluation
            mode.
        image: One that is not of one colour.
        name: What to call the network in messages.

    Raises:
        UsageError: The network cannot take the image, or ends in no linear layer.
    """
    calls, scores = _watched(network, image, name)
    head = _head(calls, scores, name)
    before = calls[: calls.index(head.call)]
    # VGG's pool makes a grid of one size whatever the image: no map of its own.
    grids = [call for call in before if not isinstance(call.module, nn.AdaptiveAvgPool2d)]
    maps = [call for call in grids if is_map(call.made)]
    is_mean = [call for call in maps if _same(pooled(call.made), head.vector)]
    if not is_mean and min(image.shape[2:]) < SMALLEST_PX:
        what = f"images of {image.shape[3]} x {image.shape[2]} px are too small to find its maps by"
        return Roles(head, None, why_not=what)
    if not maps:
        return Roles(head, None, why_not="it has none")
    conv5 = (is_mean or maps)[-1]
    end = before.index(conv5) + 1
    if not is_mean and any(call.made.ndim == 3 for call in before[end:]):
        return Roles(head, None, why_not="it goes on from its first map with tokens")
    return Roles(head, conv5, bool(is_mean), _earlier(before[:end], conv5, image))


def is_map(x: Tensor) -> bool:
    """Return whether a tensor has channels over a grid of more than one cell."""
    return x.ndim == 4 and x.shape[2] * x.shape[3] > 1


def pooled(x: Tensor) -> Tensor:
    """Return the mean over cells of maps, b x c; vectors as they are."""
    return x.mean((2, 3)) if x.ndim == 4 else x


def _watched(
    network: nn.Module, image: UInt8[Tensor, "1 3 h w"], name: str
) -> tuple[list[Call], Tensor]:
    """Return all calls of modules, in the order in which they end, and the scores."""
    calls: list[Call] = []
    with _watching(network, calls), torch.inference_mode():
        try:
            scores = network(image)
        except (RuntimeError, ValueError, AssertionError) as error:
            height, width = image.shape[2:]
            what = f"{name} cannot take images of {width} x {height} px ({reason(error)})"
            remedy = "use the size it was made for"
            raise UsageError(what, where="--crop-px", remedy=remedy) from error
    return calls, scores


@contextmanager
def _watching(network: nn.Module, calls: list[Call]) -> Iterator[None]:
    begun: list[int] = []
    turns: Counter[nn.Module] = Counter()

    def begin(_: nn.Module, __: Any) -> None:
        begun.append(len(calls))

    def end(module: nn.Module, given: Any, made: Any) -> None:
        start = begun.pop()
        if isinstance(made, Tensor):
            first = given[0] if given and isinstance(given[0], Tensor) else None
            calls.append(Call(module, turns[module], start, first, made))
        turns[module] += 1

    hooks = [module.register_forward_pre_hook(begin) for module in network.modules()]
    hooks += [module.register_forward_hook(end) for module in network.modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _head(calls: Sequence[Call], scores: Tensor, name: str) -> Head:
    """Return the last weight, if it is that of a linear layer whose answers are the scores."""
    last = next((call for call in reversed(calls) if _is_linear(call)), None)
    if last is None or last.given is None or not _makes(last, scores):
        what = f"{name} ends in no linear layer, whose weight could be made orthonormal"
        raise UsageError(what, where="--network", remedy="use another network")
    weight = last.module.get_parameter("weight").detach().flatten(1)
    return Head(last, weight, pooled(last.given))


def _is_linear(call: Call) -> bool:
    """Return whether a call is of a layer that is linear in a vector, or in each cell of a map."""
    module, given = call.module, call.given
    if given is None:
        return False
    if isinstance(module, nn.Conv2d):
        return module.kernel_size == (1, 1) and module.groups == 1
    return isinstance(module, nn.Linear) and given.ndim == 2


def _makes(call: Call, scores: Tensor) -> bool:
    """Return whether a linear layer makes scores, or their maps that are averaged after it."""
    if isinstance(call.module, nn.Linear):
        return call.made.shape == scores.shape
    # Made anew, as a step in place may follow: SqueezeNet rectifies its maps before it pools them.
    with torch.inference_mode():
        return _same(pooled(call.module.forward(call.given)), scores)


def _earlier(
    calls: Sequence[Call], conv5: Call, image: UInt8[Tensor, "1 3 h w"]
) -> dict[str, Call]:
    """Return what gives the maps before the last, from the latest on."""
    coarsest = _stride(conv5.made, image) or 2 * max(STRIDES.values())
    found: dict[str, Call] = {}
    later: Call | None = conv5
    for layer, stride in reversed(STRIDES.items()):
        if stride < coarsest:
            later = _last_of_stride(calls, stride, image)
        elif later is not None:
            later = _stage_before(calls, later, image)
        if later is not None:
            found[layer] = later
    return found


def _last_of_stride(
    calls: Sequence[Call], stride: int, image: UInt8[Tensor, "1 3 h w"]
) -> Call | None:
    """Return the last call that makes a map of a stride, outside of steps to the next stride."""
    made = [_stride(call.made, image) for call in calls]
    within: set[int] = set()
    for index, call in enumerate(calls):
        if made[index] == 2 * stride and _stride(call.given, image) == stride:
            within |= set(range(call.begun, index))
    there = [index for index, found in enumerate(made) if found == stride]
    outside = [index for index in there if index not in within]
    return calls[(outside or there)[-1]] if there else None


def _stage_before(
    calls: Sequence[Call], later: Call, image: UInt8[Tensor, "1 3 h w"]
) -> Call | None:
    """Return what made the map that the outermost module is given that makes a later one of it."""
    stride = _stride(later.made, image)
    for stage in reversed(calls):
        given = stage.given
        if not _is_one(stage.made, later.made) or _is_one(given, later.made):
            continue
        if given is not None and _stride(given, image) == stride:
            return next((call for call in reversed(calls) if _is_one(call.made, given)), None)
    return None


def _stride(x: Tensor | None, image: UInt8[Tensor, "1 3 h w"]) -> int | None:
    """Return the power of two that is next to the pixels a cell stands for; None for no map."""
    if x is None or not is_map(x):
        return None
    rows, columns = (
        round(log2(pixels / cells))
        for pixels, cells in zip(image.shape[2:], x.shape[2:], strict=True)
    )
    return int(2**rows) if rows == columns else None


def _same(a: Tensor, b: Tensor) -> bool:
    """Return whether values are the same but for rounding."""
    return a.shape == b.shape and bool((a - b).abs().max() <= RTOL * b.abs().max())


def _is_one(a: Tensor | None, b: Tensor) -> bool:
    """Return whether two tensors are the same memory: some layers hand on what they are given."""
    return a is not None and a.data_ptr() == b.data_ptr() and a.shape == b.shape
