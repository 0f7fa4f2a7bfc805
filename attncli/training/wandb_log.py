"""Points of a training for Weights & Biases, the same that TensorBoard gets (`--logger wandb`).

The package `wandb` is an extra, and imported only here. Where it sends points, and whether it does,
its own variables say: with `WANDB_MODE=offline` they stay in the run's directory.
"""

import os
import secrets
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from attncli.config.toml import read
from attncli.errors import AttncliError, MissingDependencyError
from attncli.files.atomic import write_text
from attncli.files.runs import RunDirectory
from attncli.files.text import read_text

PROJECT = "attncli"
"""Where runs are, unless `WANDB_PROJECT` says otherwise."""


def require_wandb() -> ModuleType:
    """Return the package `wandb`.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return import_module("wandb")
    except ImportError as error:
        raise MissingDependencyError(
            f"wandb cannot be imported ({error})",
            where="--logger wandb",
            remedy='pip install "attncli[wandb]"',
        ) from error


def id_path(directory: RunDirectory) -> Path:
    """Return the file with the name by which W&B knows a run, so that it can go on."""
    return directory.path / "wandb_id.txt"


class WandbWriter:
    """Takes points as TensorBoard's `SummaryWriter` does.

    Points of steps that W&B has had already, before a run was interrupted, are not taken anew: they
    are the same.

    Args:
        directory: Run they belong to; its settings go with them.

    Raises:
        MissingDependencyError: The package is not installed.
        AttncliError: It cannot begin, such as without an account.
    """

    def __init__(self, directory: RunDirectory) -> None:
        wandb = require_wandb()
        try:
            self.run: Any = wandb.init(
                dir=str(directory.path),
                project=_project(),
                name=directory.path.name,
                id=_id(directory),
                resume="allow",
                config=read(directory.config_path),
                settings={"console": "off"},
            )
        except Exception as error:  # its own kinds of error differ from version to version
            raise AttncliError(
                f"wandb cannot begin ({error})",
                where="--logger wandb",
                remedy="log in with `wandb login`, or set WANDB_MODE=offline",
            ) from error

    def add_scalar(self, name: str, value: int | float, step: int) -> None:
        """Add a value at a step."""
        self.run.log({name: value}, step=step)

    def flush(self) -> None:
        """Do nothing: a process of wandb's own writes what it is given."""

    def close(self) -> None:
        """Wait until everything is written or sent."""
        self.run.finish()


def _project() -> str | None:
    """Return the project to name; None where the environment names one, which wandb reads."""
    return None if os.environ.get("WANDB_PROJECT") else PROJECT


def _id(directory: RunDirectory) -> str:
    """Return the run's name at W&B; one is made up and kept where it has none."""
    path = id_path(directory)
    if not path.is_file():
        write_text(path, f"{secrets.token_hex(8)}\n")
    return read_text(path, remedy="remove it").strip()
