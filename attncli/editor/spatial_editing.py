"""Editing of spatial attention: what its page is told besides what `editor.api` tells every page.

===========================  ====================================================================
`GET /api/candidates/ID/N`   instance masks of frame N, counted from 0, to choose from
===========================  ====================================================================

A mask is a list of runs, see `painted.Runs`; attention is a byte a cell, 255 for 1.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np

from attncli.editor.api import Editing
from attncli.editor.painted import Mask, Painted, mask_of, runs_of
from attncli.editor.responses import RefusedError, frame_position
from attncli.editor.store import EditStore
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory


@dataclass(frozen=True)
class SpatialEditing(Editing[SpatialClip]):
    """Paints where attention belongs in the frames of a clip."""

    directory: SpatialEditDirectory
    """Where the network's attention and masks to choose from are."""
    painted: EditStore[Painted, Mask]
    """Where the edits go."""

    page = "spatial_page"

    @property
    def place(self) -> Path:
        """Directory of the painted masks."""
        return self.painted.place

    def progress(self, clip: SpatialClip) -> dict[str, int]:
        """Return how many frames of a clip are edited."""
        return {"edited": len(self.painted.of(clip.id))}

    def clip(self, clip: SpatialClip) -> dict[str, Any]:
        """Return the mask of each frame of a clip, null where it is not edited, and attention."""
        attention = self.directory.read_attention(clip)
        cells = (attention.maps.astype(np.float32) * 255).round().astype(np.uint8)
        masks = {n: runs_of(masks.union()) for n, masks in self.painted.of(clip.id).items()}
        return {
            "masks": [masks.get(frame) for frame in range(clip.frames)],
            "attention": {
                "rows": cells.shape[1],
                "columns": cells.shape[2],
                "crop": attention.crop,
                "cells": b64encode(cells.tobytes()).decode("ascii"),
            },
        }

    def change(self, clip: SpatialClip, changes: Any) -> dict[str, Any]:
        """Give frames of a clip new masks, and return how many of them are edited."""
        try:
            masks = [_change(item, clip) for item in changes or ()]
        except (TypeError, ValueError):
            reason = (
                f"changes must be pairs of a frame from 0 to {clip.frames - 1} and null, or the"
                f" runs of a mask of {clip.size_hw[1]}x{clip.size_hw[0]} pixels"
            )
            raise RefusedError(HTTPStatus.BAD_REQUEST, reason) from None
        if not masks:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "holds no changes")
        return {"edited": len(self.painted.change(clip.id, masks))}

    def lookups(self) -> Mapping[str, Callable[[SpatialClip, str], Any]]:
        """Return the look-up of masks to choose from."""
        return {"candidates": self._candidates}

    def _candidates(self, clip: SpatialClip, number: str) -> list[dict[str, Any]]:
        position = frame_position(clip, number)
        source = self.directory.candidates
        if not source.finished(clip.id):
            return []
        (masks,) = source.at(clip.id, [position], size_hw=clip.size_hw)
        return [
            {
                "category": instance.category,
                "score": instance.score,
                "runs": runs_of(instance.mask(clip.size_hw)),
            }
            for instance in masks.instances
        ]


def _change(item: Any, clip: SpatialClip) -> tuple[int, Mask]:
    """Return a frame and its new mask.

    Raises:
        TypeError: It is no pair of these.
        ValueError: The frame or the runs are not of this clip.
    """
    frame, runs = item
    if type(frame) is not int or not 0 <= frame < clip.frames:
        raise ValueError(f"frames are 0 to {clip.frames - 1}")
    if runs is None:
        return frame, None
    if not isinstance(runs, list) or not runs or not all(type(run) is int for run in runs):
        raise TypeError("runs are whole numbers")
    return frame, mask_of(runs, clip.size_hw)
