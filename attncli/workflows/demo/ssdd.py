"""SSDD's pipeline on toy images, from image labels alone: CAM, PSA, static and dynamic SSDD."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.reporting import Row
from attncli.workflows.demo.running import Demo, training_length
from attncli.workflows.demo.steps import Arguments

PRETRAINING_SEED = 1
"""Seed of the toy images that stand in for ImageNet; those of the pipeline have seed 0."""
PRETRAINING_TIMES = 3
"""How many times as many images pretraining sees."""
IMAGE_PX = 128
"""Side of a toy image: a cell of PSA is of 8 pixels, one of the networks after it of 4."""
COINCIDENCE = "1"
"""How often colour misleads about an object: always, so that PSA with a CRF is no better by much
than PSA, whose seeds are round rather than wrong."""
NETWORK = (
    *("--backbone", "shufflenet_v2_x0_5", "--output-stride", "8"),
    *("--no-freeze-norms", "--freeze-stages", "0", "--crop-px", str(IMAGE_PX)),
)
OPTIMIZATION = (
    *("--optimizer", "adam", "--head-rate", "1", "--warmup-epochs", "1", "--batch-size", "8"),
)
LR, LR_FROM_RANDOM = ("--lr", "2e-3"), ("--lr", "1e-3")
WHOLE = ("--resize", "none")
"""Images as they are."""
# Textures begin to be told apart late; earlier with nothing else that changes.
UNCHANGED = (
    *("--jitter-brightness", "0", "--jitter-contrast", "0"),
    *("--jitter-saturation", "0", "--jitter-hue", "0"),
)
CLASSIFIER = (
    # Sizes drawn as PSA's classifier draws them, over those of which maps are averaged.
    *("--resize", "long-side", "--long-side-min-px", str(IMAGE_PX), "--long-side-max-px", "224"),
    *("--dropout", "0"),
)
# Of an image so small each cell sees nearly all, so that maps fall off slowly about an object.
# PSA's powers, 4 and 32 in what it learns from and 16 in the walk, would leave hardly any
# background. With these an object ends where its score is 0.72, 0.5 and 0.59. PSA's 256 steps are
# for grids some 12 times as large.
AFFINITIES = ("--low-power", "0.25", "--high-power", "1")
BACKGROUND_POWER = "0.6"
WALK = ("--log2-steps", "4", "--affinity-power", "12")
SEGMENTER = (
    *(*WHOLE, "--width", "64", "--dilation", "2"),
    # Textures are known in one size, and colours mislead a CRF here.
    *("--eval-scales", "1", "--no-eval-crf"),
)
DIFFERENCE = ("--difference-width", "64", "--difference-rate", "1")
BIASES = ("--advice-bias", "0.1", "--background-bias", "0.1")
"""The paper's, of seeds that static SSDD makes."""
SEEDS = {"psa": "psa", "psa+crf": "psa_crf", "static": "ssdd"}
"""Directory of each system that is seeds."""
NETWORKS = ("segmentation-psa", "segmentation-static", "dynamic")
"""Systems that tell the classes of pixels of other images."""


