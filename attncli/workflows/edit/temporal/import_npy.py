"""Bring in edits that other programs keep as one NumPy vector a video."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from attncli.data.layouts import open_dataset
from attncli.data.samples import VideoSample
from attncli.data.video.reading import count_frames
from attncli.errors import AttncliError, Failure
from attncli.files.arrays import open_array
from attncli.files.edit_directory import open_edit_directory
from attncli.files.outputs import claim_file
from attncli.files.temporal_edits import TemporalEdits, write_temporal_edits
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Reporter
from attncli.workflows.edit.temporal.filling import filled, summary

REMEDY = "write a one-dimensional float32 array with one number a frame"


def import_into_directory(
    path: Path, vectors: Path, *, overwrite: bool, dry_run: bool, reporter: Reporter
) -> Outcome:
    """Fill the `edits.csv` of an edit directory from vectors.

    Args:
        path: Edit directory.
        vectors: Directory with `<id>.npy`, or `<class>/<id>.npy` as the paper's own editor saves.
        overwrite: Whether clips that have scores already may get others.
        dry_run: Touch nothing.
        reporter: Told where the edits went.

    Returns:
        One row: what the edits hold.

    Raises:
        AttncliError: A vector is no such array, is not as long as its video, or of no clip here,
            or its clip has scores already.
    """
    directory = open_edit_directory(path)
    clips = directory.read_clips()
    files = _vector_files(vectors, clips)
    found = {id_: _read_vector(file, clips[id_].frames) for id_, file in files.items()}
    edits = filled(directory, found, overwrite=overwrite, dry_run=dry_run)
    if not dry_run:
        reporter.note(f"wrote {len(found)} clips to {edits.path}")
    return Outcome(rows=[summary(edits)])


def import_for_dataset(
    out: Path,
    vectors: Path,
    data: Path,
    *,
    layout: str,
    overwrite: bool,
    dry_run: bool,
    reporter: Reporter,
) -> Outcome:
    """Write a file of edits from vectors of a dataset's training videos.

    Args:
        out: File to write.
        vectors: Directory with `<id>.npy`, or `<class>/<id>.npy` as the paper's own editor saves.
        data: The dataset; its videos are read to see how many frames they have.
        layout: Layout of the dataset; `auto` recognises it.
        overwrite: Replace a file that is there.
        dry_run: Touch nothing.
        reporter: Shows progress.

    Returns:
        One row: what the edits hold; and the videos that cannot be read, which are left out.

    Raises:
        AttncliError: A vector is no such array, is not as long as its video, or of no training
            video, or `out` is there already.
    """
    samples = {s.id: s for s in open_dataset(data, layout=layout, split="train").samples}
    claim_file(out, overwrite=overwrite, dry_run=dry_run)
    files = _vector_files(vectors, samples)
    scores, failures = {}, []
    with ThreadPoolExecutor(usable_cores()) as pool:
        counts = pool.map(_count, [samples[id_] for id_ in files])
        counted = zip(files.items(), counts, strict=True)
        for (id_, file), count in reporter.track(
            counted, label="counting frames", total=len(files), unit="videos"
        ):
            if isinstance(count, Failure):
                failures.append(count)
            else:
                scores[id_] = _read_vector(file, count)
    if not dry_run:
        write_temporal_edits(out, scores)
        reporter.note(f"wrote {out}")
    return Outcome([summary(TemporalEdits(out, scores))], failures, inputs=len(files))


def _count(sample: VideoSample) -> int | Failure:
    try:
        return count_frames(sample.path)
    except AttncliError as error:
        return Failure(sample.id, str(sample.path), str(error))


def _vector_files(root: Path, known: Collection[str]) -> dict[str, Path]:
    """Return the vectors by the clip they are of: the path below `root`, or its last part."""
    files: dict[str, Path] = {}
    for file in sorted(root.rglob("*.npy")):
        names = (file.relative_to(root).with_suffix("").as_posix(), file.stem)
        id_ = next((name for name in names if name in known), None)
        if id_ is None:
            what = f"no such clip: {file.stem!r}"
            raise AttncliError(what, where=file, remedy="move this file elsewhere")
        if id_ in files:
            what = f"clip {id_!r} has a vector already, {files[id_]}"
            raise AttncliError(what, where=file, remedy="keep one of them")
        files[id_] = file
    if not files:
        what = "holds no .npy file" if root.is_dir() else "no such directory"
        raise AttncliError(what, where=root, remedy="check --vectors")
    return files


def _read_vector(file: Path, n_frames: int) -> Float32[np.ndarray, " n"]:
    kept = open_array(file, remedy=REMEDY)
    if kept.shape != (n_frames,):
        what = f"is of shape {kept.shape}, but its video has {n_frames} frames"
        raise AttncliError(what, where=file, remedy=REMEDY)
    vector = np.array(kept, dtype=np.float32)
    wrong = ~((vector >= 0) & (vector <= 1))
    if wrong.any():
        frame = int(wrong.argmax())
        what = f"frame {frame}: score {vector[frame]} is not in [0, 1]"
        raise AttncliError(what, where=file, remedy="give every frame a score")
    return vector
