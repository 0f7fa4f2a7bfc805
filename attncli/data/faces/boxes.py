"""Where the face is in a sequence of frames: a square found in its first frame, kept for all.

People hardly move their heads from the neutral frame to the apex, and a square that followed the
face would hide how it moves. It is found in one of four ways.

- `landmarks`: 68 points of the first frame, as CK+ has them. They end at the chin and at the
  brows, so that their bounding box is first extended upwards by a quarter of its height, for the
  forehead; the square is 1.2 times as large as the longer side of that, since the jaw drops later.
- `detector`: the largest face that scikit-image's cascade of local binary patterns finds in the
  first frame, reduced to a short side of 240 pixels. The cascade's window ends below the lip, so
  that the square is 1.2 times as large too.
- `centre`: the largest square at the centre of the frame.
- `none`: the picture is a face already. It is taken as a whole; where it is no square, the largest
  one at its centre, since faces are never stretched.

Squares lie inside the frame: one that is too large is reduced, one that sticks out is moved.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image

from attncli.config.ram import FaceCrop
from attncli.data.layouts.ckplus import pictures_are_faces
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.scaling import reduced_hw
from attncli.data.video.reading import (
    UnreadableVideoError,
    folder_frames,
    frame_size_hw,
    iterate_frames,
)
from attncli.errors import AttncliError, reason
from attncli.files.faces import FaceBox, FaceSource, read_face_boxes, write_face_boxes
from attncli.files.text import lines_of
from attncli.machine import usable_cores
from attncli.reporting import Reporter

N_LANDMARKS = 68
"""Points of a face in CK+."""
FOREHEAD = 0.25
"""What is added above the brows, in heights of the landmarks' bounding box."""
MARGIN = 1.2
"""Side of the square over the longer side of the face found in it."""
DETECTION_SHORT_SIDE_PX = 240
"""What frames are reduced to before faces are looked for."""
SMALLEST_FACE = 1 / 6
"""Side of the smallest face that is looked for or believed, in short sides of the frame."""

_WINDOW_PX = 24
"""Side of the smallest face that the cascade knows."""


@dataclass(frozen=True)
class Faces:
    """The square of each sequence that could be read so far."""

    boxes: Mapping[str, FaceBox]
    """By the sequence's id; sequences that cannot be read have none."""

    def notes(self) -> tuple[str, ...]:
        """Return how many faces were found in which way; nothing where there are none.

        >>> Faces({"S005/001": FaceBox("centre", 75, 0, 565, 490)}).notes()
        ('faces of 1 sequences by centre',)
        """
        counts = Counter(face.source for face in self.boxes.values())
        found = [(counts[source], source) for source in get_args(FaceSource) if counts[source]]
        words = [f"{n} by {source}" if source != "none" else f"{n} uncut" for n, source in found]
        if not words:
            return ()
        n, rest = words[0].split(" ", 1)
        return (", ".join((f"faces of {n} sequences {rest}", *words[1:])),)


def find_faces(dataset: VideoDataset, crop: FaceCrop, *, reporter: Reporter) -> Faces:
    """Return the square that holds the face of each sequence.

    Args:
        dataset: The sequences, a sample each.
        crop: How to find it. `auto` takes `none` for CK+48 and else the first of `landmarks`,
            `detector` and `centre` that there is, for each sequence by itself.
        reporter: Where progress is shown.

    Raises:
        AttncliError: `crop` is `landmarks` or `detector` and a sequence has none or no face is
            found in it, or a file of landmarks is malformed.
    """
    samples = dataset.samples
    pool = ThreadPoolExecutor(max(2, min(8, usable_cores())))
    try:
        jobs = [pool.submit(_find, dataset, sample, crop) for sample in samples]
        boxes = {}
        tracked = reporter.track(
            zip(samples, jobs, strict=True),
            label="looking for faces",
            total=len(jobs),
            unit="sequences",
        )
        for sample, job in tracked:
            if (box := job.result()) is not None:
                boxes[sample.id] = box
        return Faces(boxes)
    finally:
        pool.shutdown(cancel_futures=True)


def write_faces(path: Path, faces: Faces) -> None:
    """Write the `faces.csv` of a run."""
    write_face_boxes(path, faces.boxes)


def read_faces(path: Path, dataset: VideoDataset) -> Faces:
    """Return the faces in the `faces.csv` of a run on the same dataset.

    Sequences that could not be read in that run have none.

    Raises:
        AttncliError: The file is missing, malformed, or names a sequence that the dataset does not
            have; the message names the line.
    """
    known = {sample.id for sample in dataset.samples}
    return Faces(read_face_boxes(path, known=known))


def _find(dataset: VideoDataset, sample: VideoSample, crop: FaceCrop) -> FaceBox | None:
    """Return the square of one sequence; None where its first frame cannot be read."""
    try:
        size_hw = frame_size_hw(sample.path, files=sample.files)
        if crop == "auto":
            return _first_there_is(dataset, sample, size_hw)
        found = _by(crop, sample, size_hw)
    except UnreadableVideoError:
        return None
    if found is None:
        missing = (
            f"has no landmarks of its first frame in {sample.landmarks or 'Landmarks/'}"
            if crop == "landmarks"
            else "no face is found in its first frame"
        )
        raise AttncliError(
            f"sequence {sample.id!r}: {missing}",
            where=sample.path,
            remedy="use --face-crop auto or centre",
        )
    return found