@dataclass(frozen=True)
class SsddDemo(Demo):
    """The paper's two tables: how good seeds are, and what networks learn from them."""

    seeds: int = 1
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int = 160
    """Toy images, of which a fifth are for validation; beside them 3 for validation for each 5."""
    pretraining_epochs: int = 32
    """Epochs of a classifier of other toy images, with whose weights all networks begin."""
    epochs: int = 24
    """Epochs of each network; SSDD's learn no differences in the first three fifths, and the one of
    affinities has half as many."""

    systems = ("cam", *SEEDS, *NETWORKS)
    figures = ("seed_miou", "val_miou")
    published: ClassVar[Mapping[str, Row]] = {  # VOC 2012, seeds on training images, others on val
        "psa": {"seed_miou": 52.5},
        "psa+crf": {"seed_miou": 48.0},
        "static": {"seed_miou": 53.4},
        "segmentation-psa": {"val_miou": 58.4},
        "segmentation-static": {"val_miou": 61.4},
        "dynamic": {"val_miou": 64.7},
    }

    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""
        seeds = range(self.seeds)
        return [
            self._data(),
            [self._pretraining()],
            [self._classifier(seed) for seed in seeds],
            *([call] for call in self._cams()),
            [self._affinities(seed) for seed in seeds],
            [self._walk(seed) for seed in seeds],
            [self._crf(seed) for seed in seeds],
            [c for seed in seeds for c in (self._static(seed), self._segmentation("psa", seed))],
            [self._choice(seed) for seed in seeds],
            [
                c
                for seed in seeds
                for c in (self._dynamic(seed), self._segmentation("static", seed))
            ],
            *([call] for call in self._scoring()),
        ]

    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""
        return command[0] == "eval"

    def figures_of(self, row: Row) -> Row:
        """Return a row whose mean IoU is called after what it is of."""
        figure = "seed_miou" if row["split"] == "train" else "val_miou"
        return {**row, figure: row.get("miou")}

    def run(self, system: str, seed: int) -> Path:
        """Return the run directory, or the seed directory, of one system made with one seed."""
        if system in SEEDS:
            return self.out / "seeds" / f"seed{seed}" / SEEDS[system]
        return super().run(system, seed)

    @property
    def _images(self) -> Path:
        return self.out / "voc2012"

    @property
    def _others(self) -> Path:
        return self.out / "pretraining"

    @property
    def _pretrained(self) -> Path:
        return self.out / "runs" / "pretrained"

    def _every(self, *systems: str) -> list[str]:
        """Return where systems are, of all seeds."""
        return [str(self.run(name, seed)) for seed in range(self.seeds) for name in systems]

    def _data(self) -> list[Arguments]:
        look = ("--frame-hw", f"{IMAGE_PX},{IMAGE_PX}", "--coincidence", COINCIDENCE)
        times = PRETRAINING_TIMES
        return [
            self.toy_data("voc2012", self._others, PRETRAINING_SEED, *look, times=times),
            self.toy_data("voc2012", self._images, 0, *look, *self._more_val),
        ]

    def _pretraining(self) -> Arguments:
        way = [*LR_FROM_RANDOM, *WHOLE, *UNCHANGED, "--dropout", "0", "--weights", "none"]
        settings = [*NETWORK, *OPTIMIZATION, *way]
        length = training_length(self.pretraining_epochs)
        out = ["-o", str(self._pretrained), *self.resumption]
        return ["train", "cam", "--data", str(self._others), *settings, *length, *out]

    def _classifier(self, seed: int) -> Arguments:
        start = ["--init", str(self._pretrained), "--weights", "none"]
        return self._training("cam", "cam", seed, [*CLASSIFIER, *start], self.epochs)

    def _cams(self) -> list[Arguments]:
        """Return the calls that write class activation maps, and score them."""
        power = ["--background-power", BACKGROUND_POWER]
        call = ["eval", *self._every("cam"), "--split", "train"]
        return [call, [*call, *power]]

    def _affinities(self, seed: int) -> Arguments:
        cams = ["--cams", str(self.run("cam", seed))]
        settings = [*WHOLE, *AFFINITIES, *cams, *self._weights]
        epochs = max(1, self.epochs // 2)
        return self._training("psa", "affinities", seed, settings, epochs)

    def _walk(self, seed: int) -> Arguments:
        settings = ["--cams", str(self.run("cam", seed)), "--background-power", BACKGROUND_POWER]
        network = str(self.run("affinities", seed))
        return self._refinement("psa", "psa", seed, [network, *settings, *WALK])

    def _crf(self, seed: int) -> Arguments:
        return self._refinement("crf", "psa+crf", seed, ["--seeds", str(self.run("psa", seed))])

    def _static(self, seed: int) -> Arguments:
        settings = [*SEGMENTER, *DIFFERENCE, *self._warmup, *self._weights, *self._pair(seed)]
        return self._training("ssdd", "ssdd", seed, settings, self.epochs)

    def _choice(self, seed: int) -> Arguments:
        network = [str(self.run("ssdd", seed)), *self._pair(seed)]
        return self._refinement("ssdd", "static", seed, [*network, *BIASES])

    def _segmentation(self, system: str, seed: int) -> Arguments:
        settings = [*SEGMENTER, *self._weights, "--seeds", str(self.run(system, seed))]
        name = f"segmentation-{system}"
        return self._training("segmentation", name, seed, settings, self.epochs)

    def _dynamic(self, seed: int) -> Arguments:
        seeds = ["--seeds", str(self.run("static", seed))]
        settings = [*SEGMENTER, *DIFFERENCE, *self._warmup, *self._weights, *seeds]
        return self._training("ssdd-dynamic", "dynamic", seed, settings, self.epochs)

    def _pair(self, seed: int) -> Arguments:
        knowledge, advice = (str(self.run(name, seed)) for name in ("psa", "psa+crf"))
        return ["--knowledge", knowledge, "--advice", advice]

    @property
    def _weights(self) -> Arguments:
        return ["--weights", str(self._pretrained)]

    @property
    def _more_val(self) -> Arguments:
        """Return further images for validation: a fifth would not tell networks apart."""
        return ["--more-val", str(3 * self.size // 5)]

    @property
    def _warmup(self) -> Arguments:
        return ["--segmentation-epochs", str(3 * self.epochs // 5)]

    def _training(
        self, method: str, system: str, seed: int, settings: Arguments, epochs: int
    ) -> Arguments:
        data = ["--data", str(self._images), *NETWORK, *OPTIMIZATION, *LR, *settings]
        out = ["--seed", str(seed), "-o", str(self.run(system, seed)), *self.resumption]
        return ["train", method, *data, *training_length(epochs), *out]

    def _refinement(self, stage: str, system: str, seed: int, settings: Arguments) -> Arguments:
        out = ["-o", str(self.run(system, seed)), *self.resumption]
        return ["refine-seeds", stage, *settings, "--data", str(self._images), *out]

    def _scoring(self) -> list[Arguments]:
        data = ["--data", str(self._images), "--split", "train"]
        seeds = [str(self.run(name, 0)) for name in SEEDS]
        networks = [str(self.run(name, 0)) for name in NETWORKS]
        return [
            ["eval", *self._every(*SEEDS), *data],
            ["eval", *self._every(*NETWORKS)],
            self._picture("seeds.png", *seeds, *data),
            self._picture("networks.png", *networks, "--errors"),
        ]

    def _picture(self, name: str, *shown: str) -> Arguments:
        return ["visualize", *shown, "--clips", "6", "--overwrite", "-o", str(self.out / name)]
