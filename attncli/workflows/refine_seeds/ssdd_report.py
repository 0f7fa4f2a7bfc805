"""What static SSDD did to seeds: `report.csv`, `images.csv` and `classes.csv` of its directory.

`report.csv` has the figures over all images, `images.csv` a line an image, `classes.csv` one a
label: which share of the pixels of each label in the advice, where it differs, was taken. Where an
image has a label map, it is told which of the two seeds is right where they differ. Pixels that are
ignored in a seed do not differ. Nothing of this has a part in the refinement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8

from attncli.config.seeds import Background
from attncli.config.ssdd import DifferenceConfig
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.seeds import read_scores
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.files.differences import read_differences
from attncli.files.label_maps import IGNORE_LABEL
from attncli.files.seeds import SeedDirectory
from attncli.files.tables import write_table
from attncli.methods.ssdd.difference import kept, shrinking
from attncli.metrics.segmentation import mean_iou_percent, pixel_confusion
from attncli.reporting import Reporter, Row

COLUMNS = ("id", "pixels", "changed", "advice_taken", "advice_right", "knowledge_right", "excluded")
"""What is said of each image: pixels that differ, were taken from the advice, and are right."""
SYSTEMS = ("knowledge", "advice", "refined", "oracle", "segmentation")
"""What is held against the true label maps; the oracle takes whichever seed is right."""


@dataclass(frozen=True)
class Maps:
    """The label maps of one image."""

    by_system: Mapping[str, UInt8[np.ndarray, "h w"]]
    """Those of knowledge, advice, the refined seed, and the segmentation branch."""
    truth: UInt8[np.ndarray, "h w"] | None
    """The true labels; None where they are not known."""
    is_excluded: bool
    """Whether a class shrinks so much that its differences are not learnt."""

    @property
    def differs(self) -> Bool[np.ndarray, "h w"]:
        """Where knowledge and advice differ."""
        knowledge, advice = (self.by_system[name] for name in ("knowledge", "advice"))
        counts = (knowledge != IGNORE_LABEL) & (advice != IGNORE_LABEL)
        return (knowledge != advice) & counts

    @property
    def takes_advice(self) -> Bool[np.ndarray, "h w"]:
        """Where they differ and the advice was taken."""
        return self.differs & (self.by_system["refined"] == self.by_system["advice"])

    def is_right(self, system: str) -> Bool[np.ndarray, "h w"]:
        """Return where a system's label is the true one; nowhere without truth."""
        labels = self.by_system[system]
        return np.zeros(labels.shape, bool) if self.truth is None else labels == self.truth


@dataclass
class Sums:
    """What is counted over all images."""

    n_labels: int
    """Labels there are, the background among them."""
    lines: list[tuple[str, int, int, int, int | None, int | None, bool]] = field(
        default_factory=list
    )
    """What is said of each image."""
    known: int = 0
    """Pixels that differ and whose true label is known."""
    right: dict[str, int] = field(default_factory=lambda: {"knowledge": 0, "advice": 0})
    """Those of them at which each seed is right."""

    def __post_init__(self) -> None:
        self.confusion = {
            system: np.zeros((self.n_labels, self.n_labels + 1), dtype=np.int64)
            for system in SYSTEMS
        }
        self.offered = np.zeros(self.n_labels, dtype=np.int64)
        self.taken = np.zeros(self.n_labels, dtype=np.int64)

    def add(self, image_id: str, maps: Maps) -> None:
        """Count one image."""
        differs, takes = maps.differs, maps.takes_advice
        self.offered += self._by_label(maps.by_system["advice"][differs])
        self.taken += self._by_label(maps.by_system["advice"][takes])
        right: dict[str, int | None] = {"advice": None, "knowledge": None}
        if maps.truth is not None:
            counts = differs & (maps.truth != IGNORE_LABEL)
            self.known += int(counts.sum())
            for name in right:
                right[name] = int((maps.is_right(name) & counts).sum())
                self.right[name] += right[name] or 0
            self._confuse(maps, maps.truth)
        sizes = (differs.size, int(differs.sum()), int(takes.sum()))
        self.lines.append((image_id, *sizes, right["advice"], right["knowledge"], maps.is_excluded))

    def figures(self) -> Row:
        """Return the figures over all images, shares in percent."""
        pixels, changed = (sum(line[1] for line in self.lines), sum(line[2] for line in self.lines))
        row: Row = {
            "changed": _percent(changed, pixels),
            "advice_taken": _percent(int(self.taken.sum()), changed),
            "excluded": sum(line[-1] for line in self.lines),
        }
        if not any(counts.sum() for counts in self.confusion.values()):
            return row
        shares = {f"{name}_right": _percent(n, self.known) for name, n in self.right.items()}
        neither = _percent(self.known - sum(self.right.values()), self.known)
        of_systems = {f"{s}_miou": mean_iou_percent(self.confusion[s]) for s in SYSTEMS}
        return {**row, **shares, "neither_right": neither, **of_systems}

    def by_label(self, names: Sequence[str]) -> list[tuple[str, int, int, float | None]]:
        """Return of each label its pixels in the advice where it differs, those taken, in percent.

        Args:
            names: Of the labels, the background first.
        """
        counts = zip(names, self.offered.tolist(), self.taken.tolist(), strict=True)
        return [(name, offered, taken, _percent(taken, offered)) for name, offered, taken in counts]

    def _confuse(self, maps: Maps, truth: UInt8[np.ndarray, "h w"]) -> None:
        by_system = dict(maps.by_system)
        either = np.where(maps.is_right("advice"), by_system["advice"], by_system["knowledge"])
        by_system["oracle"] = either
        for system, labels in by_system.items():
            self.confusion[system] += pixel_confusion(truth, labels, n_labels=self.n_labels)

    def _by_label(self, labels: UInt8[np.ndarray, " n"]) -> Int64[np.ndarray, " k"]:
        return np.bincount(labels, minlength=IGNORE_LABEL + 1)[: self.n_labels]


