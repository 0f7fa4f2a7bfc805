"""What a sixth paper of a known task costs: a row of the catalog, and a module of its own.

Each method here is written as a newcomer would write it, and trained, evaluated and drawn by the
commands as they are.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli import catalog, papers

MODULE = '''
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from attncli.config.images import ImageConfig
from attncli.config.ram import SequenceConfig
from attncli.config.training import ClipConfig
from attncli.losses.classification import ClipObjective, classification_criterion
from attncli.training.objective import Learned
from attncli.types import BranchOutputs, Losses


@dataclass(frozen=True, kw_only=True)
class ColorOfClips(ClipConfig):
    """Mean colour of clips."""

    heading: ClassVar[str] = "Sixth"
    gain: float = 1.0
    """Factor on the colours."""


@dataclass(frozen=True, kw_only=True)
class ColorOfFaces(SequenceConfig):
    """Mean colour of faces."""


@dataclass(frozen=True, kw_only=True)
class ColorOfImages(ImageConfig):
    """Mean colour of images."""


class OfClips(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.linear = nn.Linear(3, n_classes)

    def forward(self, frames):
        return BranchOutputs(scores=self.linear(frames.float().mean((2, 3, 4)) / 255))


class OfImages(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.linear = nn.Conv2d(3, n_classes, 1)

    def class_maps(self, images):
        return self.linear(functional.avg_pool2d(images.float() / 255, 4))

    def forward(self, images):
        return self.class_maps(images).mean((2, 3))


def objective_of_images(network, batch):
    scores = network(batch.images)
    loss = functional.binary_cross_entropy_with_logits(scores, batch.labels.float())
    return Losses(total=loss, terms={"cls": loss})


def build_clips(config, n_classes, *, reporter=None):
    return Learned(OfClips(n_classes), ClipObjective(classification_criterion))


def build_images(config, n_classes, *, reporter=None):
    return Learned(OfImages(n_classes), objective_of_images)
'''
TINY_CLIPS = (
    *("--frames", "2", "--frame-stride", "1", "--crop-px", "16", "--short-side-min-px", "16"),
    *("--short-side-max-px", "16", "--short-side-val-px", "16"),
)
TINY = ("--epochs", "2", "--batch-size", "4", "--workers", "0", "--device", "cpu")


@pytest.fixture
def sixth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Adds a method of each task to the catalog, in a module written to disk."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "sixth_paper.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    of_images = replace(papers.SSDD, key="sixth", module="sixth_paper")
    rows = [
        ("color-of-clips", papers.CLIPS, "ColorOfClips", "build_clips"),
        ("color-of-faces", papers.FACES, "ColorOfFaces", "build_clips"),
        ("color-of-images", papers.IMAGES, "ColorOfImages", "build_images"),
    ]
    methods = [
        catalog.Method(
            name=name,
            summary="Mean colour.",
            paper=of_images,
            task=task,
            config=f"sixth_paper:{config}",
            build=f"sixth_paper:{build}",
            example=f"attncli train {name}",
        )
        for name, task, config, build in rows
    ]
    monkeypatch.setattr(catalog, "METHODS", (*catalog.METHODS, *methods))
    monkeypatch.setattr("attncli.commands.train.METHODS", catalog.METHODS)


def colored(path: Path, color: int, seed: int = 0) -> None:
    picture = np.random.default_rng(seed).integers(0, 60, (24, 32, 3), np.uint8)
    picture[..., color] += 150
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def rows_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.exit_code == 0, answer.stderr
    rows: list[dict[str, Any]] = json.loads(answer.stdout)
    return rows


@pytest.mark.usefixtures("sixth")
def test_a_method_of_clips(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    lines = ["id,path,label,split"]
    for number in range(8):
        folder = tmp_path / "frames" / f"v{number}"
        for frame in range(3):
            colored(folder / f"{frame + 1:06}.png", number % 2, seed=number)
        lines.append(
            f"v{number},{folder},{'red' if number % 2 == 0 else 'green'},"
            f"{'train' if number < 4 else 'val'}"
        )
    (tmp_path / "list.csv").write_text("\n".join(lines) + "\n")
    run = tmp_path / "run"
    data = ("--data", tmp_path / "list.csv", "-o", run, "--lr", "0.5", "--json")
    (row,) = rows_of(run_cli("train", "color-of-clips", *data, *TINY, *TINY_CLIPS, "--gain", "2"))
    assert (row["method"], row["clips"]) == ("color-of-clips", 4)
    (again,) = rows_of(run_cli("eval", run, "--split", "train", "--json", "--device", "cpu"))
    assert again["top1"] is not None
    assert "gain = 2.0" in (run / "config.toml").read_text()


@pytest.mark.usefixtures("sixth")
def test_a_method_of_faces(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    lines = ["id,path,label,subject"]
    for number in range(6):
        folder = tmp_path / "frames" / f"s{number}"
        for frame in range(3):
            colored(folder / f"{frame + 1:06}.png", number % 2, seed=number)
        lines.append(f"s{number},{folder},{'red' if number % 2 == 0 else 'green'},p{number // 2}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    settings = ("--folds", "2", "--frames", "2", "--face-px", "8", "--margin-px", "0")
    settings += ("--color", "rgb", "--face-crop", "centre", "--parallel-folds", "1")
    run = tmp_path / "run"
    data = ("--data", tmp_path / "manifest.csv", "-o", run, "--json")
    (row,) = rows_of(run_cli("train", "color-of-faces", *data, *TINY, *settings))
    assert (row["folds"], row["sequences"]) == (2, 6)
    assert (run / "fold02" / "eval" / "val" / "predictions.csv").is_file()


@pytest.mark.usefixtures("sixth")
def test_a_method_of_images(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    for split in ("train", "val"):
        for number in range(4):
            name = ("red", "green")[number % 2]
            colored(tmp_path / "data" / split / name / f"i{number}.png", number % 2, seed=number)
    run = tmp_path / "run"
    sizes = ("--crop-px", "16", "--long-side-min-px", "16", "--long-side-max-px", "24")
    data = ("--data", tmp_path / "data", "-o", run, "--lr", "0.5", "--json")
    (row,) = rows_of(run_cli("train", "color-of-images", *data, *TINY, *sizes))
    assert (row["images"], row["method"]) == (4, "color-of-images")
    maps = list((run / "eval" / "val" / "score_maps").rglob("*.npz"))
    assert len(maps) == 4
    figure = tmp_path / "maps.png"
    assert run_cli("visualize", run, "-o", figure, "--clips", "2").exit_code == 0
    assert figure.is_file()
