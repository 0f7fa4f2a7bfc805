"""What all refinements of seeds have in common: images in, a seed directory out, image by image.

An image is finished once its label map is there, which is written last; an interrupted call is gone
on with from there, and ends with the same files.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from attncli.config.fields import Checked
from attncli.config.refine_seeds import ImagesCall
from attncli.config.toml import dump
from attncli.data.images.seed_maps import require_seeds
from attncli.data.layouts.images import NO_LABELS, open_images
from attncli.data.samples import ImageDataset, ImageSample
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.failures import FAILURES, write_failures
from attncli.files.label_maps import SUFFIX
from attncli.files.locks import LOCK, held
from attncli.files.outputs import SETTINGS, claim
from attncli.files.runs import with_absolute_paths
from attncli.files.seeds import (
    SeedDirectory,
    hash_of_ids,
    holds_seeds,
    open_seeds,
    write_description,
)
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World, join

Config = TypeVar("Config", bound=Checked)


@runtime_checkable
class Stage(Protocol):
    """One way of refining seeds."""

    @property
    def name(self) -> str:
        """What it is called, such as `psa`."""
        ...

    @property
    def config(self) -> Any:
        """Its settings."""
        ...

    @property
    def inputs(self) -> Mapping[str, SeedDirectory]:
        """The seeds it reads, by what they are called."""
        ...

    @property
    def parents(self) -> Mapping[str, str]:
        """SHA-256 of what else the refined seeds are made from, by name."""
        ...

    def refine(
        self, samples: Sequence[ImageSample], out: Path, *, workers: int, world: World
    ) -> Iterator[Failure | None]:
        """Write the seed of each image into `out`, and yield what kept it from that, or None."""
        ...


@dataclass(frozen=True)
class Refined:
    """What became of the images of a split."""

    dataset: ImageDataset
    """The images."""
    seeds: SeedDirectory
    """Their seeds."""
    row: Row
    """Which seeds, and how many of them are there."""
    failures: Sequence[Failure]
    """Images without one, and why."""

    @property
    def outcome(self) -> Outcome:
        """What is answered to that."""
        return Outcome([self.row], list(self.failures), inputs=len(self.dataset.samples))


def settled(config: Config) -> Config:
    """Return settings whose paths are the same wherever they are read, and however they are told.

    Raises:
        UsageError: A path cannot be written into `config.toml`.
    """
    paths = {name: path for name, path in _values(config).items() if isinstance(path, Path)}
    return with_absolute_paths(
        replace(config, **{name: path.resolve() for name, path in paths.items()})
    )


def open_split(call: ImagesCall) -> ImageDataset:
    """Return the images whose seeds are to be refined; labels are known of training images alone.

    Raises:
        UsageError: There is no layout or list of that name.
        AttncliError: The dataset is missing or malformed.
    """
    # What is predicted of other images must not rest on their labels.
    labels = call.labels if call.split == "train" else NO_LABELS
    return open_images(
        call.data,
        layout=call.layout,
        split=call.split,
        labels=labels,
        train_list=call.train_list,
    )


def planned(
    stage: Stage, call: Any, dataset: ImageDataset, *, overwrite: bool, resume: bool
) -> Outcome:
    """Return what a dry run answers.

    Raises:
        UsageError: Both `overwrite` and `resume` are asked for.
        AttncliError: Seeds are of other images, or `out` could not be written.
    """
    inputs = _inputs(stage, call)
    claim(call.out, overwrite=overwrite, resume=resume, inputs=inputs, dry_run=True)
    n_absent, n_images = len(require_seeds(stage.inputs, dataset)), len(dataset.samples)
    ids = [sample.id for sample in dataset.samples]
    finished = sum((call.out / f"{image_id}{SUFFIX}").is_file() for image_id in ids)
    row: Row = {"run": str(call.out), "method": stage.name, "split": call.split}
    return Outcome(rows=[row | {"images": n_images, "no_seed": n_absent, "finished": finished}])


def refine(
    stage: Stage,
    call: Any,
    dataset: ImageDataset,
    *,
    overwrite: bool,
    resume: bool,
    reporter: Reporter,
) -> Refined | None:
    """Write the seeds of a split into one directory.

    Args:
        stage: How they are refined.
        call: Which images, and where to (an `ImagesCall` with `out`).
        dataset: The images.
        overwrite: Replace what is there.
        resume: Leave the images that have a seed there alone.
        reporter: Shows progress.

    Returns:
        What became of the images; None on processes other than the first.

    Raises:
        UsageError: Both `overwrite` and `resume` are asked for.
        AttncliError: Seeds are of other images, `out` cannot be written, or was made otherwise.
    """
    absent = require_seeds(stage.inputs, dataset)
    failures = [_without_seed(stage, sample) for sample in absent]
    for note in dataset.notes:
        reporter.note(note)
    # What may not be written is refused before the directory is locked.
    claim(call.out, overwrite=overwrite and resume, resume=resume or overwrite)
    with join(call.device) as world, held(call.out) if world.leads else nullcontext():
        if world.leads:
            claim(call.out, overwrite=overwrite, resume=resume, inputs=_inputs(stage, call))
            _describe(stage, call, dataset)
        world.wait()
        seeds = open_seeds(call.out)
        missing = {sample.id for sample in absent}
        waiting = [
            s
            for s in dataset.samples
            if s.id not in missing and not seeds.label_map_path(s.id).is_file()
        ]
        world.wait()  # until every process knows what is waiting
        failures += _refine_share(stage, waiting, call, world, reporter)
        if not world.leads:
            return None
        failures.sort(key=lambda failure: failure.id)
        write_failures(call.out / FAILURES, failures)
        reporter.note(f"seeds are in {call.out}")
    row: Row = {"run": str(call.out), "method": stage.name, "split": call.split}
    row |= {"images": len(dataset.samples) - len(failures), "failed": len(failures)}
    return Refined(dataset, seeds, row, failures)


def _refine_share(
    stage: Stage, waiting: Sequence[ImageSample], call: Any, world: World, reporter: Reporter
) -> list[Failure]:
    """Refine the seeds of this process's images, and return what failed in all processes."""
    mine = world.share(waiting)
    workers = call.workers or usable_cores()
    done: Iterable[Failure | None] = stage.refine(mine, call.out, workers=workers, world=world)
    shown = reporter.track(done, label=stage.name, total=len(mine), unit="images")
    failed = [failure for failure in shown if failure is not None]
    return [failure for part in world.gather(failed) for failure in part]


