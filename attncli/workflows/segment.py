"""Find instance masks in every frame of a dataset's videos."""

import errno
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from attncli.backbones.segmenters.backends import open_segmenter
from attncli.backbones.segmenters.frames import Segmenter, SourceFrame
from attncli.config.segment import SegmentConfig
from attncli.config.toml import dump
from attncli.data.layouts import open_dataset
from attncli.data.samples import VideoSample, require_listed_frames
from attncli.data.video.read_ahead import read_ahead
from attncli.data.video.reading import count_frames, iterate_frames, remark_on
from attncli.errors import AttncliError, Failure, Remark
from attncli.files.atomic import write_text
from attncli.files.failures import FAILURES, write_failures
from attncli.files.locks import held
from attncli.files.masks import MaskDirectory, MaskWriter
from attncli.files.outputs import SETTINGS, claim
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Reporter, Row, warn_of
from attncli.training.distributed import join


@dataclass(frozen=True)
class _Done:
    """What became of some videos."""

    videos: int = 0
    frames: int = 0
    instances: int = 0
    failures: tuple[Failure, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def __add__(self, other: "_Done") -> "_Done":
        return _Done(
            self.videos + other.videos,
            self.frames + other.frames,
            self.instances + other.instances,
            self.failures + other.failures,
            self.remarks + other.remarks,
        )


def segment_videos(
    data: Path,
    out: Path,
    config: SegmentConfig,
    *,
    layout: str = "auto",
    batch_size: int = 4,
    workers: int | None = None,
    device: str = "auto",
    dry_run: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Write a mask file for each video, the settings, and the videos that could not be read.

    Args:
        data: Dataset directory or manifest; every video it has is segmented.
        out: Mask directory.
        config: How instances are found.
        layout: Layout of the dataset; `auto` recognises it.
        batch_size: Frames a detector takes in one pass.
        workers: Videos worked on at the same time by one process; one a core for motion, which
            computes on a single one, else 1 where None.
        device: Where a detector computes.
        dry_run: Say what would be done, and touch nothing.
        overwrite: Replace what is in `out`.
        resume: Leave the videos that `out` has masks of alone.
        reporter: Shows progress.

    Returns:
        One row: what is new in this call, and its rate.

    Raises:
        UsageError: A setting is wrong, or differs from those the masks in `out` were made with.
        AttncliError: The dataset, the weights or `out` cannot be used.
    """
    dataset = open_dataset(data, layout=layout, split="all")
    for note in dataset.notes:
        reporter.note(note)
    masks = MaskDirectory(out)
    waiting = [s for s in dataset.samples if not (resume and masks.finished(s.id))]
    finished = len(dataset.samples) - len(waiting)
    row: Row = {"run": str(out), "method": config.backend, "videos": len(waiting)}
    if dry_run:
        claim(out, overwrite=overwrite, resume=resume, inputs=[data], dry_run=True)
        return Outcome(rows=[row | {"finished": finished}])
    with join(device) as world:
        if world.leads:
            claim(out, resume=resume or overwrite)  # refused before a model is fetched and loaded
        with held(out) if world.leads else nullcontext():
            segmenter = open_segmenter(config, batch_size=batch_size, device=world.device)
            if world.leads:
                claim(out, overwrite=overwrite, resume=resume, inputs=[data])
                _keep_settings(out / SETTINGS, config)
            world.wait()
            started = time.perf_counter()
            work = _Work(segmenter, masks, config, depth=2 * batch_size)
            workers = workers or _usual_workers(config)
            mine = _segment_all(world.share(waiting), work, workers, reporter)
            done = sum(world.gather(mine), _Done())
            elapsed_sec = time.perf_counter() - started
            if world.leads:
                write_failures(out / FAILURES, done.failures)
                warn_of(done.remarks, reporter)
                if finished:
                    reporter.note(f"{finished} videos had their masks already")
                reporter.note(f"masks are in {out}")
    rate = round(done.frames / elapsed_sec, 2)
    counts: Row = {"videos": done.videos, "frames": done.frames, "instances": done.instances}
    row |= counts | ({"finished": finished} if finished else {})
    row |= {"failed": len(done.failures), "frames_per_sec": rate}
    return Outcome([row], sorted(done.failures, key=lambda f: f.id), len(dataset.samples))


def _keep_settings(path: Path, config: SegmentConfig) -> None:
    """Write the settings beside the masks, or make sure that they are those of the masks there."""
    settings = dump(config)
    if path.exists() and path.read_bytes() != settings.encode():
        raise AttncliError(
            "the masks here were made with other settings",
            where=path,
            remedy="repeat those settings, or pass --overwrite",
        )
    write_text(path, settings)


def _usual_workers(config: SegmentConfig) -> int:
    return usable_cores() if config.backend == "motion" else 1


@dataclass(frozen=True)
class _Work:
    """What every video is treated with."""

    segmenter: Segmenter
    masks: MaskDirectory
    config: SegmentConfig
    depth: int
    """Frames decoded ahead."""
    is_over: threading.Event = field(default_factory=threading.Event)
    """Set when videos under way are to be given up."""

    def segment(self, sample: VideoSample) -> _Done:
        """Write the masks of one video, unless it cannot be read."""
        frames = instances = 0
        try:
            if sample.listed_frames is not None:
                require_listed_frames(sample, count_frames(sample.path))
            with (
                closing(
                    read_ahead(iterate_frames(sample.path, files=sample.files), self.depth)
                ) as pixels,
                MaskWriter(self.masks.root, sample.id) as writer,
            ):
                for found in self.segmenter.segment(_source_frames(pixels, self.config)):
                    if self.is_over.is_set():
                        raise InterruptedError
                    writer.write(found)
                    frames, instances = frames + 1, instances + len(found.instances)
            remark = remark_on(sample.path, files=sample.files)
        except AttncliError as error:
            return _failed(sample, str(error))
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return _failed(sample, "its name is too long for a file of masks; rename the video")
        except MemoryError:
            return _failed(sample, "its frames are too large for the memory")
        told = Remark.on(sample.id, sample.path, remark)
        remarks = () if told is None else (told,)
        return _Done(videos=1, frames=frames, instances=instances, remarks=remarks)


def _failed(sample: VideoSample, error: str) -> _Done:
    return _Done(failures=(Failure(sample.id, str(sample.path), error),))


def _segment_all(
    samples: Sequence[VideoSample], work: _Work, workers: int, reporter: Reporter
) -> _Done:
    done = _Done()
    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        jobs = [pool.submit(work.segment, sample) for sample in samples]
        finished = reporter.track(
            as_completed(jobs), label="segmenting", total=len(jobs), unit="videos"
        )
        for job in finished:
            done += job.result()
    finally:
        work.is_over.set()
        pool.shutdown(cancel_futures=True)
    return done


def _source_frames(
    pixels: Iterable[UInt8[np.ndarray, "h w 3"]], config: SegmentConfig
) -> Iterator[SourceFrame]:
    """Yield the frames; those at the frame stride and the last are wanted."""
    held = None
    for index, frame in enumerate(pixels):
        if held is not None:
            yield SourceFrame(index - 1, held, is_wanted=(index - 1) % config.frame_stride == 0)
        held = frame
    if held is not None:
        yield SourceFrame(index, held, is_wanted=True)
