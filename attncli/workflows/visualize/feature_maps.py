"""Draw where the sources of features see a class in images they were not trained for.

CAM beside SVD-CAM of the same class (figure 2 of the report on SVD-CAM), or the mean magnitude of
the maps of all classes (its figure 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from attncli.config.visualize import VisualizeConfig
from attncli.data.images.center_crops import CenterCrop
from attncli.data.images.reading import read_rgb
from attncli.data.layouts.images import open_images
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.files.failures import write_failures
from attncli.files.features import FeatureDirectory, open_features
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.feature_maps import FeatureMap, MappedImage, draw_feature_maps
from attncli.visualization.selection import known_name
from attncli.workflows.visualize.picture import Picture, figure_of, style_of, wish_of
from attncli.workflows.visualize.source_classes import SourceClasses, source_classes

LAYERS = {"cam": "CAM", "svd-cam": "SVD-CAM"}
"""Layers with a map a class, and what they are called in a figure."""
COLUMNS = ("id", "label", "source", "layer", "class", "mean", "min", "max")
"""What the table beside the picture says of each map."""


@dataclass(frozen=True)
class _Column:
    """Maps of a layer of a source."""

    source: str
    layer: str
    maps: np.ndarray
    """Memory-mapped, (images, classes, rows, columns)."""
    cut: CenterCrop
    """What the source sees of an image."""

    @property
    def title(self) -> str:
        return f"{LAYERS[self.layer]} {self.source}"


@dataclass(frozen=True)
class _Shown:
    """All that is drawn, and of what."""

    features: FeatureDirectory
    columns: tuple[_Column, ...]
    classes: Mapping[str, SourceClasses]
    """Classes of each source; empty where a picture is of all of them."""


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw maps over images, a row an image.

    Args:
        config: What is to be drawn, and where; clips are images.
        runs: One feature directory, of maps.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row an image and map, and the images that could not be read.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: The directory has no maps of classes, or its dataset is not there.
    """
    picture = figure_of(config, overwrite=overwrite)
    shown = _open(open_features(runs[0]), config)
    rows = _choose(shown.features, config)
    if dry_run:
        return picture.planned(_plan(shown, rows))
    picture.claim()
    samples = _samples(shown.features, config, rows)
    images: list[MappedImage] = []
    answers: list[Row] = []
    failures: list[Failure] = []
    for row in reporter.track(rows, label="read images", unit="images"):
        sample = samples[shown.features.ids[row]]
        try:
            image, facts = _read(shown, row, sample)
        except AttncliError as error:
            failures.append(Failure(id=sample.id, path=str(sample.path), error=str(error)))
        else:
            images.append(image)
            answers += facts
    write_failures(picture.failures, failures)
    if images:
        _write(config, picture, shown, images, answers, reporter)
    return Outcome(rows=answers, failures=failures)


def _write(
    config: VisualizeConfig,
    picture: Picture,
    shown: _Shown,
    images: Sequence[MappedImage],
    rows: Sequence[Row],
    reporter: Reporter,
) -> None:
    titles = [column.title for column in shown.columns]
    figure = draw_feature_maps(
        images, titles, style=style_of(config), width_in=config.layout_in, dpi=config.dpi
    )
    captions = (one.caption for image in images for one in image.maps)
    texts = [*titles, *captions, *(text for one in images for text in (one.name, one.label))]
    picture.save(figure, pd.DataFrame(rows, columns=COLUMNS), texts, reporter)


def _open(features: FeatureDirectory, config: VisualizeConfig) -> _Shown:
    """Return the maps of all sources.

    Raises:
        UsageError: No source has such a class.
        AttncliError: There are no maps, or those of SVD-CAM are of no classes.
    """
    _require_maps(features, one_class=config.show != "mean-maps")
    columns = tuple(
        _Column(source, layer, features.open(source, layer), _cut_of(features, source))
        for source in features.sources
        for layer in LAYERS
        if features.has(source, layer)
    )
    flat = next((column for column in columns if column.maps.ndim != 4), None)
    if flat is not None:
        what = f"{flat.layer} of {flat.source} holds vectors, not maps"
        raise AttncliError(what, where=features.path, remedy="write the directory anew")
    classes = {} if config.show == "mean-maps" else source_classes(features, config.source_classes)
    return _Shown(features, columns, classes)


def _require_maps(features: FeatureDirectory, *, one_class: bool) -> None:
    layers = [layer for layer in LAYERS if layer in features.layers]
    if features.pool != "none" or not layers:
        remedy = "extract with --pool none --layers cam,svd-cam"
        raise AttncliError("has no maps of classes", where=features.path, remedy=remedy)
    if one_class and "svd-cam" in layers and features.settings.get("basis", "polar") != "polar":
        remedy = "extract with --basis polar, or choose --show mean-maps"
        what = "its SVD-CAM has no map of each class"
        raise AttncliError(what, where=features.path, remedy=remedy)


