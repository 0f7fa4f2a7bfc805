"""Small images of people in a manifest, and evaluations of how they were found again."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from attncli.files.feature_writing import Description, Rows, write_features

CAMERAS = ("1", "2")
SIZE_HW = (16, 8)
Line = tuple[str, int, str, str, str, int]
"""Query, rank, id, identity, camera and right."""


def make_people_images(root: Path, people: Sequence[str] = ("7", "8")) -> Path:
    """Write four images a person: one of each camera to learn from, a query and one to be found.

    Ids are `train/7_1` (of person 7 by camera 1), `query/7` and `gallery/7`; queries are of the
    first camera. Each camera has a grey of its own.
    """
    root.mkdir(parents=True)
    lines = ["id,path,label,split,subject,camera,role"]
    for person in people:
        for name, camera, split, role in (
            (f"train/{person}_1", "1", "train", ""),
            (f"train/{person}_2", "2", "train", ""),
            (f"query/{person}", "1", "val", "query"),
            (f"gallery/{person}", "2", "val", "gallery"),
        ):
            file = name.replace("/", "_") + ".png"
            grey = np.full((*SIZE_HW, 3), 60 * int(camera), np.uint8)
            Image.fromarray(grey).save(root / file)
            label = person if split == "train" else ""
            lines.append(f"{name},{file},{label},{split},{person},{camera},{role}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def make_people_maps(path: Path, data: Path, *, ids: Sequence[str], **about: object) -> Path:
    """Write 2x1 maps of a layer conv5 for training images, and return their directory."""
    seen = {"I": {"network": "resnet18", "weights": "none", **about}}
    description = Description(
        "none", ["conv5"], seen, settings={"data": str(data), "layout": "manifest"}
    )
    rows = Rows(ids, ["7"] * len(ids), ["train"] * len(ids), ["7"])
    maps = np.ones((len(ids), 3, 2, 1), np.float32)
    write_features(path, rows, description, {("I", "conv5"): maps})
    return path


def write_rankings(
    path: Path,
    rankings: Mapping[tuple[str, str], Sequence[Line]],
    curves: Mapping[tuple[str, str], Sequence[float]],
    *,
    split: str = "val",
) -> Path:
    """Let a run or feature directory have been evaluated, and return it.

    Args:
        path: Its directory.
        rankings: What was found by each layer and source.
        curves: Percents at ranks 1, 2, … of each.
        split: Which images were looked for.
    """
    where = path / "eval" / split
    for (layer, source), lines in rankings.items():
        file = where / "rankings" / source / f"{layer}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, ("query", "rank", "id", "identity", "camera", "right"), lines)
    where.mkdir(parents=True, exist_ok=True)
    points = [
        (*key, rank, percent)
        for key, percents in curves.items()
        for rank, percent in enumerate(percents, start=1)
    ]
    _write(where / "cmc.csv", ("layer", "source", "rank", "percent"), points)
    return path


def _write(path: Path, header: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
