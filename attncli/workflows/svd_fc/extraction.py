"""Write the features of a dataset's images: one pass over the images for all networks."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from attncli.config.svd_fc import SvdFcCall, SvdFcConfig
from attncli.data.images.center_crops import CropReader, Crops, load_crops
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.failures import FAILURES, read_failures
from attncli.files.feature_rows import FeatureRows
from attncli.files.feature_writing import complete
from attncli.files.features import FeatureDirectory, holds_features, open_features
from attncli.files.locks import held
from attncli.files.outputs import SETTINGS, claim
from attncli.methods.svd_fc.tensor_sketch import TensorSketch
from attncli.reporting import Outcome, Reporter, Silent
from attncli.training.distributed import World, choose_device, join
from attncli.workflows.svd_fc.description import Described, kept_scales, require_same
from attncli.workflows.svd_fc.images import Images, open_rows
from attncli.workflows.svd_fc.networks import Networks, open_networks
from attncli.workflows.svd_fc.pooling import Pooling
from attncli.workflows.svd_fc.room import image_bytes, require_room
from attncli.workflows.svd_fc.scales import source_scales
from attncli.workflows.svd_fc.sources import fusions_of, plan_sources, with_layers
from attncli.workflows.svd_fc.table import finished_rows, planned_rows

FETCHED = "imagenet"
"""Weights that may have to be fetched, which a dry run does not."""


def extract(
    config: SvdFcConfig,
    call: SvdFcCall,
    *,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
    reporter: Reporter,
) -> Outcome:
    """Write a feature directory.

    Images that cannot be read, and those whose features are not finite, have no row in it.

    Args:
        config: Which networks, and what becomes of their layers.
        call: Which images, and where to.
        dry_run: Say what would be done, and touch nothing.
        overwrite: Replace what is there.
        resume: Leave the rows that are there alone; a directory that is whole is left as it is.
        reporter: Shows progress.

    Returns:
        A row a network, and the images without a row; nothing on processes other than the first.

    Raises:
        UsageError: A setting cannot be met.
        AttncliError: Dataset or weights cannot be used, or `out` cannot be written or was made
            otherwise.
    """
    plans = plan_sources(config)
    config = with_layers(config, plans)
    images = open_rows(call)
    about = Described(config, call, images, plans, fusions_of(config, [p.name for p in plans]))
    about.require_layers()
    if dry_run:
        _rehearse(about, overwrite=overwrite, resume=resume)
        return Outcome(rows=planned_rows(about, begins_anew=overwrite))
    for note in images.notes:
        reporter.note(note)
    if resume and not overwrite and holds_features(call.out):
        require_same(about)
        return _answer(open_features(call.out), None)
    claim(call.out, overwrite=overwrite and resume, resume=resume or overwrite)
    with join(call.device) as world, held(call.out) if world.leads else nullcontext():
        networks = open_networks(
            plans, config, images.samples, device=world.device, reporter=reporter
        )
        if world.leads:
            size = image_bytes(config, networks.probe, len(about.fusions))
            require_room(call.out, len(images.samples), size, begins_anew=overwrite)
            claim(call.out, overwrite=overwrite, resume=resume, inputs=about.inputs)
            require_same(about)
        work = _begin(about, networks, world, reporter)
        started = time.perf_counter()
        n_new, failures = _extract_share(work, call, world, reporter)
        elapsed_sec = time.perf_counter() - started
        if not world.leads:
            return Outcome()
        _finish(work, failures)
        reporter.note(f"features are in {call.out}")
    return _answer(open_features(call.out), n_new / elapsed_sec if n_new else None)


def _rehearse(about: Described, *, overwrite: bool, resume: bool) -> None:
    """Refuse what would be refused, and touch nothing; published weights are not fetched."""
    call, config, samples = about.call, about.config, about.images.samples
    is_whole = resume and not overwrite and holds_features(call.out)
    if not is_whole:
        claim(call.out, overwrite=overwrite, resume=resume, inputs=about.inputs, dry_run=True)
    if resume:
        require_same(about)
    choose_device(call.device)
    here = [plan for plan in about.plans if plan.weights != FETCHED]
    if is_whole or not here:
        return
    cpu = torch.device("cpu")
    networks = open_networks(here, config, samples, device=cpu, reporter=Silent())
    if len(here) == len(about.plans):
        size = image_bytes(config, networks.probe, len(about.fusions))
        require_room(call.out, len(samples), size, begins_anew=overwrite)


@dataclass(frozen=True)
class _Work:
    """What every image is treated with."""

    about: Described
    images: Images
    networks: Networks
    pooling: Pooling
    sketches: Mapping[tuple[str, str], TensorSketch]
    rows: FeatureRows

    def write(self, crops: Crops) -> list[Failure | None]:
        """Write the features of images that follow each other, and return what failed of each."""
        features = self.pooling.features(self.networks.find(crops), self.sketches)
        arrays = {key: values.cpu().numpy() for key, values in features.items()}
        is_finite = {
            key: np.isfinite(values).reshape(len(values), -1).all(axis=1)
            for key, values in arrays.items()
        }
        failures = self._failures(crops, is_finite)
        is_whole = np.array([failure is None for failure in failures])
        self.rows.write(crops.first, arrays, is_whole)
        return failures

    def _failures(
        self, crops: Crops, is_finite: Mapping[tuple[str, str], np.ndarray]
    ) -> list[Failure | None]:
        unread = {failure.id: failure for failure in crops.failures}
        found: list[Failure | None] = []
        for place in range(len(crops.is_read)):
            sample = self.images.samples[crops.first + place]
            wrong = ["/".join(key) for key, fine in is_finite.items() if not fine[place]]
            if wrong and sample.id not in unread:
                what = f"its features {wrong[0]} are not finite"
                found.append(Failure(sample.id, str(sample.path), what))
            else:
                found.append(unread.get(sample.id))
        return found


def _begin(about: Described, networks: Networks, world: World, reporter: Reporter) -> _Work:
    """Describe the features and make room for them; on the first process, for all."""
    if world.leads and not (about.call.out / SETTINGS).is_file():
        scales = source_scales(
            networks,
            about.images,
            about.fusions,
            batch_size=about.call.batch_size,
            workers=world.readers(about.call.workers),
            reporter=reporter,
        )
        write_text(about.call.out / SETTINGS, about.description(networks.about, scales).text())
    world.wait()
    scales = kept_scales(about.call.out)
    pooling = Pooling(about.config, networks.channels, about.fusions, scales)
    sketches = pooling.sketches()
    example = pooling.features(networks.probe, sketches)
    shapes = {key: tuple(values.shape[1:]) for key, values in example.items()}
    rows = FeatureRows(about.call.out, len(about.images.samples), shapes)
    if world.leads:
        rows.begin()
    world.wait()
    return _Work(about, about.images, networks, pooling, sketches, rows)


def _extract_share(
    work: _Work, call: SvdFcCall, world: World, reporter: Reporter
) -> tuple[int, list[Failure]]:
    """Write this process's rows; return how many all wrote, and what failed in all processes."""
    waiting = work.rows.waiting(call.batch_size)
    world.wait()  # until every process knows what is waiting
    mine = world.share(waiting)
    n_mine = sum(map(len, mine))
    done = _each(work, mine, workers=world.readers(call.workers), pin=world.device.type == "cuda")
    shown = reporter.track(done, label="svd-fc", total=n_mine, unit="images")
    failed = [failure for failure in shown if failure is not None]
    return sum(map(len, waiting)), [one for part in world.gather(failed) for one in part]


def _each(
    work: _Work, batches: Sequence[range], *, workers: int, pin: bool
) -> Iterator[Failure | None]:
    reader = CropReader(work.images.samples, work.networks.cuts)
    for crops in load_crops(reader, batches, workers=workers, pin=pin):
        yield from work.write(crops)


def _finish(work: _Work, failures: Sequence[Failure]) -> None:
    """Make the directory whole.

    Raises:
        AttncliError: There is no image with features.
    """
    kept = np.flatnonzero(work.rows.done()).tolist()
    if not kept:
        what = f"no image has features: {failures[0].error}"
        raise AttncliError(what, where=work.about.call.data)
    work.rows.finish()
    complete(
        work.rows.path,
        work.images.kept(kept),
        bases=work.networks.bases(),
        sketches=work.pooling.sketch_arrays(),
        failures=failures,
    )
    work.rows.clear()


def _answer(directory: FeatureDirectory, images_per_sec: float | None) -> Outcome:
    failures = read_failures(directory.path / FAILURES)
    inputs = len(directory.ids) + len(failures)
    return Outcome(finished_rows(directory, images_per_sec), failures, inputs)
