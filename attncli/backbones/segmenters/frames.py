"""What a segmenter is given and what it answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from attncli.errors import UsageError
from attncli.files.masks import FrameMasks


@dataclass(frozen=True)
class SourceFrame:
    """A frame of a video on its way through a segmenter."""

    index: int
    """Position in the video, counted from 0."""
    pixels: UInt8[np.ndarray, "h w 3"]
    """RGB values."""
    is_wanted: bool
    """Whether its masks are asked for; a skipped frame may still say how the camera moved."""


@runtime_checkable
class Segmenter(Protocol):
    """Finds the instances in the frames of one video after another."""

    def segment(self, frames: Iterable[SourceFrame]) -> Iterator[FrameMasks]:
        """Yield the masks of the wanted frames, in order, holding a bounded number of frames."""
        ...


def check_classes(names: Sequence[str], known: Sequence[str]) -> None:
    """Make sure that every one of `names` is a class the backend knows.

    Raises:
        UsageError: One is not; the message names classes of similar name.
    """
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.5)
            if near:
                remedy = f"did you mean {' or '.join(map(repr, near))}?"
            else:
                remedy = f"there are {', '.join(known)}"
            raise UsageError(f"no such class: {name!r}", where="--classes", remedy=remedy)
