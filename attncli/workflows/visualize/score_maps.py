"""Draw where runs see the classes that images show: their score maps over the images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.data.images.reading import read_rgb
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.files.failures import write_failures
from attncli.files.predictions import read_answers
from attncli.files.runs import Run, load
from attncli.files.score_maps import read_score_maps, score_maps_path
from attncli.files.seeds import SCORE_MAPS
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.score_maps import ScoredClass, ScoredImage, draw_score_maps
from attncli.visualization.selection import known_name
from attncli.workflows.runs.source import open_source
from attncli.workflows.visualize.attention import names_of
from attncli.workflows.visualize.picture import (
    figure_of,
    refuse_what_is_about_clips,
    style_of,
    wish_of,
)

BACKGROUND = "background"
"""Name of class 0 of label maps."""
COLUMNS = ("id", "label", "run", "class", "mean", "max")
"""What the table beside the picture says of each class in each image."""


@dataclass(frozen=True)
class _Scored:
    """A run's score maps, and the classes that its images show, by id."""

    run: Run
    name: str
    maps: Path
    labels: Mapping[str, str]


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw the score maps of runs over the same images.

    Args:
        config: What is to be drawn, and where; clips are images.
        runs: Run directories with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row an image, run and class present, and the images that could not be read.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: A run has no score maps, or the runs have no image in common.
    """
    refuse_what_is_about_clips(config)
    picture = figure_of(config, overwrite=overwrite)
    opened = _open(runs, config)
    chosen = _choose(opened, config)
    if dry_run:
        return picture.planned(
            {"id": id_, "label": _shown(opened, id_) or None, "run": str(one.run.directory.path)}
            for id_ in chosen
            for one in opened
        )
    picture.claim()
    samples = _samples(opened[0].run, config, chosen)
    shown: list[ScoredImage] = []
    failures: list[Failure] = []
    for id_ in reporter.track(chosen, label="read images", unit="images"):
        try:
            shown.append(_read(id_, samples, opened))
        except AttncliError as error:
            failures.append(Failure(id=id_, path=str(samples[id_].path), error=str(error)))
    write_failures(picture.failures, failures)
    rows = [row for one in shown for row in _rows(one, opened)]
    if shown:
        names = [one.name for one in opened]
        figure = draw_score_maps(
            shown, names, style=style_of(config), width_in=config.layout_in, dpi=config.dpi
        )
        texts = [*names, *(text for one in shown for text in (one.name, one.label))]
        picture.save(figure, pd.DataFrame(rows, columns=COLUMNS), texts, reporter)
    return Outcome(rows=rows, failures=failures)


def _open(runs: Sequence[Path], config: VisualizeConfig) -> list[_Scored]:
    opened = []
    for path, name in zip(runs, names_of(runs, config.names), strict=True):
        run = load(path)
        evaluation = run.directory.evaluation_path(config.split)
        if not (evaluation / SCORE_MAPS).is_dir():
            raise AttncliError(
                f"holds no score maps of split {config.split!r}",
                where=path,
                remedy=f"make them: attncli eval {path} --split {config.split}",
            )
        answers = read_answers(evaluation / "predictions.csv")
        labels = dict(zip(answers["id"], answers["label"], strict=True))
        opened.append(_Scored(run, name, evaluation / SCORE_MAPS, labels))
    return opened


def _choose(opened: Sequence[_Scored], config: VisualizeConfig) -> list[str]:
    """Return the ids of the images wished for, which every run has score maps of."""
    wish = wish_of(config)
    common = [id_ for id_ in opened[0].labels if all(id_ in one.labels for one in opened)]
    if not common:
        raise AttncliError("the runs have no image in common", remedy="evaluate them on one split")
    if wish.ids:
        return [known_name(id_, common, "--id") for id_ in dict.fromkeys(wish.ids)]
    labels = opened[0].labels
    classes = {id_: {name for name in labels[id_].split(";") if name} for id_ in common}
    for label in wish.labels:
        known_name(label, sorted(set().union(*classes.values())), "--class")
    kept = [id_ for id_ in common if not wish.labels or classes[id_] & set(wish.labels)]
    if wish.order == "random":
        kept = [kept[i] for i in np.random.default_rng(wish.seed).permutation(len(kept))]
    return kept[: wish.clips]


def _samples(run: Run, config: VisualizeConfig, ids: Sequence[str]) -> dict[str, ImageSample]:
    """Return the images wished for, in `--data` or else in the dataset of a run.

    Raises:
        AttncliError: The dataset does not have one of them.
    """
    source = open_source(run.method, run.config, run.directory.path, config.data)
    dataset: Any = source.open(config.split)
    samples = {sample.id: sample for sample in dataset.samples}
    for id_ in ids:
        if id_ not in samples:
            raise AttncliError(
                f"no such image: {id_!r}",
                where=dataset.root,
                remedy="give the dataset the runs were evaluated on with --data",
            )
    return samples


def _read(id_: str, samples: Mapping[str, ImageSample], opened: Sequence[_Scored]) -> ScoredImage:
    image = read_rgb(samples[id_].path)
    return ScoredImage(
        name=id_,
        label=_shown(opened, id_),
        image=image,
        runs=tuple(_classes(id_, one, image.shape[:2]) for one in opened),
    )


def _classes(id_: str, scored: _Scored, size_hw: tuple[int, ...]) -> tuple[ScoredClass, ...]:
    maps = read_score_maps(scored.maps, id_)
    if maps.scores.shape[1:] != size_hw:
        raise AttncliError(
            "is of an image of another size",
            where=score_maps_path(scored.maps, id_),
            remedy="evaluate the run again",
        )
    names = (BACKGROUND, *scored.run.classes)
    if maps.classes.max(initial=0) >= len(names):
        raise AttncliError(
            f"has scores of class {maps.classes.max()}, the run has {len(names) - 1}",
            where=score_maps_path(scored.maps, id_),
            remedy="evaluate the run again",
        )
    return tuple(
        ScoredClass(names[number], scores)
        for number, scores in zip(maps.classes.tolist(), maps.scores, strict=True)
    )


def _shown(opened: Sequence[_Scored], id_: str) -> str:
    """Return the classes that an image shows, as they are written; empty where none is known."""
    return opened[0].labels[id_].replace(";", ", ")


def _rows(shown: ScoredImage, opened: Sequence[_Scored]) -> list[Row]:
    return [
        {
            "id": shown.name,
            "label": shown.label or None,
            "run": str(one.run.directory.path),
            "class": scored.name,
            "mean": float(scored.scores.mean(dtype=np.float64)),
            "max": float(scored.scores.max()),
        }
        for one, classes in zip(opened, shown.runs, strict=True)
        for scored in classes
    ]
