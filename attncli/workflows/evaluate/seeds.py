"""Score seed directories on the true label maps of a dataset, without any network.

Into `DIR/eval/SPLIT/` go `metrics.json`, `classes.csv`, `confusion.csv` and `failures.jsonl`.
Class activation maps, which do not score the background, are scored beside one: a power of what
the highest score leaves, a constant, or the best of all constants.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from attncli.config.evaluate import EvaluateCall
from attncli.config.seeds import Background
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.seeds import read_labels, read_scores
from attncli.data.layouts.images import open_images, recognise
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.data.video.frame_folders import image_size_hw
from attncli.errors import AttncliError, Failure, UsageError, reason
from attncli.evaluation.label_maps import write_figures
from attncli.files.atomic import replacing_directory
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.runs import RunDirectory, load
from attncli.files.score_maps import read_score_maps
from attncli.files.seeds import SeedDirectory, holds_seeds, open_seeds
from attncli.metrics.background import (
    CONSTANTS,
    best_constant,
    confusion_at,
    constant_histogram,
)
from attncli.metrics.segmentation import pixel_confusion
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World
from attncli.workflows.evaluate.trial import do_together

Counts = Int64[np.ndarray, "..."]


def is_of_seeds(path: Path, call: EvaluateCall) -> bool:
    """Return whether seeds are scored at a path, and not the network of a run.

    Of a run the class activation maps are, where a score of the background is asked for.
    """
    return holds_seeds(path) or call.about_seeds


def evaluate_seeds(
    call: EvaluateCall,
    paths: Sequence[Path],
    *,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Score seed directories; each one's `eval/SPLIT` is replaced as a whole.

    Args:
        call: On which data and split, and how the background is scored.
        paths: Seed directories, or runs of `cam` that were evaluated on the split.
        dry_run: Say what would be done, and touch nothing.
        world: Processes to share the images among; those `torchrun` started where None.
        reporter: Shows progress.

    Returns:
        One row a directory, and the images whose seeds or label maps cannot be used; on processes
        other than the first, nothing.

    Raises:
        UsageError: No dataset is named, or what is asked is nothing that seeds answer.
        AttncliError: There are no seeds, they are of other classes, or the data cannot be read.
    """
    _refuse_what_is_about_networks(call)
    jobs = [_job(path, call, reporter) for path in paths]
    if dry_run:
        return Outcome(rows=[job.planned for job in jobs])
    return do_together(jobs, device=call.device, world=world)


class Labels:
    """Counts how often the labels of seeds are right.

    Args:
        seeds: The seeds.
        background: The background's score where they have none.
    """

    def __init__(self, seeds: SeedDirectory, background: Background) -> None:
        self.seeds = seeds
        self.background = background

    def count(self, image_id: str, truth: UInt8[np.ndarray, "h w"]) -> Counts:
        """Return the table of pixels of one image.

        Raises:
            AttncliError: Its seed cannot be used.
        """
        given = read_labels(self.seeds, image_id, size_hw=truth.shape, background=self.background)
        return pixel_confusion(truth, given, n_labels=len(self.seeds.classes) + 1)

    def result(self, counts: Counts) -> tuple[Counts, str]:
        """Return the table of pixels of all images, and how the background was scored."""
        power, constant = self.background.power, self.background.background_score
        return counts, f"score {constant:g}" if power is None else f"power {power:g}"


class Oracle:
    """Counts how often class activation maps are right beside each constant background.

    Args:
        seeds: The maps.
    """

    def __init__(self, seeds: SeedDirectory) -> None:
        self.seeds = seeds

    def count(self, image_id: str, truth: UInt8[np.ndarray, "h w"]) -> Counts:
        """Return the histogram of scores of one image.

        Raises:
            AttncliError: It has no such maps.
        """
        nothing = Background(background_score=0.0)
        scored = read_scores(self.seeds, image_id, size_hw=truth.shape, background=nothing)
        labels = scored.classes.astype(np.uint8)[scored.scores.argmax(axis=0)]
        highest = scored.scores.max(axis=0)
        return constant_histogram(truth, labels, highest, n_labels=len(self.seeds.classes) + 1)

    def result(self, counts: Counts) -> tuple[Counts, str]:
        """Return the table of pixels beside the best constant, and which that is."""
        best = best_constant(counts)
        return confusion_at(counts, best), f"oracle {CONSTANTS[best]:.2f}"


@dataclass
class _Tally:
    """What is known after some of the images."""

    counts: Counts | None = None
    images: int = 0
    unlabelled: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "_Tally") -> None:
        """Add what is known of other images."""
        if other.counts is not None:
            self.counts = other.counts if self.counts is None else self.counts + other.counts
        self.images += other.images
        self.unlabelled += other.unlabelled
        self.failures += other.failures


