"""Pack label maps as PASCAL VOC's evaluation server takes them, whole or not at all.

The archive holds `results/VOC2012/Segmentation/comp6_test_cls/ID.png`, an indexed PNG of each image
of the list `test` (VOC2012 development kit, section 9 of its documentation).
"""

import gzip
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attncli.config.evaluate import EvaluateCall
from attncli.data.images.label_maps import read_label_map
from attncli.data.samples import ImageSample, Split
from attncli.data.video.frame_folders import image_size_hw
from attncli.errors import AttncliError, UsageError
from attncli.evaluation.label_maps import LABEL_MAPS
from attncli.files.atomic import replacing
from attncli.files.label_maps import IGNORE_LABEL, SUFFIX
from attncli.files.runs import load
from attncli.reporting import Reporter
from attncli.workflows.runs.source import open_source

SPLIT: Split = "test"
FOLDER = "results/VOC2012/Segmentation/{competition}_{split}_cls"
"""The server's folder."""


def require_packable(call: EvaluateCall) -> None:
    """Make sure that the run will have label maps, before they are made.

    Raises:
        AttncliError: There is no such run.
        UsageError: It tells no class of pixels.
    """
    run = load(call.runs[0])
    if not hasattr(run.config, "eval_scales"):
        what = f"{run.directory.path} does not tell the classes of pixels"
        raise UsageError(what, where="--pack", remedy="name a run that does")


def pack_run(call: EvaluateCall, archive: Path, *, reporter: Reporter) -> None:
    """Write the label maps of a run on VOC's test images as an archive for its server.

    Args:
        call: Which run, on which data, and the server's name of the competition.
        archive: File to write.
        reporter: Told of it.

    Raises:
        AttncliError: A label map is missing, or one that the server would not take; nothing is
            written.
    """
    run = load(call.runs[0])
    source = open_source(run.method, run.config, run.directory.path, call.data)
    samples: Any = source.open(SPLIT).samples
    maps = run.directory.evaluation_path(SPLIT) / LABEL_MAPS
    for sample in reporter.track(samples, label="check label maps", unit="images"):
        _require_valid(maps / f"{sample.id}{SUFFIX}", sample, len(run.classes))
    folder = FOLDER.format(competition=call.competition, split=SPLIT)
    pack(maps, [sample.id for sample in samples], archive, folder=folder)
    reporter.note(f"wrote {archive}: {len(samples)} label maps in {folder}/")


def pack(maps: Path, ids: Sequence[str], archive: Path, *, folder: str) -> None:
    """Write label maps as an archive; the same ones give the same bytes.

    Args:
        maps: Directory of `ID.png`.
        ids: Which of them.
        archive: File to write, gzipped tar.
        folder: Where they lie in it.
    """
    with (
        replacing(archive) as temporary,
        temporary.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for id_ in sorted(ids):
            path = maps / f"{id_}{SUFFIX}"
            entry = tarfile.TarInfo(f"{folder}/{path.name}")
            entry.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(entry, content)


def _require_valid(path: Path, sample: ImageSample, n_classes: int) -> None:
    """Make sure that the server takes a label map.

    Raises:
        AttncliError: It is missing, of another size, or has a pixel of no class.
    """
    if not path.is_file():
        what = f"holds no label map of {sample.id}"
        raise AttncliError(what, where=path, remedy="see failures.jsonl beside it")
    labels = read_label_map(path, n_classes=n_classes, size_hw=image_size_hw(sample.path))
    without = int(np.count_nonzero(labels == IGNORE_LABEL))
    if without:
        what = f"{without} pixels have no class, which the server does not take"
        raise AttncliError(what, where=path, remedy="give every pixel a class")
