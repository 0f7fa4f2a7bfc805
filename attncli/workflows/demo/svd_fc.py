"""Fused transfer features on toy images: networks of objects and of scenes, a task needs both."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.reporting import Row
from attncli.workflows.demo.running import Demo, training_length
from attncli.workflows.demo.steps import Arguments

SETS = {"I": "objects", "P": "scenes"}
"""What the network of each source is trained on, in the place of ImageNet and Places."""
TARGET = "target"
SET_SEEDS = {"objects": 1, "scenes": 2, TARGET: 0}
SOURCE_TIMES = 4
"""How many times as many images of each class the sources have."""
IMAGE_PX = 64
NETWORK = (
    *("--backbone", "resnet18", "--output-stride", "16", "--weights", "none"),
    *("--no-freeze-norms", "--freeze-stages", "0", "--crop-px", str(IMAGE_PX)),
    *("--resize", "none", "--dropout", "0"),
)
OPTIMIZATION = (
    *("--optimizer", "adam", "--lr", "2e-3", "--head-rate", "1", "--warmup-epochs", "1"),
    *("--batch-size", "32"),
)
PRETRAINED = {"I": "efficientnet-lite0", "P": "efficientnet-lite1"}
"""Networks of ImageNet that come as packages; there are none of Places."""
SPLITS = 5
"""Random divisions of the target's images, over which figures are averaged."""
STAGES = ("conv2", "conv3", "conv4", "conv5")
LAYERS = {
    "gap": (*STAGES, "fc", "svd-fc", "random-fc"),
    "mpn-cbp": ("conv5", "cam", "svd-cam", "random-cam", "fc", "svd-fc", "random-fc"),
}
"""Layers of the report's tables 1 and 2, and the control."""
PUBLISHED: Mapping[tuple[str, str], Mapping[str, Sequence[float]]] = {
    ("gap", "conv5"): {
        "I": (67.5, 49.0, 79.3, 77.5, 66.5, 76.0),
        "P": (64.5, 48.3, 64.1, 67.8, 24.1, 84.9),
        "I+P": (71.8, 52.3, 80.1, 78.8, 63.6, 85.4),
    },
    ("gap", "fc"): {
        "I": (63.9, 46.7, 77.5, 76.5, 63.4, 73.8),
        "P": (57.2, 44.9, 60.7, 63.6, 19.9, 84.3),
        "I+P": (68.4, 50.3, 78.5, 77.3, 60.9, 83.5),
    },
    ("gap", "svd-fc"): {
        "I": (67.0, 48.5, 79.0, 77.4, 66.1, 75.7),
        "P": (61.7, 46.5, 63.1, 67.0, 22.2, 85.1),
        "I+P": (71.1, 51.7, 80.0, 78.6, 63.4, 85.1),
    },
    ("mpn-cbp", "conv5"): {
        "I": (69.9, 48.2, 80.5, 78.4, 72.8, 75.8),
        "P": (67.6, 48.2, 67.2, 70.8, 33.1, 85.1),
        "I+P": (72.6, 50.8, 81.3, 79.3, 70.4, 84.5),
    },
    ("mpn-cbp", "cam"): {
        "I": (68.7, 48.4, 79.7, 79.2, 71.2, 74.5),
        "P": (64.1, 47.9, 64.7, 68.6, 29.2, 84.7),
        "I+P": (71.9, 50.9, 80.1, 79.1, 69.4, 84.0),
    },
    ("mpn-cbp", "svd-cam"): {
        "I": (70.2, 48.4, 80.4, 78.6, 72.4, 75.4),
        "P": (67.3, 48.8, 67.0, 71.0, 32.9, 85.3),
        "I+P": (73.1, 51.4, 81.3, 80.0, 71.4, 85.7),
    },
    ("mpn-cbp", "fc"): {
        "I": (67.8, 50.2, 77.3, 79.1, 64.5, 75.9),
        "P": (62.2, 48.6, 59.7, 64.5, 20.5, 84.7),
        "I+P": (71.8, 52.9, 77.6, 78.9, 60.7, 83.6),
    },
    ("mpn-cbp", "svd-fc"): {
        "I": (69.8, 51.0, 79.3, 79.2, 67.0, 76.8),
        "P": (66.0, 49.8, 63.3, 68.5, 23.7, 85.4),
        "I+P": (73.5, 53.6, 79.6, 79.6, 63.9, 85.2),
    },
}
"""Accuracy in percent of the report's ResNet-50 on its six data sets, in its order; figures of
Conv2 to Conv4 are left out, as the published table is damaged there."""


