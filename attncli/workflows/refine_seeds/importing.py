"""Make seed directories of what programs of others wrote: scores of PSA and IRN, and label maps."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from attncli.config.import_seeds import ImportCall, ImportConfig
from attncli.config.toml import dump
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.seeds import Scored, write_scored
from attncli.data.layouts.images import open_images
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.video.frame_folders import image_size_hw
from attncli.errors import AttncliError, Failure, reason
from attncli.files.atomic import write_text
from attncli.files.failures import FAILURES, write_failures
from attncli.files.label_maps import SUFFIX as LABEL_MAP
from attncli.files.label_maps import write_label_map
from attncli.files.locks import held
from attncli.files.outputs import SETTINGS, claim
from attncli.files.pickles import read_npy
from attncli.files.score_maps import score_maps_path, write_score_maps
from attncli.files.seeds import write_description
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.refine_seeds.imported_scores import UnfitError, imported


def import_seeds(
    config: ImportCall, *, dry_run: bool, overwrite: bool, resume: bool, reporter: Reporter
) -> Outcome:
    """Write a seed directory of the scores or label maps in a directory of others.

    Class activation maps stay without label maps: they do not score the background.

    Args:
        config: What is imported, and where to.
        dry_run: Only count what would be read; nothing is written.
        overwrite: Replace what is in the output directory.
        resume: Leave images alone that the output directory has already.
        reporter: Told of progress and of where files went.

    Returns:
        One row, and a failure for each image whose file is missing, or cannot be its seed.

    Raises:
        AttncliError: There is no file of any image, or dataset or output cannot be used.
    """
    dataset = open_images(
        config.data,
        layout=config.layout,
        split=config.split,
        labels=config.labels,
        train_list=config.train_list,
    )
    work = _Import(config, dataset)
    work.require_files()
    waiting = [one for one in dataset.samples if not (resume and work.is_done(one.id))]
    row: Row = {"run": str(config.out), "method": config.kind, "split": config.split}
    ways: Any = {"overwrite": overwrite, "resume": resume, "inputs": [config.data, config.source]}
    if dry_run:
        claim(config.out, **ways, dry_run=True)
        return Outcome(rows=[row | {"images": len(waiting)}])
    claim(config.out, resume=resume or overwrite)
    with held(config.out):
        claim(config.out, **ways)
        _keep_settings(config)
        failures = _import_all(work, waiting, config.workers or usable_cores(), reporter)
        _describe(config, dataset)
        write_failures(config.out / FAILURES, failures)
    reporter.note(f"seeds are in {config.out}")
    row |= {"images": len(waiting) - len(failures), "failed": len(failures)}
    return Outcome([row], failures, inputs=len(dataset.samples))


@dataclass(frozen=True)
class _Import:
    """What every image is treated with."""

    config: ImportCall
    dataset: ImageDataset

    def file(self, image_id: str) -> Path:
        """Return where the file of an image should be."""
        suffix = LABEL_MAP if self.config.kind == "label-maps" else ".npy"
        return self.config.source / f"{image_id}{suffix}"

    def require_files(self) -> None:
        """Make sure that there is a file of some image.

        Raises:
            AttncliError: There is none.
        """
        if any(self.file(sample.id).is_file() for sample in self.dataset.samples):
            return
        n_images, split = len(self.dataset.samples), self.config.split
        example = self.file(self.dataset.samples[0].id).name if n_images else "ID.npy"
        raise AttncliError(
            f"holds no file of the {n_images} images of split {split!r}, such as {example}",
            where=self.config.source,
            remedy="name the directory of the files, or check --kind, --split and --train-list",
        )

    def is_done(self, image_id: str) -> bool:
        """Return whether the seed of an image is written; its last file tells."""
        if self.config.kind == "cam":
            return score_maps_path(self.config.out, image_id).is_file()
        return (self.config.out / f"{image_id}{LABEL_MAP}").is_file()

    def convert(self, sample: ImageSample) -> Failure | None:
        """Write the seed of an image, or return why there is none."""
        file = self.file(sample.id)
        try:
            self._write(sample, file, image_size_hw(sample.path))
        except AttncliError as error:
            return Failure(sample.id, str(file), str(error))
        except UnfitError as error:
            return Failure(sample.id, str(file), f"{file}: {error}")
        except OSError as error:
            problem = f"image cannot be read ({reason(error)})"
            return Failure(sample.id, str(sample.path), f"{sample.path}: {problem}")
        return None

    def _write(self, sample: ImageSample, file: Path, size_hw: tuple[int, int]) -> None:
        config, n_classes = self.config, len(self.dataset.classes)
        if config.kind == "label-maps":
            labels = read_label_map(file, n_classes=n_classes, size_hw=size_hw)
            write_label_map(config.out / f"{sample.id}{LABEL_MAP}", labels)
            return
        found = imported(
            read_npy(file, allow_pickle=config.allow_pickle),
            kind=config.kind,
            shown=sample.labels,
            n_classes=n_classes,
            size_hw=size_hw,
        )
        if config.kind == "cam":
            write_score_maps(config.out, sample.id, found.classes, found.scores)
            return
        write_scored(config.out, sample.id, Scored(found.classes, found.scores))


def _import_all(
    work: _Import, samples: Sequence[ImageSample], workers: int, reporter: Reporter
) -> list[Failure]:
    """Return the failures, in the order of the images."""
    pool = ThreadPoolExecutor(workers)
    try:
        results = pool.map(work.convert, samples)
        told = reporter.track(results, label="importing", total=len(samples), unit="images")
        return [failure for failure in told if failure is not None]
    finally:
        pool.shutdown(cancel_futures=True)


def _settings(config: ImportCall) -> ImportConfig:
    """Return what is kept beside the seeds: all but where they are, and how fast they came."""
    return ImportConfig(
        **{field.name: getattr(config, field.name) for field in fields(ImportConfig)}
    )


def _keep_settings(config: ImportCall) -> None:
    """Write the settings beside the seeds, or make sure that they are those of the seeds there."""
    path, text = config.out / SETTINGS, dump(_settings(config))
    if path.exists() and path.read_bytes() != text.encode():
        what = "the seeds here were imported with other settings"
        raise AttncliError(what, where=path, remedy="repeat those settings, or pass --overwrite")
    write_text(path, text)


def _describe(config: ImportCall, dataset: ImageDataset) -> None:
    write_description(
        config.out,
        stage=config.kind,
        parameters={"imported_from": str(config.source)},
        classes=dataset.classes,
        ids=(sample.id for sample in dataset.samples),
        parents={},
    )
