"""Draw the label maps of seed directories and runs beside the images: class colours, or errors.

A column a directory, in their order, then the truth: `visualize runs/cam seeds/psa seeds/psa_crf
seeds/ssdd` shows class activation maps, knowledge, advice, the difference scores of both, and what
was refined.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure

from attncli.config.seeds import Background
from attncli.config.visualize import VisualizeConfig
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.reading import read_rgb
from attncli.data.images.seeds import read_labels
from attncli.data.layouts.images import open_images, recognise
from attncli.data.samples import ImageDataset, ImageSample
from attncli.errors import AttncliError, Failure, UsageError
from attncli.evaluation.label_maps import BACKGROUND, LABEL_MAPS
from attncli.files.differences import differences_path, read_differences
from attncli.files.failures import write_failures
from attncli.files.label_maps import IGNORE_LABEL
from attncli.files.runs import RunDirectory, load
from attncli.files.score_maps import read_score_maps
from attncli.files.seeds import SeedDirectory, holds_seeds, open_seeds
from attncli.metrics.segmentation import mean_iou_percent, pixel_confusion
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.label_maps import (
    TINT,
    Errors,
    Heat,
    LabelledImage,
    Labels,
    Panel,
    draw_contact_sheet,
    draw_label_maps,
)
from attncli.visualization.selection import known_name
from attncli.workflows.visualize.attention import names_of
from attncli.workflows.visualize.picture import figure_of, style_of, wish_of

DIFFERENCES = ("knowledge likely wrong", "advice likely wrong")
"""What scores that SSDD writes beside what it refines are called in a picture."""
TRUTH = "truth"
IMAGES_OF_A_SHEET = 48
COLUMNS = ("id", "run", "classes", "miou")
"""What the table beside the picture says of each label map: its classes, and the mean IoU of this
image alone."""
REMEDY = "refine the seeds anew"


@dataclass(frozen=True)
class _Shown:
    """One directory, and what it is called."""

    path: Path
    name: str
    seeds: SeedDirectory

    @property
    def difference_titles(self) -> tuple[str, ...]:
        return tuple(f"{title}, {self.name}" for title in DIFFERENCES)

    @property
    def error_title(self) -> str:
        return f"errors of {self.name}"

    @property
    def titles(self) -> tuple[str, ...]:
        """All columns there can be of it, in their order."""
        return (*self.difference_titles, self.name, self.error_title)


@dataclass(frozen=True)
class _Drawing:
    """An image to draw, and what the table says of it."""

    image: LabelledImage
    rows: list[Row]


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw what seed directories and runs say of what class each pixel is.

    Args:
        config: What is to be drawn, and where; clips are images.
        runs: Seed directories, and runs with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row an image and directory, and the images that could not be drawn.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: A directory has no label maps, or they have no image in common.
    """
    _refuse(config, runs)
    picture = figure_of(config, overwrite=overwrite)
    dataset = _dataset(config, runs)
    shown = _open(runs, config, dataset)
    chosen = _choose(shown, dataset, config)
    if dry_run:
        return picture.planned(
            {"id": sample.id, "run": str(one.path)} for sample in chosen for one in shown
        )
    picture.claim()
    drawn: list[_Drawing] = []
    failures: list[Failure] = []
    for sample in reporter.track(chosen, label="read images", unit="images"):
        try:
            drawn.append(_read(sample, shown, dataset.classes, config))
        except AttncliError as error:
            failures.append(Failure(id=sample.id, path=str(sample.path), error=str(error)))
    write_failures(picture.failures, failures)
    rows = [row for one in drawn for row in one.rows]
    if drawn:
        titles = _titles(drawn, shown)
        figure = _figure(drawn, titles, dataset.classes, config)
        texts = [*titles, *dataset.classes, *(one.image.name for one in drawn)]
        picture.save(figure, pd.DataFrame(rows, columns=COLUMNS), texts, reporter)
    return Outcome(rows=rows, failures=failures)


def _refuse(config: VisualizeConfig, runs: Sequence[Path]) -> None:
    given = {
        "--order": config.order not in (None, "random", "first"),
        "--masks": config.masks is not None,
        "--edits": config.edits is not None,
        "--range": config.value_range != "none",
    }
    for flag in (flag for flag, is_given in given.items() if is_given):
        raise UsageError("is about attention in videos", where=flag, remedy="leave it out")
    if config.contact_sheet and len(runs) != 1:
        raise UsageError("shows one directory", where="--contact-sheet", remedy="name one alone")


def _dataset(config: VisualizeConfig, runs: Sequence[Path]) -> ImageDataset:
    """Return the images: those of `--data`, or of the first run among the directories."""
    data, layout, train_list = config.data, "auto", None
    own = [path for path in runs if RunDirectory(path).config_path.is_file()]
    own = [path for path in own if not holds_seeds(path)]
    if data is None and own:
        settings = load(own[0]).config
        data, layout, train_list = settings.data, settings.layout, settings.train_list
    if data is None:
        what, remedy = f"{runs[0]} does not say of which dataset it is", "name it: --data VOC2012/"
        raise UsageError(what, where="--data", remedy=remedy)
    layout = recognise(data) if layout == "auto" else layout
    # To take image labels from label maps reads all of these; only a choice by class needs them.
    labels = "none" if layout == "voc2012" and not config.classes else "auto"
    return open_images(
        data, layout=layout, split=config.split, labels=labels, train_list=train_list
    )