def _cut_of(features: FeatureDirectory, source: str) -> CenterCrop:
    about = features.settings["sources"][source]
    try:
        return CenterCrop(about["resize_px"], about["crop_px"], about["interpolation"])
    except KeyError as error:
        what = f"does not say which {error} source {source} has"
        raise AttncliError(what, where=features.path, remedy="write it anew") from None


def _choose(features: FeatureDirectory, config: VisualizeConfig) -> list[int]:
    """Return the rows of the images wished for."""
    wish = wish_of(config)
    if wish.ids:
        rows = {id_: row for row, id_ in enumerate(features.ids)}
        return [rows[known_name(id_, list(rows), "--id")] for id_ in dict.fromkeys(wish.ids)]
    kept = [row for row, split in enumerate(features.splits) if split == config.split]
    if not kept:
        what = f"has no image of split {config.split!r}"
        raise AttncliError(what, where=features.path, remedy="name another --split")
    for label in wish.labels:
        known_name(label, sorted({features.labels[row] for row in kept} - {""}), "--class")
    kept = [row for row in kept if not wish.labels or features.labels[row] in wish.labels]
    if wish.order == "random":
        kept = [kept[i] for i in np.random.default_rng(wish.seed).permutation(len(kept))]
    return kept[: wish.clips]


def _samples(
    features: FeatureDirectory, config: VisualizeConfig, rows: Sequence[int]
) -> dict[str, ImageSample]:
    """Return the images of rows, in `--data` or else in the dataset of the features.

    Raises:
        AttncliError: The dataset does not have one of them.
    """
    layout = str(features.settings.get("layout", "auto"))
    if config.data is None:
        dataset = open_images(Path(features.settings["data"]), layout=layout, split="all")
    else:
        dataset = open_images(config.data, split="all")
    samples = {sample.id: sample for sample in dataset.samples}
    for id_ in (features.ids[row] for row in rows):
        if id_ not in samples:
            remedy = "give the dataset the features were made of with --data"
            raise AttncliError(f"no such image: {id_!r}", where=dataset.root, remedy=remedy)
    return samples


def _read(shown: _Shown, row: int, sample: ImageSample) -> tuple[MappedImage, list[Row]]:
    """Return an image with its maps, and what is said of each map."""
    image = read_rgb(sample.path)
    label = shown.features.labels[row]
    maps = tuple(_map(shown, column, row, image) for column in shown.columns)
    facts = [
        _facts(sample.id, label, column, one)
        for column, one in zip(shown.columns, maps, strict=True)
    ]
    return MappedImage(sample.id, label, maps), facts


def _map(shown: _Shown, column: _Column, row: int, image: UInt8[np.ndarray, "h w 3"]) -> FeatureMap:
    maps = np.asarray(column.maps[row], dtype=np.float64)
    if not np.isfinite(maps).all():
        what = f"{column.layer} of {column.source} holds a value that is not finite"
        raise AttncliError(what, where=shown.features.path)
    seen = column.cut(image).permute(1, 2, 0).numpy()
    if column.source not in shown.classes:
        return FeatureMap(seen, np.abs(maps).mean(axis=0))
    classes = shown.classes[column.source]
    number = classes.wished
    if number is None:
        number = int(_decisive(shown, column, row).mean(axis=(1, 2)).argmax())
    return FeatureMap(seen, maps[number], classes.name(number))


def _decisive(shown: _Shown, column: _Column, row: int) -> Float[np.ndarray, "k hm wm"]:
    """Return the maps whose means are a source's class scores (without bias): its CAMs, if any."""
    same = [one for one in shown.columns if one.source == column.source]
    return np.asarray(same[0].maps[row], dtype=np.float64)


def _facts(id_: str, label: str, column: _Column, one: FeatureMap) -> Row:
    return {
        "id": id_,
        "label": label or None,
        "source": column.source,
        "layer": column.layer,
        "class": one.caption or None,
        "mean": float(one.values.mean()),
        "min": float(one.values.min()),
        "max": float(one.values.max()),
    }


def _plan(shown: _Shown, rows: Sequence[int]) -> list[Row]:
    features = shown.features
    return [
        {
            "id": features.ids[row],
            "label": features.labels[row] or None,
            "source": column.source,
            "layer": column.layer,
        }
        for row in rows
        for column in shown.columns
    ]
