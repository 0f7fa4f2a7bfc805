"""Draw which places count in pooling maps of people, camera by camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from jaxtyping import Float64, UInt8

from attncli.config.visualize import VisualizeConfig
from attncli.data.images.center_crops import CenterCrop
from attncli.data.images.reading import read_rgb
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.failures import write_failures
from attncli.files.features import FeatureDirectory, open_features
from attncli.files.fits import Fit, open_fits
from attncli.files.runs import load
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.position_maps import CameraPeople, PositionMap, draw_position_maps
from attncli.visualization.selection import known_name
from attncli.workflows.visualize.feature_images import images_of, samples_of
from attncli.workflows.visualize.picture import (
    Picture,
    figure_of,
    refuse_what_is_about_clips,
    style_of,
)

METHOD = "c-dpcf"
"""Whose runs have position maps."""
MOST_MAPS = 9
"""Maps shown in a figure, as long as there is one of each layer."""
MOST_PEOPLE = 200
"""Images of a camera that the mean is of, evenly spaced in the order of the dataset."""
ALL_CAMERAS = "all cameras"
"""What the row of maps that cameras share is called."""
COLUMNS = ("run", "source", "layer", "map", "ratio", "camera", "images", "least", "greatest")
"""What the table beside the picture says of each map."""


@dataclass(frozen=True)
class _Layer:
    """The position maps of a layer of a source."""

    source: str
    layer: str
    maps: Float64[np.ndarray, "v m hm wm"]
    """Weights of each camera, map and place."""
    ratios: tuple[float, ...]
    """Scatter between people over that within them, one a map."""
    cameras: tuple[str, ...]
    """Cameras in the order of the maps; empty where all share one set."""

    def map(self, number: int, title: str) -> PositionMap:
        """Return one of its maps, counted from 0."""
        facts = (f"map {number + 1}", f"ratio {self.ratios[number]:.3g}")
        return PositionMap(title, facts, self.maps[:, number])


@dataclass(frozen=True)
class _Shown:
    """All that is drawn, and of what."""

    run: Path
    features: FeatureDirectory
    layers: tuple[_Layer, ...]
    per_layer: int
    """Maps drawn of a layer, at most."""

    @property
    def cameras(self) -> tuple[str, ...]:
        return self.layers[0].cameras

    @property
    def maps(self) -> list[PositionMap]:
        """All maps that are drawn; layers of several sources are called by these, too."""
        single = len({layer.source for layer in self.layers}) == 1
        return [
            layer.map(number, layer.layer if single else f"{layer.source} {layer.layer}")
            for layer, number in self.numbered
        ]

    @property
    def numbered(self) -> list[tuple[_Layer, int]]:
        """All maps that are drawn, each as its layer and number."""
        return [
            (layer, number)
            for layer in self.layers
            for number in range(min(self.per_layer, layer.maps.shape[1]))
        ]


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw position maps over the mean person of each camera: a row a camera, a column a map.

    Args:
        config: Which layers are drawn, and where.
        runs: One run of c-dpcf.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress, and is told of maps that are left out.

    Returns:
        One row a map and camera, and the images that could not be read.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: The run has no position maps, or its images are not there.
    """
    _refuse_what_is_about_images(config, runs)
    picture = figure_of(config, overwrite=overwrite)
    shown = _open(runs[0], config.layers)
    seen = _seen(shown)
    people = _people(shown, config)
    if dry_run:
        return picture.planned(_rows(shown, {name: len(own) for name, own in people.items()}))
    picture.claim()
    failures: list[Failure] = []
    means = [
        _mean(name, samples, seen, failures)
        for name, samples in reporter.track(
            list(people.items()), label="read images", unit="cameras"
        )
    ]
    write_failures(picture.failures, failures)
    counts = [mean.images for mean in means]
    rows = _rows(shown, dict(zip(people, counts, strict=True)))
    _write(config, picture, shown, means, rows, reporter)
    return Outcome(rows=rows, failures=failures)


def _write(
    config: VisualizeConfig,
    picture: Picture,
    shown: _Shown,
    people: Sequence[CameraPeople],
    rows: Sequence[Row],
    reporter: Reporter,
) -> None:
    left_out = sum(layer.maps.shape[1] for layer in shown.layers) - len(shown.numbered)
    if left_out:
        reporter.note(f"{left_out} maps of lower ratios are not shown; name layers with --layer")
    maps = shown.maps
    figure = draw_position_maps(
        people, maps, style=style_of(config), width_in=config.layout_in, dpi=config.dpi
    )
    texts = [*(camera.name for camera in people), *(one.title for one in maps)]
    picture.save(figure, pd.DataFrame(rows, columns=COLUMNS), texts, reporter)


def _refuse_what_is_about_images(config: VisualizeConfig, runs: Sequence[Path]) -> None:
    """Refuse options about single images, and several runs.

    Raises:
        UsageError: One is given.
    """
    refuse_what_is_about_clips(config)
    given = [*config.about_clips, *(["--class"] if config.classes else [])]
    for flag in given:
        remedy = "leave it out"
        raise UsageError("is about single images, not their mean", where=flag, remedy=remedy)
    if len(runs) > 1:
        raise UsageError("shows one run", where="--show position-maps", remedy="name one")


