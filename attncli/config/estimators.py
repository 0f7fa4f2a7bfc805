"""Settings of every estimator: which features it is fitted to, and on which images it is tested."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from attncli.config.fields import Checked, Option
from attncli.config.training import LARGEST_SEED, require

NO_FUSION = "none"
"""What stands for no fusion."""
BASELINES = ("conv5", "fc", "random-fc", "cam", "random-cam")
"""Layers that all others are held against, where they are there."""


@dataclass(frozen=True, kw_only=True)
class EstimatorConfig(Checked):
    """What any method that is fitted at once to features can be told."""

    data: Path
    """Feature directory, as `attncli svd-fc` writes it."""
    layers: tuple[str, ...] = ()
    """Layers to fit to, each by itself; all that there are where unset."""
    sources: tuple[str, ...] = ()
    """Sources to fit to, each by itself; all that there are where unset."""
    fuse: tuple[str, ...] = ()
    """Sources to put side by side besides, such as `I+P`; all of them together where unset, and
    `none` for no fusion."""
    combinations: bool = False
    """Put every layer of the first source beside every layer of the second one, too."""
    splits: Annotated[int, Option(least=0, most=10_000)] = 0
    """Random divisions of all images into training and test images, each alike in classes; 0 takes
    the dataset's own training and validation images."""
    train_per_class: Annotated[int | None, Option(least=1)] = None
    """Training images of each class in a random division; half of each class where unset."""
    baseline: Annotated[tuple[str, ...], Option(may_be_empty=True)] = BASELINES
    """Layers that the others are held against, image by image and division by division."""
    seed: Annotated[int, Option(least=0, most=LARGEST_SEED)] = 0
    """Seed of random divisions, and of what an estimator draws."""
    workers: Annotated[int | None, Option(short="-j", least=0)] = None
    """Processes, each with a fit at a time; as many as cores and memory allow where unset, 0 fits
    in the main process."""

    def __post_init__(self) -> None:
        """Refuse what excludes each other.

        Raises:
            UsageError: A value is out of its range, or has no meaning beside another.
        """
        super().__post_init__()
        for name in ("layers", "sources", "fuse", "baseline"):
            given = getattr(self, name)
            require(len(set(given)) == len(given), name, "must not name the same one twice")
        alone = NO_FUSION not in self.fuse or self.fuse == (NO_FUSION,)
        require(alone, "fuse", f"must be {NO_FUSION!r} or fusions, not both")
        drawn = self.train_per_class is None or self.splits > 0
        require(drawn, "train_per_class", "needs --splits")
