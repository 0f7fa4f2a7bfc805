"""Person re-identification on toy people: pooling learnt on few images against fine-tuning."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.files.tables import read_cells
from attncli.metrics.spread import mean_and_std
from attncli.reporting import Row
from attncli.workflows.demo.running import Demo, training_length
from attncli.workflows.demo.steps import Arguments

PRETRAINING_SEED = 1
"""Seed of the people that stand in for those of MSMT17; those to find again have seed 0."""
PRETRAINING_TIMES = 3
"""How many times as many people the network learns from first."""
SIZE_HW = "128,64"
STRIPES = "4"
NETWORK = (
    *("--backbone", "resnet18", "--size-hw", SIZE_HW, "--stripes", STRIPES, "--width", "64"),
    *("--freeze-stages", "0", "--no-freeze-norms"),
)
OPTIMIZATION = (
    *("--optimizer", "adam", "--lr", "1e-3", "--head-rate", "1", "--schedule", "cosine"),
    *("--warmup-epochs", "1", "--batch-size", "32"),
)
LAYERS = "conv4,conv5"
POOLINGS = {
    "gap": "average",
    "stripes": "stripes",
    "shared-maps": "shared-maps",
    "c-dpcf": "c-dpcf",
}
"""What `train c-dpcf --pooling` is told for each system; XQDA follows all of them."""
FINE_TUNED = "fine-tuned"
FIGURES = ("rank1", "rank5", "map", "map_official", "train_sec")


@dataclass(frozen=True)
class ReIdDemo(Demo):
    """The report's figure 4: C-DPCF against fine-tuning."""

    seeds: int = 1
    """Training seeds 0, 1, … of the networks, over which figures are averaged."""
    size: int = 60
    """Toy people, of whom half are to learn from; the network knew three times as many before."""
    pretraining_epochs: int = 15
    """Epochs of PCB on other people, in the place of MSMT17's."""
    epochs: int = 15
    """Epochs of the fine-tuned PCB on the people to learn from."""

    systems = (*POOLINGS, FINE_TUNED)
    figures = FIGURES

    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""
        seeds = range(self.seeds)
        pairs = [(name, seed) for seed in seeds for name in POOLINGS]
        return [
            self._data(),
            [self._pretraining(seed) for seed in seeds],
            [c for seed in seeds for c in (self._fine_tuning(seed), self._maps(seed))],
            *([self._pooling(name, seed)] for name, seed in pairs),
            *([self._metric(name, seed)] for name, seed in pairs),
            [["eval", *(str(self.run(name, seed)) for seed in seeds for name in self.systems)]],
            *([call] for call in self._pictures()),
        ]

    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""
        return command[0] == "eval" or command[:2] == ["train", "c-dpcf"]

    def table(self, scores: Sequence[Row]) -> list[Row]:
        """Return a row a system, averaged over training seeds."""
        return [self._summary(name, scores) for name in self.systems]

    def _summary(self, system: str, scores: Sequence[Row]) -> Row:
        runs = [self._scored(system, seed, scores) for seed in range(self.seeds)]
        row: Row = {"system": system, "seeds": self.seeds}
        for figure in FIGURES:
            values = [float(str(run[figure])) for run in runs if run.get(figure) is not None]
            row[figure], std = mean_and_std(values)
            if self.seeds > 1:
                row[f"{figure}_std"] = std
        return row

    def _scored(self, system: str, seed: int, scores: Iterable[Row]) -> Row:
        """Return the figures of a system with one seed."""
        by_run: Mapping[str, Row] = {str(row["run"]): row for row in scores}
        evaluated = by_run[str(self.run(system, seed))]
        if system == FINE_TUNED:
            return {**evaluated, "train_sec": self._seconds_of_training(seed)}
        pooled = by_run[str(self._pooled(system, seed))]
        return {**evaluated, "train_sec": pooled["train_sec"]}

    def _seconds_of_training(self, seed: int) -> float:
        """Return how long the network was tuned, as its log says."""
        log = read_cells(self.run(FINE_TUNED, seed) / "log.csv", remedy="train it anew")
        header, *lines = log.to_numpy().tolist()
        return sum(float(line[header.index("seconds")]) for line in lines)

    @property
    def _people(self) -> Path:
        return self.out / "market1501"

    @property
    def _others(self) -> Path:
        return self.out / "pretraining"

    def _feats(self, seed: int) -> Path:
        return self.out / "feats" / f"seed{seed}"

    def _pooled(self, system: str, seed: int) -> Path:
        return self.run(f"pooled-{system}", seed)

    def _data(self) -> list[Arguments]:
        look = ("--frame-hw", SIZE_HW)
        times = PRETRAINING_TIMES
        return [
            self.toy_data("market1501", self._others, PRETRAINING_SEED, *look, times=times),
            self.toy_data("market1501", self._people, 0, *look),
        ]

    def _pretraining(self, seed: int) -> Arguments:
        start = ["--weights", "none", *training_length(self.pretraining_epochs)]
        return self._training(self._others, start, "pretrained", seed)

    def _fine_tuning(self, seed: int) -> Arguments:
        weights = ["--weights", str(self.run("pretrained", seed))]
        start = [*weights, *training_length(self.epochs)]
        return self._training(self._people, start, FINE_TUNED, seed)

    def _training(self, data: Path, start: Arguments, system: str, seed: int) -> Arguments:
        settings = ["--data", str(data), *NETWORK, *OPTIMIZATION, *start, "--seed", str(seed)]
        return ["train", "pcb", *settings, "-o", str(self.run(system, seed)), *self.resumption]

    def _maps(self, seed: int) -> Arguments:
        network = ["--weights", f"I={self.run('pretrained', seed)}"]
        settings = ["--layers", LAYERS, "--pool", "none"]
        out = ["-o", str(self._feats(seed)), *self.resumption]
        return ["svd-fc", str(self._people), *network, *settings, *out]

    def _pooling(self, system: str, seed: int) -> Arguments:
        settings = ["--data", str(self._feats(seed)), "--pooling", POOLINGS[system]]
        settings += ["--stripes", STRIPES] if system == "stripes" else []
        return ["train", "c-dpcf", *settings, "-o", str(self._pooled(system, seed))]

    def _metric(self, system: str, seed: int) -> Arguments:
        data = ["--data", str(self._pooled(system, seed))]
        return ["train", "xqda", *data, "-o", str(self.run(system, seed)), *self.resumption]

    def _pictures(self) -> list[Arguments]:
        runs = [str(self.run(name, 0)) for name in POOLINGS]
        maps = str(self._pooled("c-dpcf", 0))
        return [
            self._picture("cmc.png", *runs, "--show", "cmc"),
            self._picture("ranked.png", str(self.run("c-dpcf", 0)), "--show", "ranked-lists"),
            self._picture("maps.png", maps, "--show", "position-maps"),
        ]

    def _picture(self, name: str, *shown: str) -> Arguments:
        return ["visualize", *shown, "--overwrite", "-o", str(self.out / name)]