def _first_there_is(
    dataset: VideoDataset, sample: VideoSample, size_hw: tuple[int, int]
) -> FaceBox:
    if pictures_are_faces(dataset, sample):
        return _centred("none", size_hw)
    return (
        _by("landmarks", sample, size_hw)
        or _by("detector", sample, size_hw)
        or _centred("centre", size_hw)
    )


def _by(source: FaceSource, sample: VideoSample, size_hw: tuple[int, int]) -> FaceBox | None:
    if source == "landmarks":
        file = _landmarks_file(sample)
        return None if file is None else landmarks_box(file, size_hw)
    if source == "detector":
        return detected_box(next(iterate_frames(sample.path, files=sample.files)))
    return _centred(source, size_hw)


def _landmarks_file(sample: VideoSample) -> Path | None:
    """Return the landmarks of a sequence's first frame; None where there are none."""
    if sample.landmarks is None:
        return None
    first = (sample.files or folder_frames(sample.path))[0]
    file = sample.landmarks / f"{first.stem}_landmarks.txt"
    return file if file.exists() else None


def landmarks_box(file: Path, size_hw: tuple[int, int]) -> FaceBox:
    """Return the square around the face whose landmarks are in a file.

    Args:
        file: 68 lines of column and row, in pixels.
        size_hw: Rows and columns of the frame.

    Raises:
        AttncliError: The file is malformed, or the face's centre is not in the frame.
    """
    points = _read_landmarks(file)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    top -= FOREHEAD * (bottom - top)
    centre_xy = (left + right) / 2, (top + bottom) / 2
    height, width = size_hw
    if not (0 <= centre_xy[0] <= width and 0 <= centre_xy[1] <= height):
        raise AttncliError(
            f"landmarks lie outside a frame of {width}x{height} pixels",
            where=file,
            remedy="use CK+'s own file, or --face-crop detector",
        )
    side = MARGIN * max(right - left, bottom - top)
    if side < SMALLEST_FACE * min(size_hw):
        raise AttncliError(
            f"landmarks span {right - left:.0f}x{bottom - top:.0f} pixels, too few for a face",
            where=file,
            remedy="use CK+'s own file, or --face-crop detector",
        )
    return _square("landmarks", centre_xy, side, size_hw)


def detected_box(frame: UInt8[np.ndarray, "h w 3"]) -> FaceBox | None:
    """Return the square around the largest face that the detector finds in a frame, if any."""
    size_hw = frame.shape[0], frame.shape[1]
    grid_hw = reduced_hw(size_hw, DETECTION_SHORT_SIDE_PX)
    grey = Image.fromarray(frame).convert("L").resize(grid_hw[::-1], Image.Resampling.BILINEAR)
    short_px = min(grid_hw)
    smallest_px = max(_WINDOW_PX, round(SMALLEST_FACE * short_px))
    if short_px < smallest_px:
        return None
    found: Sequence[Mapping[str, int]] = _cascade().detect_multi_scale(
        img=np.array(grey),
        scale_factor=1.1,
        step_ratio=1,
        min_size=(smallest_px, smallest_px),
        max_size=(short_px, short_px),
    )
    if not found:
        return None
    face = max(found, key=lambda f: (f["width"] * f["height"], -f["r"], -f["c"]))
    scale = min(size_hw) / short_px
    centre_xy = (
        scale * (face["c"] + face["width"] / 2),
        scale * (face["r"] + face["height"] / 2),
    )
    side = MARGIN * scale * max(face["width"], face["height"])
    return _square("detector", centre_xy, side, size_hw)


def _read_landmarks(file: Path) -> Float64[np.ndarray, "68 2"]:
    try:
        rows = [line.split() for line in lines_of(file.read_text(encoding="ascii"))]
        points = [[float(word) for word in row] for row in rows if row]
    except (OSError, ValueError) as error:
        raise AttncliError(
            f"landmarks cannot be read ({reason(error)})",
            where=file,
            remedy="use CK+'s own file, or --face-crop detector",
        ) from error
    is_whole = len(points) == N_LANDMARKS and all(len(point) == 2 for point in points)
    if not is_whole or not all(math.isfinite(x) for point in points for x in point):
        raise AttncliError(
            f"expected {N_LANDMARKS} lines of two numbers",
            where=file,
            remedy="use CK+'s own file, or --face-crop detector",
        )
    return np.array(points)


def _centred(source: FaceSource, size_hw: tuple[int, int]) -> FaceBox:
    height, width = size_hw
    return _square(source, (width / 2, height / 2), float(min(size_hw)), size_hw)


def _square(
    source: FaceSource, centre_xy: tuple[float, float], side: float, size_hw: tuple[int, int]
) -> FaceBox:
    """Return a square of whole pixels inside the frame, as near to the one given as can be."""
    height, width = size_hw
    side_px = max(1, min(round(side), height, width))
    left = min(max(0, math.floor(centre_xy[0] - side_px / 2 + 0.5)), width - side_px)
    top = min(max(0, math.floor(centre_xy[1] - side_px / 2 + 0.5)), height - side_px)
    return FaceBox(source, left, top, left + side_px, top + side_px)


@cache
def _cascade() -> Any:
    """Return the detector; its module and its file are loaded only where faces are looked for."""
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())  # type: ignore[no-untyped-call]
