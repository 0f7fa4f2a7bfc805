"""What is killed: commands, what they work on, and what they write."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import forks
from specimens import CLASSES, TINY_ABN, write_video

N_TRAIN, N_VAL = 6, 3
DATA = ("--data", "data/manifest.csv")
TRAIN = ("train", "abn", *DATA, *TINY_ABN, "--epochs", "3", "--checkpoint-every", "1", "-o", "run")
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
    )
}
"""Every scenario by its name."""
