"""What the page for spatial attention asks for, and is told.

===========================  ====================================================================
`GET /`                      the page, and below it the files it is made of
`GET /api/session`           the clips, and how many of their frames are edited
`GET /api/clips/ID`          masks of the edited frames, and the network's own attention
`GET /api/candidates/ID/N`   instance masks of frame N, counted from 0, to choose from
`PATCH /api/clips/ID`        new masks of some frames; answered once they are on disk
`GET /frames/ID/N`           picture of frame N
===========================  ====================================================================

A mask is a list of runs, see `painted.Runs`; attention is a byte a cell, 255 for 1.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import numpy as np
from jaxtyping import Bool

from attncli.editor.painted import PaintedMasks, mask_of, runs_of
from attncli.editor.responses import (
    RefusedError,
    Response,
    json_response,
    known,
    page_file,
    parsed,
    picture,
)
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory

PAGE = "spatial_page"


@dataclass(frozen=True)
class SpatialApi:
    """Answers the page's requests; several threads may ask at once."""

    directory: SpatialEditDirectory
    """Where the clips, their pictures and their attention are."""
    clips: Mapping[str, SpatialClip]
    """Clips to be edited, by id, in their order."""
    painted: PaintedMasks
    """Where the edits go."""

    def respond(self, method: str, path: str, body: bytes = b"") -> Response:
        """Return the response to a request that has every right to be made.

        Args:
            method: Such as `GET`.
            path: Path of the address, still percent-encoded.
            body: What was sent with it.

        Raises:
            RefusedError: There is no such thing, or it is asked for in no such way.
            AttncliError: A change cannot be made, or a file cannot be read; the message says why.
            OSError: The edits cannot be written.
        """
        match method, *(unquote(part) for part in path.split("/")[1:]):
            case "GET", "api", "session":
                return json_response(self._session())
            case "GET", "api", "clips", id_:
                return json_response(self._clip(known(self.clips, id_)))
            case "GET", "api", "candidates", id_, number:
                return json_response(self._candidates(known(self.clips, id_), number))
            case "PATCH", "api", "clips", id_:
                return json_response(self._change(known(self.clips, id_), parsed(body)))
            case "GET", "frames", id_, number:
                return picture(self.directory, known(self.clips, id_), number)
        return page_file(PAGE, method, path)

    def _session(self) -> dict[str, Any]:
        return {
            "directory": str(self.directory.path),
            "file": str(self.directory.edits.root),
            "clips": [
                {
                    "id": clip.id,
                    "label": clip.label,
                    "predicted": clip.predicted,
                    "frames": clip.frames,
                    "fps": clip.fps,
                    "width": clip.width,
                    "height": clip.height,
                    "edited": len(self.painted.of(clip.id)),
                }
                for clip in self.clips.values()
            ],
        }

    def _clip(self, clip: SpatialClip) -> dict[str, Any]:
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

    def _candidates(self, clip: SpatialClip, number: str) -> list[dict[str, Any]]:
        source = self.directory.candidates
        if not number.isdecimal() or len(number) > 9 or int(number) >= clip.frames:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"clip {clip.id!r} has no frame {number!r}")
        if not source.finished(clip.id):
            return []
        (masks,) = source.at(clip.id, [int(number)], size_hw=clip.size_hw)
        return [
            {
                "category": instance.category,
                "score": instance.score,
                "runs": runs_of(instance.mask(clip.size_hw)),
            }
            for instance in masks.instances
        ]

    def _change(self, clip: SpatialClip, wanted: Any) -> dict[str, Any]:
        changes = wanted.get("changes") if isinstance(wanted, dict) else None
        try:
            masks = [_change(item, clip) for item in changes or ()]
        except (TypeError, ValueError) as error:
            reason = f"changes are pairs of a frame and the runs of a mask, or null: {error}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, reason) from None
        if not masks:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "there are no changes")
        self.painted.change(clip, masks)
        return {"edited": len(self.painted.of(clip.id))}


def _change(item: Any, clip: SpatialClip) -> tuple[int, Bool[np.ndarray, "h w"] | None]:
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
