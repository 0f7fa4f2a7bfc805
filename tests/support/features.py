"""Small feature directories, whose classes can be told apart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attncli.files.feature_writing import Description, Rows, write_features
from attncli.files.features import SINGULAR_VALUES, Pool

MAP_SIZE = 3
"""Rows and columns of maps."""


def make_features(
    path: Path,
    *,
    n_train: int = 24,
    n_val: int = 12,
    n_classes: int = 3,
    sources: Sequence[str] = ("I",),
    layers: Sequence[str] = ("fc", "svd-fc"),
    dim: int = 8,
    seed: int = 0,
    pool: Pool = "gap",
    fusions: Sequence[str] = (),
    data: Path | None = None,
    noise: float = 0.5,
) -> Path:
    """Write features around a point a class, and return where they are.

    Args:
        path: Directory.
        n_train: Training images; image n is of class n modulo `n_classes`.
        n_val: Images for validation, likewise.
        n_classes: Classes, called `class0` and so on.
        sources: Names of networks.
        layers: Names of layers.
        dim: Numbers an image, or channels of its maps where `pool` is `none`.
        seed: Of the noise.
        pool: What is said to have become of maps.
        fusions: Such as `I+P`.
        data: Where the images are said to be.
        noise: Standard deviation around a class, whose points are about sqrt(2 * dim) apart.
    """
    total = n_train + n_val
    names = [f"class{n}" for n in range(n_classes)]
    numbers = [*(n % n_classes for n in range(n_train)), *(n % n_classes for n in range(n_val))]
    splits = ["train"] * n_train + ["val"] * n_val
    order = [*range(n_train), *range(n_val)]
    ids = [f"{s}/{names[c]}/{n}" for s, c, n in zip(splits, numbers, order, strict=True)]
    rng = np.random.default_rng(seed)
    arrays: dict[tuple[str, str], np.ndarray] = {}
    for source in (*sources, *fusions):
        for layer in layers:
            values = rng.normal(size=(n_classes, dim))[numbers] + noise * rng.normal(
                size=(total, dim)
            )
            if pool == "none":
                cells = rng.normal(scale=noise, size=(total, dim, MAP_SIZE, MAP_SIZE))
                values = values[:, :, None, None] + cells
            arrays[source, layer] = values.astype(np.float32)
    about = {name: {"network": "resnet18", "weights": "none", "classes": 10} for name in sources}
    bases = {
        (name, SINGULAR_VALUES): np.sort(rng.random(dim))[::-1].astype(np.float64)
        for name in sources
    }
    settings = {"data": str(data or path.parent / "data")}
    description = Description(pool, layers, about, fusions=fusions, scales=None, settings=settings)
    write_features(
        path,
        Rows(ids, [names[c] for c in numbers], splits, names),
        description,
        arrays,
        bases=bases,
    )
    return path


def make_people(
    path: Path,
    *,
    n_people: int = 8,
    cameras: Sequence[str] = ("1", "2"),
    maps_hw: tuple[int, int] | None = None,
    dim: int = 8,
    seed: int = 0,
    sources: Sequence[str] = ("I",),
    layers: Sequence[str] = ("fc",),
    per_camera: int = 2,
    noise: float = 0.3,
    data: Path | None = None,
) -> Path:
    """Write features of people, and return where they are.

    The first half of the people is for training, labelled with who they are. Of the others each
    camera's first image is a query and the rest is the gallery, beside a distractor.

    Args:
        path: Directory.
        n_people: People, called `0001` and so on.
        cameras: Names of cameras, each of which sees everybody and shifts all features.
        maps_hw: Rows and columns of maps; vectors where None.
        dim: Numbers an image, or channels of its maps.
        seed: Of all draws.
        sources: Names of networks.
        layers: Names of layers.
        per_camera: Images of each person by each camera.
        noise: Standard deviation around a person and of a camera's shift.
        data: Where the images are said to be.
    """
    people = [f"{n + 1:04d}" for n in range(n_people)]
    learnt = people[: n_people // 2]
    shown = [(who, where, n) for who in people for where in cameras for n in range(per_camera)]
    shown.append(("", cameras[0], 0))
    roles = [_role(who, n, learnt) for who, _, n in shown]
    rng = np.random.default_rng(seed)
    shape = (dim,) if maps_hw is None else (dim, *maps_hw)
    arrays: dict[tuple[str, str], np.ndarray] = {}
    for source in sources:
        for layer in layers:
            points = {who: rng.normal(size=shape) for who in ("", *people)}
            shifts = {where: noise * rng.normal(size=shape) for where in cameras}
            values = [
                points[who] + shifts[where] + noise * rng.normal(size=shape)
                for who, where, _ in shown
            ]
            arrays[source, layer] = np.array(values, dtype=np.float32)
    about = {name: {"network": "resnet18", "weights": "none", "classes": 10} for name in sources}
    settings = {"data": str(data or path.parent / "data"), "layout": "market1501"}
    rows = Rows(
        ids=[f"{who or '0000'}_c{where}_{n}" for who, where, n in shown],
        labels=[who if who in learnt else "" for who, _, _ in shown],
        splits=["train" if who in learnt else "val" for who, _, _ in shown],
        classes=learnt,
        subjects=[who for who, _, _ in shown],
        cameras=[where for _, where, _ in shown],
        roles=roles,
    )
    pool: Pool = "gap" if maps_hw is None else "none"
    write_features(path, rows, Description(pool, layers, about, settings=settings), arrays)
    return path


def _role(who: str, number: int, learnt: Sequence[str]) -> str:
    if who in learnt:
        return ""
    return "query" if who and number == 0 else "gallery"
