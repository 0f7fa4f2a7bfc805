"""What is killed: commands, what they work on, and what they write."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import forks
from PIL import Image
from specimens import CLASSES, TINY_ABN, pictures, write_video

N_TRAIN, N_VAL = 6, 3
DATA = ("--data", "data/manifest.csv")
TRAIN = ("train", "abn", *DATA, *TINY_ABN, "--epochs", "3", "--checkpoint-every", "1", "-o", "run")
VOC = ("--data", "voc", "--device", "cpu")
TINY_IMAGES = (
    *("--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--crop-px", "32"),
    *("--epochs", "1", "--batch-size", "4", "--workers", "0"),
)
TINY_SSDD = (
    *("--width", "8", "--dilation", "1", "--difference-width", "8", "--exclude", "none"),
    *("--eval-scales", "1", "--no-eval-crf"),
)
PAIR = ("--knowledge", "seeds/true", "--advice", "seeds/crf")
IMPORT = ("voc/SegmentationClass", "--kind", "label-maps", "--data", "voc", "-o", "seeds/true")
REFINE = {
    "import": ("refine-seeds", "import", *IMPORT, "-j", "1"),
    "crf": ("refine-seeds", "crf", *VOC, "--seeds", "seeds/true", "-j", "1", "-o", "seeds/crf"),
    "psa": ("refine-seeds", "psa", "psa", *VOC, "--cams", "seeds/true", "-o", "seeds/psa"),
    "ssdd": ("refine-seeds", "ssdd", "ssdd", *VOC, *PAIR, "-o", "seeds/ssdd"),
}
TRAIN_CAM = ("train", "cam", *VOC, *TINY_IMAGES, "-o", "cam")
TRAIN_PSA = ("train", "psa", *VOC, *TINY_IMAGES, "--cams", "cam", "-o", "psa")
TRAIN_SSDD = ("train", "ssdd", *VOC, *TINY_IMAGES, *TINY_SSDD, *PAIR, "-o", "ssdd")
SVD_FC = (
    *("svd-fc", "images", "--weights", "I=none", "--weights", "P=none", "--device", "cpu"),
    *("--network", "shufflenet_v2_x0_5", "--layers", "conv5,conv4", "--pool", "mpn-cbp"),
    *("--sketch-dim", "64", "--crop-px", "64", "--batch-size", "4", "-o", "feats"),
    *("--workers", "0"),
)
SVM = ("train", "linear-svm", "--data", "feats", "--c", "1", "--splits", "3", "-o", "svm")
SEGMENT = ("segment", "data", "--backend", "motion", "-o", "masks", "--workers", "2")


@dataclass(frozen=True)
class Scenario:
    """A command that is killed again and again until it ends by itself."""

    name: str
    words: tuple[str, ...]
    """Words by which it is begun, and by which it goes on."""
    output: str
    """Directory that it writes to, in the directory it is called in."""
    prepare: Callable[[Path], None]
    """Makes what it works on in an empty directory."""
    stays: str = ""
    """What must be there and whole at every moment, as it was there before."""

    @property
    def has_readers(self) -> bool:
        """Whether processes read data for it."""
        return self.name.endswith("-readers")


def _data(folder: Path) -> None:
    rows = ["id,path,label,split"]
    for n in range(N_TRAIN + N_VAL):
        split = "train" if n < N_TRAIN else "val"
        write_video(folder / "data" / f"v{n}.avi", "avi", n)
        rows.append(f"v{n},v{n}.avi,{CLASSES[n % 2]},{split}")
    (folder / "data" / "manifest.csv").write_text("\n".join(rows) + "\n")


def _run(folder: Path) -> None:
    _data(folder)
    _call(folder, *TRAIN)
    _call(folder, "invert-spatial", "run", "--workers", "0")


def _fresh_run(folder: Path) -> None:
    _data(folder)
    _call(folder, *TRAIN)
    shutil.rmtree(folder / "run" / "eval")


def _images(folder: Path) -> None:
    _call(folder, "toy-data", "voc2012", "voc", "--size", "10")


def _image_folder(folder: Path) -> None:
    for n in range(N_TRAIN + N_VAL):
        split = "train" if n < N_TRAIN else "val"
        path = folder / "images" / split / CLASSES[n % 2] / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(next(pictures(n))).save(path)


def _features(folder: Path) -> None:
    _image_folder(folder)
    _call(folder, *SVD_FC)


def _seeds(folder: Path) -> None:
    _images(folder)
    _call(folder, *REFINE["import"])


def _maps(folder: Path) -> None:
    _seeds(folder)
    _call(folder, *TRAIN_CAM)
    _call(folder, "eval", "cam", "--split", "train")


def _affinities(folder: Path) -> None:
    _maps(folder)
    _call(folder, *TRAIN_PSA)


def _differences(folder: Path) -> None:
    _seeds(folder)
    _call(folder, *REFINE["crf"])
    _call(folder, *TRAIN_SSDD)


def _call(folder: Path, *words: str) -> None:
    answer = forks.run_and_learn(words, folder)
    if answer.code:
        raise RuntimeError(f"{' '.join(words)}: {answer.code}\n{answer.stderr}")


SCENARIOS = {
    entry.name: entry
    for entry in (
        Scenario("train", (*TRAIN, "--resume"), "run", _data),
        Scenario("segment", (*SEGMENT, "--resume"), "masks", _data),
        Scenario("eval", ("eval", "run", "--workers", "0"), "run/eval", _run, "run/eval/val"),
        Scenario(
            "invert-spatial",
            ("invert-spatial", "run", "--workers", "0"),
            "run/invert-spatial",
            _run,
            "run/invert-spatial/val",
        ),
        Scenario("train-readers", (*TRAIN, "--workers", "1", "--resume"), "run", _data),
        Scenario("eval-readers", ("eval", "run", "--workers", "1"), "run/eval", _fresh_run),
        Scenario("train-psa", (*TRAIN_PSA, "--resume"), "psa", _maps),
        Scenario("refine-import", (*REFINE["import"], "--resume"), "seeds/true", _images),
        Scenario("refine-psa", (*REFINE["psa"], "--resume"), "seeds/psa", _affinities),
        Scenario("refine-crf", (*REFINE["crf"], "--resume"), "seeds/crf", _seeds),
        Scenario("svd-fc", (*SVD_FC, "--resume"), "feats", _image_folder),
        Scenario("svd-fc-readers", (*SVD_FC, "--workers", "1", "--resume"), "feats", _image_folder),
        Scenario("linear-svm", (*SVM, "--workers", "1", "--resume"), "svm", _features),
        Scenario("refine-ssdd", (*REFINE["ssdd"], "--resume"), "seeds/ssdd", _differences),
    )
}
"""Every scenario by its name."""
