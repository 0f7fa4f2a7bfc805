"""What a run says of clips or images of one's own, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

Map = Float32[np.ndarray, "_ _"]


@dataclass(frozen=True, repr=False)
class Answer:
    """What a run says of some clips or images."""

    scores: Float32[np.ndarray, "n k"]
    """Probability of each class, in [0, 1], a row a clip or image: what `attncli eval` writes to
    `predictions.csv`. Of clips, a row sums to 1; of images, each class stands for itself."""
    classes: tuple[str, ...]
    """Names of the classes, in the order of the columns."""
    spatial: Float32[np.ndarray, "m t hm wm"] | None = None
    """Spatial attention of each frame of each clip, in [0, 1], at the map's own resolution; None
    where the network has none. A face sequence that was read from a file has a row a clip."""
    temporal: Float32[np.ndarray, "m t"] | None = None
    """Temporal attention of each frame of each clip, in [0, 1]; None where there is none."""
    attention_scores: Float32[np.ndarray, "n k"] | None = None
    """The same as `scores`, of the attention branch; None where there is none."""
    maps: tuple[Mapping[str, Map], ...] = ()
    """Of images: where each class that the image is said to show is seen, by its name, in [0, 1],
    of the image's size. Of clips: nothing."""

    def __repr__(self) -> str:
        """Return how many answers there are and what they hold, without the numbers."""
        names = ("spatial", "temporal", "attention_scores")
        held = {name: getattr(self, name) for name in ("scores", *names)}
        shapes = [f"{name} {array.shape}" for name, array in held.items() if array is not None]
        return f"Answer({len(self.scores)} of {len(self.classes)} classes: {', '.join(shapes)})"

    @property
    def predicted(self) -> tuple[str, ...]:
        """Name of the most probable class of each clip or image."""
        return tuple(self.classes[best] for best in self.scores.argmax(axis=1))


def joined(parts: Sequence[Answer]) -> Answer:
    """Return the answers to several batches as one, in their order.

    Args:
        parts: At least one answer; all of the same network.
    """
    return Answer(
        scores=np.concatenate([part.scores for part in parts]),
        classes=parts[0].classes,
        spatial=_concatenated([part.spatial for part in parts]),
        temporal=_concatenated([part.temporal for part in parts]),
        attention_scores=_concatenated([part.attention_scores for part in parts]),
        maps=tuple(maps for part in parts for maps in part.maps),
    )


def _concatenated(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if known else None
