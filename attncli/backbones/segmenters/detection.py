"""What every detector of still images shares: batches, the choice of detections, their form."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from attncli.backbones.segmenters.frames import SourceFrame
from attncli.config.segment import SegmentConfig
from attncli.files.masks import FrameMasks, Instance


@dataclass(frozen=True)
class Detections:
    """What a detector finds in one image."""

    labels: Int64[Tensor, " n"]
    """Position of each object's class in the detector's classes."""
    scores: Float[Tensor, " n"]
    """How sure the detector is, in [0, 1]."""
    masks: Bool[Tensor, "n h w"]
    """Pixels of each object, at the image's own size."""


Detect = Callable[[Sequence[UInt8[np.ndarray, "h w 3"]]], list[Detections]]
"""Finds the objects in RGB images of one size."""


@dataclass(frozen=True)
class DetectionSegmenter:
    """Segments each frame by itself."""

    detect: Detect
    """The detector."""
    categories: tuple[str, ...]
    """Names of its classes."""
    config: SegmentConfig
    """Which detections are kept."""
    batch_size: int
    """Frames in one pass."""

    def segment(self, frames: Iterable[SourceFrame]) -> Iterator[FrameMasks]:
        """Yield the masks of the wanted frames, in order."""
        batch: list[SourceFrame] = []
        for frame in frames:
            if frame.is_wanted:
                batch.append(frame)
            if len(batch) == self.batch_size:
                yield from self._answer(batch)
                batch = []
        if batch:
            yield from self._answer(batch)

    def _answer(self, batch: Sequence[SourceFrame]) -> Iterator[FrameMasks]:
        with torch.inference_mode():
            found = self.detect([frame.pixels for frame in batch])
        for frame, detections in zip(batch, found, strict=True):
            height, width = frame.pixels.shape[:2]
            yield FrameMasks(frame.index, (height, width), self._instances(detections))

    def _instances(self, found: Detections) -> tuple[Instance, ...]:
        labels, scores = found.labels.tolist(), found.scores.tolist()
        area_px = found.masks.sum(dim=(1, 2)).tolist()
        kept = [
            row
            for row, label in enumerate(labels)
            if scores[row] >= self.config.score_threshold
            and area_px[row] >= max(self.config.min_area_px, 1)
            and (not self.config.classes or self.categories[label] in self.config.classes)
        ]
        masks = found.masks[kept].cpu().numpy()
        return tuple(
            Instance.of(mask, category=self.categories[labels[row]], score=scores[row])
            for mask, row in zip(masks, kept, strict=True)
        )
