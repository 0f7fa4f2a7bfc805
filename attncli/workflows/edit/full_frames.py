"""Frames of a run's videos as large pictures, for whoever edits them."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from attncli.config.edit_temporal import SelectConfig
from attncli.errors import AttncliError

JPEG_QUALITY = 92
AHEAD = 16
"""Frames that are read at once: a video cannot be entered anywhere, and the next are asked next."""
KEPT = 200
"""Large pictures that are kept."""


class RunPictures:
    """Reads frames of videos; for one thread.

    Args:
        find: Returns where each video is, by id; called when the first picture is asked for, as it
            may take seconds.
        n_frames: Number of frames of each video.
    """

    def __init__(self, find: Callable[[], Mapping[str, Path]], n_frames: Mapping[str, int]) -> None:
        self._find = find
        self._n_frames = n_frames
        self._paths: Mapping[str, Path] | None = None
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def picture(self, clip_id: str, frame: int) -> bytes:
        """Return a frame, counted from 0, as JPEG.

        Raises:
            AttncliError: The run or its dataset is gone, or the video cannot be read.
        """
        if (clip_id, frame) not in self._kept:
            self._read(clip_id, frame)
        return self._kept[clip_id, frame]

    def _read(self, clip_id: str, frame: int) -> None:
        from attncli.data.video.reading import read_frames

        path = self._path(clip_id)
        frames = range(frame, min(frame + AHEAD, self._n_frames[clip_id]))
        try:
            images = read_frames(path, list(frames))
        except IndexError:
            what = f"has fewer than the {self._n_frames[clip_id]} frames it had"
            raise AttncliError(what, where=path, remedy="select clips anew") from None
        self._kept |= {
            (clip_id, number): _jpeg(image) for number, image in zip(frames, images, strict=True)
        }
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _path(self, clip_id: str) -> Path:
        if self._paths is None:
            self._paths = self._find()
        if clip_id not in self._paths:
            raise AttncliError("no such video in the run's dataset any more", where=clip_id)
        return self._paths[clip_id]


def pictures_of_run(settings: SelectConfig, n_frames: Mapping[str, int]) -> RunPictures:
    """Return the large pictures of a run's videos; nothing is opened before the first one.

    Args:
        settings: How the clips were chosen, and from which run.
        n_frames: Number of frames of each clip, by id.
    """
    return RunPictures(partial(_find, settings, frozenset(n_frames)), n_frames)


def _find(settings: SelectConfig, ids: frozenset[str]) -> Mapping[str, Path]:
    """Return where the videos of a run's dataset are, by id."""
    # Imported where pictures are asked for alone: torch takes seconds.
    from attncli.files.runs import load
    from attncli.workflows.runs.source import open_source

    run = load(settings.run)
    dataset = open_source(run.method, run.config, run.directory.path).open(settings.split)
    return {sample.id: sample.path for sample in dataset.samples if sample.id in ids}


def _jpeg(image: np.ndarray) -> bytes:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()
