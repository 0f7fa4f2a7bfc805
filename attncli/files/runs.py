"""Run directories: what a training writes, and how the other commands find it again.

    runs/NAME/{config.toml, classes.txt, environment.json, log.csv, tensorboard/,
               checkpoints/{last,best}.pt, model.safetensors, failures.jsonl, eval/SPLIT/}

`config.toml` is written last: where it is, the run exists.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from attncli import catalog
from attncli.config.fields import Checked
from attncli.config.toml import SEVERAL, dump, read, require_utf8, resolve
from attncli.config.training import TrainConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.atomic import write_text
from attncli.files.text import lines_of, read_text

FORMAT_VERSION = 1
Config = TypeVar("Config", bound=TrainConfig | Checked)


@dataclass(frozen=True)
class RunDirectory:
    """Where each file of a run is; none of them need exist."""

    path: Path
    """The run directory itself."""

    @property
    def config_path(self) -> Path:
        """Resolved settings of the training, and the name of its method."""
        return self.path / "config.toml"

    @property
    def classes_path(self) -> Path:
        """Class names, one a line, in the order of the class scores."""
        return self.path / "classes.txt"

    @property
    def environment_path(self) -> Path:
        """Versions, device and command line of the training."""
        return self.path / "environment.json"

    @property
    def log_path(self) -> Path:
        """Losses and accuracies, one row an epoch."""
        return self.path / "log.csv"

    @property
    def tensorboard_path(self) -> Path:
        """Directory of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def last_checkpoint_path(self) -> Path:
        """Everything needed to go on with the training."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def best_checkpoint_path(self) -> Path:
        """Weights of the epoch that did best on the validation split."""
        return self.path / "checkpoints" / "best.pt"

    @property
    def weights_path(self) -> Path:
        """Weights at the end of the training."""
        return self.path / "model.safetensors"

    @property
    def failures_path(self) -> Path:
        """Training and validation clips that could not be read."""
        return self.path / "failures.jsonl"

    def evaluation_path(self, split: str) -> Path:
        """Directory with metrics, predictions and attention maps of one split."""
        return self.path / "eval" / split


@dataclass(frozen=True)
class Run:
    """What a run was asked to do."""

    directory: RunDirectory
    """Where its files are."""
    method: str
    """Name of its method in the catalog."""
    config: Any
    """Its settings: an instance of the method's own config class, which those know who train and
    evaluate it; paths are absolute."""
    classes: tuple[str, ...]
    """Class names in the order of the class scores."""


def create(
    path: Path,
    config: TrainConfig | Checked,
    method: str,
    classes: Sequence[str],
    environment: Mapping[str, object],
) -> Run:
    """Write the files that say what a run is; make its directory where there is none."""
    directory = RunDirectory(path)
    settled = with_absolute_paths(config)
    write_text(directory.classes_path, "".join(f"{name}\n" for name in classes))
    write_environment(directory, environment)
    write_config(directory, settled, method)
    return Run(directory=directory, method=method, config=settled, classes=tuple(classes))


def load(path: Path) -> Run:
    """Return the run at `path`.

    Raises:
        AttncliError: There is no run, it is incomplete, or no method has its method's name.
        UsageError: Its `config.toml` was edited into something that is no configuration.
    """
    directory = RunDirectory(path)
    if not directory.config_path.is_file():
        what = "is not a run (it has no config.toml)" if path.is_dir() else "no such run"
        raise AttncliError(what, where=path, remedy="name a directory `attncli train` wrote")
    settings = read(directory.config_path)
    if "method" not in settings:
        raise AttncliError(
            "is not a run", where=path, remedy="name a directory `attncli train` wrote"
        )
    if SEVERAL in settings:
        what, one = "holds several runs, one for each seed", f"seed{settings.get('seed', 0)}"
        raise UsageError(what, where=path, remedy=f"name one, such as {path / one}")
    method = str(settings["method"])
    if method not in {row.name for row in catalog.METHODS}:
        raise AttncliError(
            f"no such method: {method!r}", where=directory.config_path, remedy="update attncli"
        )
    config = resolve(catalog.load(catalog.method(method).config), directory.config_path)
    if not directory.classes_path.exists():
        raise AttncliError("has no classes.txt", where=path, remedy="train it anew")
    classes = lines_of(read_text(directory.classes_path, remedy="train the run anew"))
    return Run(directory=directory, method=method, config=config, classes=tuple(classes))


def write_config(directory: RunDirectory, config: TrainConfig | Checked, method: str) -> None:
    """Write `config.toml`."""
    write_text(directory.config_path, dump(config, method=method))


def write_environment(directory: RunDirectory, environment: Mapping[str, object]) -> None:
    """Write `environment.json`."""
    text = json.dumps({"format_version": FORMAT_VERSION, **environment}, indent=2)
    write_text(directory.environment_path, text + "\n")


def with_absolute_paths(config: Config) -> Config:
    """Return `config` with its paths made absolute, so that they hold in any directory.

    Raises:
        UsageError: A path cannot be written into `config.toml`.
    """
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    paths: dict[str, Any] = {
        name: value.absolute() for name, value in values.items() if isinstance(value, Path)
    }
    for path in paths.values():
        require_utf8(path)
    return replace(config, **paths)