def _describe(stage: Stage, call: Any, dataset: ImageDataset) -> None:
    """Write what the seeds are; those that are there must be the same.

    Raises:
        AttncliError: Those there were made with other settings, of other seeds or images, or what
            is there are no seeds.
    """
    settings, ids = dump(stage.config), [sample.id for sample in dataset.samples]
    parents = {**stage.parents, **{name: seeds.sha256 for name, seeds in stage.inputs.items()}}
    _require_same(call.out, settings, parents, ids)
    call.out.mkdir(parents=True, exist_ok=True)
    write_text(call.out / SETTINGS, settings)
    write_description(
        call.out,
        stage=stage.name,
        parameters=_parameters(stage.config),
        classes=dataset.classes,
        ids=ids,
        parents=parents,
    )


def _require_same(out: Path, settings: str, parents: Mapping[str, str], ids: Sequence[str]) -> None:
    """Refuse to go on with what was not begun in the same way; nothing is changed.

    Raises:
        AttncliError: It was not.
    """
    kept, anew = out / SETTINGS, "begin anew with --overwrite, or write elsewhere"
    if not kept.is_file():
        if out.is_dir() and any(entry.name != LOCK for entry in out.iterdir()):
            raise AttncliError("holds no seeds to go on with", where=out, remedy="write elsewhere")
        return
    if kept.read_bytes() != settings.encode():
        remedy = "repeat those settings, or pass --overwrite"
        raise AttncliError(
            "the seeds here were made with other settings", where=kept, remedy=remedy
        )
    before = open_seeds(out) if holds_seeds(out) else None
    if before is not None and before.parents != parents:
        raise AttncliError("was made of other seeds or weights", where=out, remedy=anew)
    if before is not None and before.ids_sha256 != hash_of_ids(ids):
        raise AttncliError("was made for another list of images", where=out, remedy=anew)


def _inputs(stage: Stage, call: Any) -> list[Path]:
    """Return what is read, and so must stay."""
    values = [*_values(stage.config).values(), call.data, call.labels, call.train_list]
    places = [value for value in values if isinstance(value, Path)]
    files = [Path(value) for value in values if isinstance(value, str) and Path(value).is_file()]
    return [*places, *files, *(seeds.path for seeds in stage.inputs.values())]


def _parameters(config: Any) -> dict[str, Any]:
    """Return the settings that are not places, by name."""
    values = _values(config).items()
    return {name: value for name, value in values if not isinstance(value, Path)}


def _values(config: Any) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in fields(config)}


def _without_seed(stage: Stage, sample: ImageSample) -> Failure:
    names = [name for name, seeds in stage.inputs.items() if not seeds.has(sample.id)]
    places = " and ".join(str(stage.inputs[name].path) for name in names)
    return Failure(sample.id, str(sample.path), f"{places} has no seed of this image")