@dataclass(frozen=True)
class SvdFcDemo(Demo):
    """The report's tables 1 and 2 and figures 1 to 3."""

    seeds: int = 1
    """Training seeds 0, 1, … of the networks, over which figures are averaged."""
    size: int = 36
    """Toy images of each class of the target task; networks learn from four times as many."""
    epochs: int = 15
    """Epochs of each of the two networks."""
    offline_weights: bool = False
    """Take pretrained networks of the extra `offline-weights` and train none."""

    systems = ()
    figures = ("accuracy",)

    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""
        seeds = range(1 if self.offline_weights else self.seeds)
        training = [self._training(name, seed) for seed in seeds for name in SETS]
        return [
            self._data(),
            *([] if self.offline_weights else [training]),
            *([self._extraction(pool, seed)] for seed in seeds for pool in LAYERS),
            [self._maps()],
            *([self._fit(pool, seed)] for seed in seeds for pool in LAYERS),
            [self._fit_pairs()],
            [["eval", *(str(self._svm(pool, seed)) for seed in seeds for pool in LAYERS)]],
            *([call] for call in self._pictures()),
        ]

    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""
        return command[0] == "eval"

    def table(self, scores: Sequence[Row]) -> list[Row]:
        """Return a row a layer, pooling and source, averaged over training seeds."""
        keys = dict.fromkeys(map(_key, scores))
        return [_summary(key, [row for row in scores if key == _key(row)]) for key in keys]

    def run(self, system: str, seed: int) -> Path:
        """Return the run directory of a source's network trained with one seed."""
        return super().run(SETS.get(system, system), seed)

    def _data(self) -> list[Arguments]:
        names = [TARGET] if self.offline_weights else [*SETS.values(), TARGET]
        return [self._images(name) for name in names]

    def _images(self, name: str) -> Arguments:
        look = ("--scene-set", name, "--frame-hw", f"{IMAGE_PX},{IMAGE_PX}")
        times = 1 if name == TARGET else SOURCE_TIMES
        return self.toy_data("image-folder", self.out / name, SET_SEEDS[name], *look, times=times)

    def _training(self, source: str, seed: int) -> Arguments:
        data = ["--data", str(self.out / SETS[source]), *NETWORK, *OPTIMIZATION]
        length = [*training_length(self.epochs), "--seed", str(seed)]
        return ["train", "cam", *data, *length, "-o", str(self.run(source, seed)), *self.resumption]

    def _extraction(self, pool: str, seed: int) -> Arguments:
        return self._features(pool, LAYERS[pool], self._feats(pool, seed), seed)

    def _maps(self) -> Arguments:
        return self._features("none", ("cam", "svd-cam"), self._feats("maps", 0), 0)

    def _features(self, pool: str, layers: Sequence[str], out: Path, seed: int) -> Arguments:
        networks = [f"{name}={self._weights(name, seed)}" for name in SETS]
        weights = [word for network in networks for word in ("--weights", network)]
        settings = ["--layers", ",".join(layers), "--pool", pool]
        images = str(self.out / TARGET)
        return ["svd-fc", images, *weights, *settings, "-o", str(out), *self.resumption]

    def _weights(self, source: str, seed: int) -> str:
        return PRETRAINED[source] if self.offline_weights else str(self.run(source, seed))

    def _fit(self, pool: str, seed: int) -> Arguments:
        data = ["--data", str(self._feats(pool, seed)), "--splits", str(SPLITS)]
        return ["train", "linear-svm", *data, "-o", str(self._svm(pool, seed)), *self.resumption]

    def _fit_pairs(self) -> Arguments:
        """Return the fits of figure 1: every stage of one network beside every one of the other."""
        data = ["--data", str(self._feats("gap", 0)), "--splits", str(SPLITS)]
        pairs = ["--layers", ",".join(STAGES), "--combinations", "--c", "1"]
        return ["train", "linear-svm", *data, *pairs, "-o", str(self._pairs), *self.resumption]

    def _feats(self, name: str, seed: int) -> Path:
        return self.out / "feats" / f"seed{seed}" / name.replace("-", "_")

    def _svm(self, pool: str, seed: int) -> Path:
        return super().run(f"svm-{pool}", seed)

    @property
    def _pairs(self) -> Path:
        return self._svm("pairs", 0)

    def _pictures(self) -> list[Arguments]:
        shown = {
            "table1.png": (self._svm("gap", 0),),
            "table2.png": (self._svm("mpn-cbp", 0),),
            "singular_values.png": (self._feats("gap", 0),),
        }
        tables = [self._picture(name, *map(str, paths)) for name, paths in shown.items()]
        maps = str(self._feats("maps", 0))
        return [
            *tables,
            self._picture("fig1.png", str(self._pairs), "--show", "combinations"),
            self._picture("fig2.png", maps, "--clips", "4"),
            self._picture("fig3.png", maps, "--clips", "4", "--show", "mean-maps"),
        ]

    def _picture(self, name: str, *shown: str) -> Arguments:
        return ["visualize", *shown, "--overwrite", "-o", str(self.out / name)]


def _key(row: Row) -> tuple[object, object, object]:
    return row["pooling"], row["layer"], row["source"]


def _summary(key: tuple[object, object, object], rows: Iterable[Row]) -> Row:
    """Return one line of the table: its mean, and its spread over seeds or else over splits."""
    found = list(rows)
    values = [float(str(row["accuracy"])) for row in found]
    pooling, layer, source = key
    published = PUBLISHED.get((str(pooling), str(layer)), {}).get(str(source))
    return {
        "layer": str(layer),
        "pooling": str(pooling),
        "source": str(source),
        "seeds": len(found),
        "splits": found[0].get("splits"),
        "accuracy": statistics.fmean(values),
        "accuracy_std": statistics.stdev(values) if len(values) > 1 else found[0]["accuracy_std"],
        "published_accuracy": None if published is None else statistics.fmean(published),
    }