def write_report(
    samples: Sequence[ImageSample],
    seeds: Mapping[str, SeedDirectory],
    config: DifferenceConfig,
    reporter: Reporter,
) -> Row:
    """Write the report of seeds that were refined, and return its figures.

    Args:
        samples: The images.
        seeds: `knowledge`, `advice` and `refined`.
        config: How the network learnt, and so which images it left out.
        reporter: Shows progress; told of what cannot be read, and so is left out.
    """
    refined = seeds["refined"]
    names = ("background", *refined.classes)
    sums = Sums(len(names))
    for sample in reporter.track(samples, label="report", unit="images"):
        try:
            maps = _read(sample, seeds, config, reporter)
        except AttncliError as error:
            reporter.warn(f"left out of the report: {error}")
        else:
            sums.add(sample.id, maps)
    figures = sums.figures()
    write_table(refined.path / "report.csv", list(figures), [list(figures.values())])
    write_table(refined.path / "images.csv", COLUMNS, sorted(sums.lines))
    columns = ("label", "advised_pixels", "taken_pixels", "taken_percent")
    write_table(refined.path / "classes.csv", columns, sums.by_label(names))
    return figures


def _read(
    sample: ImageSample,
    seeds: Mapping[str, SeedDirectory],
    config: DifferenceConfig,
    reporter: Reporter,
) -> Maps:
    # Of the scores, as the network saw them, whatever became of the label maps beside them.
    maps = {
        name: read_scores(one, sample.id, background=Background()).label_map
        for name, one in seeds.items()
    }
    maps["segmentation"] = read_differences(seeds["refined"].path, sample.id).segmented
    n_classes = len(seeds["refined"].classes)
    shown = torch.zeros(1, n_classes, dtype=torch.bool)
    shown[0, sorted(sample.labels or ())] = True
    k, a = (torch.from_numpy(maps[name])[None] for name in ("knowledge", "advice"))
    flags = shrinking(k, a, shown, below=config.shrink_below)
    is_excluded = not bool(kept(flags, shown, config.exclude))
    size_hw = (k.shape[1], k.shape[2])
    return Maps(maps, _truth(sample, size_hw, n_classes, reporter), is_excluded)


def _truth(
    sample: ImageSample, size_hw: tuple[int, int], n_classes: int, reporter: Reporter
) -> UInt8[np.ndarray, "h w"] | None:
    if sample.label_map is None or not sample.label_map.is_file():
        return None
    try:
        return read_label_map(sample.label_map, n_classes=n_classes, size_hw=size_hw)
    except AttncliError as error:
        reporter.warn(f"left out of the figures on true labels: {error}")
        return None


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