@dataclass(frozen=True)
class _Job:
    """The scoring of one seed directory."""

    path: Path
    """As it was named."""
    seeds: SeedDirectory
    """What is there."""
    dataset: ImageDataset
    """The images it is scored on."""
    split: Split
    """Which split they are."""
    scorer: Labels | Oracle
    """Counts their pixels."""
    has_background: bool
    """Whether the seeds say themselves where the background is."""
    workers: int | None
    """How many images are read at a time; as many as there are cores where None."""
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.seeds.path / "eval" / self.split

    @property
    def row(self) -> Row:
        return {"run": str(self.path), "method": self.seeds.stage, "split": self.split}

    @property
    def planned(self) -> Row:
        return {**self.row, "images": len(self.dataset.samples), "out": str(self.out)}

    def __call__(self, world: World) -> Outcome:
        samples = world.share(self.dataset.samples)
        tally = _Tally()
        # Pillow and numpy leave other threads the time in which they decode and count.
        pool = ThreadPoolExecutor(max(1, world.readers(self.workers)))
        try:
            tallies = pool.map(self._tally, samples)
            label = f"eval {self.path.name} on {self.split}"
            total = len(samples)
            for one in self.reporter.track(tallies, label=label, total=total, unit="images"):
                tally.add(one)
        finally:
            pool.shutdown(cancel_futures=True)
        shares = world.gather(tally)
        outcome = self._write(shares) if world.leads else Outcome()
        world.wait()
        return outcome

    def _tally(self, sample: ImageSample) -> _Tally:
        path = sample.path
        try:
            size_hw, truth = image_size_hw(path), None
            if sample.label_map is not None:
                path, n_classes = sample.label_map, len(self.seeds.classes)
                truth = read_label_map(path, n_classes=n_classes, size_hw=size_hw)
            path = self._seed_path(sample.id)
            if truth is not None:
                return _Tally(self.scorer.count(sample.id, truth), images=1)
            read_labels(self.seeds, sample.id, size_hw=size_hw, background=Background())
        except (AttncliError, OSError) as error:
            is_named = isinstance(error, AttncliError)
            what = str(error) if is_named else f"{path}: {reason(error)}"
            return _Tally(failures=[Failure(sample.id, str(path), what)])
        return _Tally(images=1, unlabelled=1)

    def _seed_path(self, image_id: str) -> Path:
        """Return the file that an image's seed is read from; where one would be if it has none."""
        labels, scores = self.seeds.label_map_path(image_id), self.seeds.scores_path(image_id)
        return scores if scores.is_file() and not labels.is_file() else labels

    def _write(self, shares: Sequence[_Tally]) -> Outcome:
        """Write all of `eval/SPLIT` from what all processes know, and return its figures."""
        tally = _Tally()
        for share in shares:
            tally.add(share)
        n_labels = len(self.seeds.classes) + 1
        counts, background = np.zeros((n_labels, n_labels + 1), dtype=np.int64), None
        if tally.counts is not None:
            counts, background = self.scorer.result(tally.counts)
        with replacing_directory(self.out) as out:
            row: Row = {
                **self.row,
                **({} if self.has_background else {"background": background}),
                "images": tally.images,
                "failed": len(tally.failures),
                "unlabelled": tally.unlabelled,
                **write_figures(out, self.seeds.classes, counts),
            }
            write_failures(out / "failures.jsonl", tally.failures)
            write_metrics(out / "metrics.json", row)
        self.reporter.note(f"wrote {self.out}")
        return Outcome([row], tally.failures, inputs=len(self.dataset.samples))


def _job(path: Path, call: EvaluateCall, reporter: Reporter) -> _Job:
    split = call.split
    dataset = _dataset(path, call)
    seeds = open_seeds(path, classes=dataset.classes, split=split)
    first = next((sample.id for sample in dataset.samples if seeds.has(sample.id)), None)
    has_background = first is not None and _scores_background(seeds, first)
    if has_background and call.about_seeds:
        raise UsageError(
            f"{path} says itself where the background is",
            where="--background-oracle, --background-power or --background-score",
            remedy="leave it out",
        )
    scorer = Oracle(seeds) if call.background_oracle else Labels(seeds, call)
    return _Job(path, seeds, dataset, split, scorer, has_background, call.workers, reporter)


def _dataset(path: Path, call: EvaluateCall) -> ImageDataset:
    """Return the images that seeds are scored on: of `--data`, or what a run was trained on."""
    data, layout, train_list = call.data, "auto", call.train_list
    if data is None and RunDirectory(path).config_path.is_file() and not holds_seeds(path):
        config = load(path).config
        data, layout, train_list = config.data, config.layout, train_list or config.train_list
    if data is None:
        remedy = "name it, as in --data VOC2012/"
        what = f"{path} does not say of which dataset it is"
        raise UsageError(what, where="--data", remedy=remedy)
    layout = recognise(data) if layout == "auto" else layout
    # Image labels count for nothing here, and to take them from label maps reads all of these.
    labels = "none" if layout == "voc2012" else "auto"
    return open_images(data, layout=layout, split=call.split, labels=labels, train_list=train_list)


def _scores_background(seeds: SeedDirectory, image_id: str) -> bool:
    """Return whether the seed of an image has a label map, or scores of the background."""
    if seeds.label_map_path(image_id).is_file():
        return True
    try:
        return 0 in read_score_maps(seeds.path, image_id).classes
    except AttncliError:  # which scoring it will tell
        return False


def _refuse_what_is_about_networks(call: EvaluateCall) -> None:
    given = {
        "--split test": call.split == "test",
        "--checkpoint": call.checkpoint != "last",
        "--frames": call.frames is not None,
        "--temporal-edits": call.temporal_edits is not None,
        **{f"--{name.replace('_', '-')}": True for name in call.views},
    }
    for flag in (flag for flag, is_given in given.items() if is_given):
        raise UsageError("is about runs, not about seeds", where=flag, remedy="leave it out")