def _open(path: Path, layers: Sequence[str]) -> _Shown:
    """Return the position maps of a run.

    Raises:
        UsageError: There is no such layer.
        AttncliError: It has no position maps, or its features are not there.
    """
    run = load(path)
    if run.method != METHOD:
        remedy = f"name a run of {METHOD}"
        raise AttncliError(f"a run of {run.method} has no position maps", where=path, remedy=remedy)
    fits = open_fits(run.directory.weights_path)
    features = open_features(run.config.data)
    found = [_layer(fit, fits.state(fit), features, path) for fit in fits.fits if fits.state(fit)]
    if not found:
        remedy = "train it with --pooling c-dpcf or shared-maps"
        raise AttncliError("pools without position maps", where=path, remedy=remedy)
    known = list(dict.fromkeys(one.layer for one in found))
    wanted = [known_name(layer, known, "--layer") for layer in layers] or known
    kept = tuple(one for layer in wanted for one in found if one.layer == layer)
    return _Shown(path, features, kept, max(1, MOST_MAPS // len(kept)))


def _layer(
    fit: Fit, state: Mapping[str, np.ndarray], features: FeatureDirectory, run: Path
) -> _Layer:
    """Return the maps of a layer in the rows and columns that its features have.

    Raises:
        AttncliError: The features are of other maps than the run's.
    """
    rows, columns = features.open(fit.source, fit.layer).shape[2:]
    maps = np.asarray(state["maps"], dtype=np.float64)
    if maps.shape[2] != rows * columns:
        what = (
            f"has weights of {maps.shape[2]} places of {fit.layer}, but that has {rows}x{columns}"
        )
        raise AttncliError(what, where=run, remedy="train the run anew")
    cameras = tuple(str(fit.facts["cameras"]).split(",")) if fit.facts.get("cameras") else ()
    cells = maps.reshape(*maps.shape[:2], rows, columns)
    return _Layer(fit.source, fit.layer, cells, tuple(map(float, state["ratios"])), cameras)


def _seen(shown: _Shown) -> Mapping[str, Any]:
    """Return what is said of the part of an image that the sources saw.

    Raises:
        AttncliError: They saw different parts.
    """
    names = ("whole_hw", "resize_px", "crop_px", "interpolation")
    sources = shown.features.settings["sources"]
    about = [{name: sources[layer.source].get(name) for name in names} for layer in shown.layers]
    if any(one != about[0] for one in about):
        remedy = "train a run of each source"
        raise AttncliError("its sources saw different parts", where=shown.run, remedy=remedy)
    return about[0]


def _cut(image: UInt8[np.ndarray, "_ _ 3"], seen: Mapping[str, Any]) -> UInt8[np.ndarray, "h w 3"]:
    """Return what a network saw of an image: all of it, or the square in its middle."""
    if seen["whole_hw"]:
        height, width = seen["whole_hw"]
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    cut = CenterCrop(seen["resize_px"], seen["crop_px"], seen["interpolation"])
    return cut(image).permute(1, 2, 0).numpy()


def _people(shown: _Shown, config: VisualizeConfig) -> dict[str, list[ImageSample]]:
    """Return training images of each camera, evenly spaced and not too many.

    Raises:
        AttncliError: The dataset does not have them, or no image is of a camera.
    """
    features = shown.features
    rows = zip(features.ids, features.splits, strict=True)
    ids = [id_ for id_, split in rows if split == "train"]
    samples = samples_of(images_of(features.path, config.data), ids)
    by_camera: dict[str, list[ImageSample]] = {name: [] for name in shown.cameras}
    if not shown.cameras:
        by_camera[ALL_CAMERAS] = [samples[id_] for id_ in ids]
    else:
        for sample in (samples[id_] for id_ in ids):
            by_camera.get(sample.camera or "", []).append(sample)
    empty = next((name for name, own in by_camera.items() if not own), None)
    if empty is not None:
        what = f"holds no training image of camera {empty}"
        raise AttncliError(what, where=features.path, remedy="name its dataset with --data")
    return {name: own[:: -(-len(own) // MOST_PEOPLE)] for name, own in by_camera.items()}


def _mean(
    name: str, samples: Sequence[ImageSample], seen: Mapping[str, Any], failures: list[Failure]
) -> CameraPeople:
    """Return the mean of what was seen of images; those that cannot be read join `failures`.

    Raises:
        AttncliError: None can be read.
    """
    total: Any = 0.0
    count = 0
    for sample in samples:
        try:
            total = total + _cut(read_rgb(sample.path), seen).astype(np.float64)
        except AttncliError as error:
            failures.append(Failure(id=sample.id, path=str(sample.path), error=str(error)))
        else:
            count += 1
    if not count:
        raise AttncliError(f"no image of camera {name} can be read", where=samples[0].path.parent)
    mean = np.rint(total / count).astype(np.uint8)
    return CameraPeople(_title(name), count, mean)


def _title(camera: str) -> str:
    """Return what a camera is called; some are known by a number alone."""
    return f"camera {camera}" if camera.isdigit() else camera


def _rows(shown: _Shown, images: Mapping[str, int]) -> list[Row]:
    return [
        {
            "run": str(shown.run),
            "source": layer.source,
            "layer": layer.layer,
            "map": number + 1,
            "ratio": layer.ratios[number],
            "camera": camera,
            "images": images[camera],
            "least": float(weights.min()),
            "greatest": float(weights.max()),
        }
        for layer, number in shown.numbered
        for camera, weights in zip(images, layer.maps[:, number], strict=True)
    ]
