"""What passes from data to training and evaluation: samples of one batch, as read from disk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from attncli.errors import Failure, Remark

T = TypeVar("T")
S = TypeVar("S", bound="_OfTensors")


@runtime_checkable
class Batch(Protocol):
    """All that loops and readers need to know of the samples of a batch."""

    @property
    def rows(self) -> Int64[Tensor, " b"]:
        """Position of each sample in its dataset."""
        ...

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Samples of this batch that could not be read, and so are not in it."""
        ...

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """Samples of this batch that may not be what they should be."""
        ...

    def to(self: T, device: torch.device) -> T:
        """Return the batch with its tensors on `device`, copied without waiting."""
        ...

    def pin_memory(self: T) -> T:
        """Return the batch in page-locked memory, which a GPU fetches while the CPU goes on."""
        ...


B = TypeVar("B", bound=Batch)
B_contra = TypeVar("B_contra", bound=Batch, contravariant=True)
B_co = TypeVar("B_co", bound=Batch, covariant=True)


@dataclass(frozen=True)
class _OfTensors:
    """A batch whose fields are tensors, mappings to tensors, or stay on the host."""

    def to(self: S, device: torch.device) -> S:
        """Return the batch with its tensors on `device`, copied without waiting."""
        return self._with_tensors(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self: S) -> S:
        """Return the batch in page-locked memory, which a GPU fetches while the CPU goes on."""
        return self._with_tensors(Tensor.pin_memory)

    def _with_tensors(self: S, change: Callable[[Tensor], Tensor]) -> S:
        changed: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Tensor):
                changed[each.name] = change(value)
            elif isinstance(value, Mapping):
                changed[each.name] = {name: change(tensor) for name, tensor in value.items()}
        return replace(self, **changed)


@dataclass(frozen=True)
class ClipBatch(_OfTensors):
    """Clips of videos with one class each."""

    frames: UInt8[Tensor, "b 3 t h w"]
    """RGB values 0-255, channels-last in memory."""
    labels: Int64[Tensor, " b"]
    """Class of each clip; -1 where the dataset gives none."""
    rows: Int64[Tensor, " b"]
    """Position of each clip in its dataset."""
    frame_indices: Int64[Tensor, "b t"]
    """Position of each frame in its video, counted from 0 in presentation order."""
    crops: Float[Tensor, "b 4"]
    """Part of the source frame that the clip shows: left, top, right, bottom in source pixels."""
    flips: Bool[Tensor, " b"]
    """Whether the clip is mirrored left to right."""
    guides: Mapping[str, Tensor] = field(default_factory=dict)
    """What the attention of training clips is guided by, see `attncli.data.clips.guides`."""
    failures: tuple[Failure, ...] = ()
    """Clips of this batch that could not be read, and so are not in it."""
    remarks: tuple[Remark, ...] = ()
    """Clips of this batch that may not be what they should be."""


@dataclass(frozen=True)
class ImageBatch(_OfTensors):
    """Images, each with any number of classes."""

    images: UInt8[Tensor, "b 3 h w"]
    """RGB values 0-255, channels-last in memory."""
    labels: Bool[Tensor, "b k"]
    """Whether each image shows each class."""
    rows: Int64[Tensor, " b"]
    """Position of each image in its dataset."""
    label_maps: Mapping[str, UInt8[Tensor, "b _ _"]] = field(default_factory=dict)
    """Class of each pixel, or of each small square of them, by where it is known from, such as
    `truth` or `seed`: 0 is the background, class i of the dataset is i + 1, 255 counts for
    nothing."""
    small_images: UInt8[Tensor, "b 3 hs ws"] | None = None
    """The images without changed colours, a pixel for each label of `label_maps`."""
    failures: tuple[Failure, ...] = ()
    """Images of this batch that could not be read, and so are not in it."""
    remarks: tuple[Remark, ...] = ()
    """Images of this batch that may not be what they should be."""