def _open(runs: Sequence[Path], config: VisualizeConfig, dataset: ImageDataset) -> list[_Shown]:
    opened = []
    for path, name in zip(runs, names_of(runs, config.names), strict=True):
        made = RunDirectory(path).evaluation_path(config.split) / LABEL_MAPS
        place = made if holds_seeds(made) and not holds_seeds(path) else path
        seeds = open_seeds(place, classes=dataset.classes, split=config.split)
        opened.append(_Shown(path, name, seeds))
    return opened


def _choose(
    shown: Sequence[_Shown], dataset: ImageDataset, config: VisualizeConfig
) -> list[ImageSample]:
    """Return the images wished for, of which every directory has something."""
    wish = wish_of(config)
    samples = {sample.id: sample for sample in dataset.samples}
    if wish.ids:
        return [samples[known_name(i, list(samples), "--id")] for i in dict.fromkeys(wish.ids)]
    wanted = {dataset.classes.index(known_name(c, dataset.classes, "--class")) for c in wish.labels}
    kept = [
        sample
        for sample in dataset.samples
        if (not wanted or wanted & (sample.labels or frozenset()))
        and all(one.seeds.has(sample.id) for one in shown)
    ]
    if not kept:
        what = "no such image of which every directory holds something"
        raise AttncliError(what, remedy="check --data, --split and --class")
    if wish.order == "random":
        kept = [kept[i] for i in np.random.default_rng(wish.seed).permutation(len(kept))]
    count = IMAGES_OF_A_SHEET if config.contact_sheet and config.clips is None else wish.clips
    return kept[:count]


def _read(
    sample: ImageSample, shown: Sequence[_Shown], classes: Sequence[str], config: VisualizeConfig
) -> _Drawing:
    """Return an image with a panel for all there is of it.

    Raises:
        AttncliError: The image, its true label map, or something of a directory cannot be read.
    """
    image = read_rgb(sample.path)
    size_hw = image.shape[:2]
    truth = None
    if sample.label_map is not None:
        truth = read_label_map(sample.label_map, n_classes=len(classes), size_hw=size_hw)
    if config.contact_sheet:
        (one,) = shown
        labels = read_labels(one.seeds, sample.id, size_hw=size_hw, background=Background())
        row = _row(sample.id, one, labels, truth, classes)
        return _Drawing(LabelledImage(sample.id, image, {one.name: Labels(labels)}), [row])
    rows: list[Row] = []
    panels: dict[str, Panel] = {}
    for one in shown:
        if not one.seeds.label_map_path(sample.id).is_file():
            panels[one.name] = Heat(_highest(one.seeds, sample.id, size_hw))
            continue
        labels = read_labels(one.seeds, sample.id, size_hw=size_hw, background=Background())
        panels |= _differences(one, sample.id, size_hw)
        panels[one.name] = Labels(labels)
        if config.errors and truth is not None:
            panels[one.error_title] = Errors(labels, truth)
        rows.append(_row(sample.id, one, labels, truth, classes))
    if truth is not None:
        panels[TRUTH] = Labels(truth)
    return _Drawing(LabelledImage(sample.id, image, panels), rows)


def _titles(drawn: Sequence[_Drawing], shown: Sequence[_Shown]) -> list[str]:
    """Return the columns that any image has something for, the truth last."""
    there = {title for one in drawn for title in one.image.panels}
    return [title for title in (*(t for one in shown for t in one.titles), TRUTH) if title in there]


def _highest(
    seeds: SeedDirectory, image_id: str, size_hw: tuple[int, int]
) -> Float[np.ndarray, "h w"]:
    """Return the highest score of any class in each pixel."""
    scores = read_score_maps(seeds.path, image_id).scores
    _require_size(scores.shape[1:], size_hw, seeds.scores_path(image_id))
    return scores.max(axis=0, initial=np.float16(0))


def _differences(one: _Shown, image_id: str, size_hw: tuple[int, int]) -> dict[str, Panel]:
    """Return the scores by which SSDD chose, where the directory has them."""
    path = differences_path(one.seeds.path, image_id)
    if not path.is_file():
        return {}
    found = read_differences(one.seeds.path, image_id)
    _require_size(found.knowledge.shape, size_hw, path)
    scores = (found.knowledge, found.advice)
    return {title: Heat(s) for title, s in zip(one.difference_titles, scores, strict=True)}


def _require_size(shape: tuple[int, ...], size_hw: tuple[int, int], path: Path) -> None:
    if shape != size_hw:
        raise AttncliError("is of an image of another size", where=path, remedy=REMEDY)


def _row(
    image_id: str,
    one: _Shown,
    labels: UInt8[np.ndarray, "h w"],
    truth: UInt8[np.ndarray, "h w"] | None,
    classes: Sequence[str],
) -> Row:
    present = np.unique(labels[(labels > 0) & (labels != IGNORE_LABEL)])
    miou = None
    if truth is not None:
        miou = mean_iou_percent(pixel_confusion(truth, labels, n_labels=len(classes) + 1))
    names = ";".join(classes[number - 1] for number in present.tolist())
    return {"id": image_id, "run": str(one.path), "classes": names or None, "miou": miou}


def _figure(
    drawn: Sequence[_Drawing],
    titles: Sequence[str],
    classes: Sequence[str],
    config: VisualizeConfig,
) -> Figure:
    images = [one.image for one in drawn]
    size: Any = {"width_in": config.layout_in, "dpi": config.dpi}
    if config.contact_sheet:
        opacity = TINT if config.opacity is None else config.opacity
        return draw_contact_sheet(images, opacity=opacity, **size)
    names = (BACKGROUND, *classes)
    return draw_label_maps(images, titles, names, style=style_of(config), **size)
