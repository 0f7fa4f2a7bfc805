"""Settings of `attncli demo`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from attncli.catalog import PAPERS
from attncli.config.fields import Checked, Option

DEMOS = tuple(paper.key for paper in PAPERS if paper.demo)


@dataclass(frozen=True, kw_only=True)
class DemoConfig(Checked):
    """Which paper is shown, and how long its networks are trained; each has its own lengths."""

    is_typed_alone: ClassVar[bool] = True

    paper: Annotated[str, Option(is_argument=True, choices=DEMOS)] = DEMOS[0]
    """Paper to reproduce."""
    out: Annotated[Path, Option(short="-o")] = Path("demo")
    """Directory to write."""
    seeds: Annotated[int, Option(least=1)] = 1
    """Seeds to train each model with."""
    size: Annotated[int | None, Option(least=3)] = None
    """Toy videos of each class; of ram people, of ssdd images, of svd-fc images of each class."""
    pretraining_epochs: Annotated[int | None, Option(least=1)] = None
    """Epochs on other toy videos or images, which stand in for Kinetics or ImageNet."""
    epochs: Annotated[int | None, Option(least=1)] = None
    """Epochs of each model; of ram's without Enhanced ConvLSTM twice as many, of ssdd's
    affinities half as many."""
    tuning_epochs: Annotated[int | None, Option(least=1)] = None
    """Epochs of st-abn's fine-tuning on edits."""
    offline_weights: bool = False
    """svd-fc: take networks that were trained on ImageNet, of the extra `offline-weights`, and
    train none."""
