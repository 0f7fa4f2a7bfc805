"""What a network is asked about: the samples of a split, and what is to become of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from attncli.config.evaluate import ONE_LOOK, Views
from attncli.data.samples import UNKNOWN_LABEL


@dataclass(frozen=True)
class Asked:
    """The samples of one split, and what the answers to them are kept by."""

    samples: Sequence[Any]
    """The samples, of the kind that the evaluation is for; batches name them by their rows."""
    classes: tuple[str, ...]
    """Class names in the order of the class scores."""
    attention: tuple[str, ...] = ()
    """Kinds of attention that the network makes."""
    weights: Path | None = None
    """Weights that answer, and whose class scores have to be finite; None asks for neither."""
    may_know: bool = True
    """Whether maps may be of the classes that a sample is labelled with; else of those that the
    network says it shows."""
    keep: Path | None = None
    """Directory for what is too large for memory; None keeps none of it."""
    apart: frozenset[int] | None = None
    """Classes that get figures of their own, and so do all others; None gives all together."""
    views: Views = ONE_LOOK
    """How images are looked at where each pixel is told a class."""
    unmatched: Literal["skip", "zero"] = "skip"
    """What a query counts for whose person is in the gallery by no other camera: nothing, or 0."""
    multi_query: bool = False
    """Whether all query images of a person by a camera are one query."""

    def class_name(self, label: int) -> str:
        """Return the name of a class; empty for that of a sample without one."""
        return "" if label == UNKNOWN_LABEL else self.classes[label]
