"""The settings of a run: as a plan before it begins, and as what it must go on with."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch

from attncli import catalog
from attncli.config.fields import Checked
from attncli.config.training import TrainConfig
from attncli.errors import UsageError
from attncli.files.runs import Run
from attncli.reporting import Row

FREE_TO_CHANGE = {
    *("epochs", "workers", "device", "checkpoint_every", "parallel_folds", "logger"),
}
"""Settings with which a run may go on that it was not begun with; they leave its weights alone,
but for the rounding of another device, and for `epochs` under a cosine, which is refused."""


def values(config: TrainConfig | Checked) -> dict[str, Any]:
    """Return the settings by name."""
    return {field.name: getattr(config, field.name) for field in fields(config)}


def require_same_settings(run: Run, wanted: Run) -> None:
    """Raise a `UsageError` unless `run` can go on as `wanted` and end as if begun so."""
    before, now = values(run.config), values(wanted.config)
    differing = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    is_cosine = now.get("schedule") == "cosine"
    differing -= FREE_TO_CHANGE - ({"epochs"} if is_cosine else set())
    names = [f"--{name.replace('_', '-')}" for name in sorted(differing)]
    names += ["the method"] if run.method != wanted.method else []
    names += ["the dataset's classes"] if run.classes != wanted.classes else []
    if names:
        raise UsageError(
            f"this run was begun with other settings: {', '.join(names)}",
            where=run.directory.path,
            remedy="leave them as in its config.toml, or give another --out",
        )


def planned(run: Run, facts: Mapping[str, str | int | float | None]) -> list[Row]:
    """Return what there is to know of a run before it begins, as one row.

    Args:
        run: What is to be trained.
        facts: What is known of its data.
    """
    with torch.device("meta"):
        build = catalog.load(catalog.method(run.method).build)
        model = build(run.config.without_published_weights(), len(run.classes)).model
    sizes = {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "trained_parameters": sum(w.numel() for w in model.parameters() if w.requires_grad),
    }
    return listed(run, {**run.config.choice, **facts, **sizes})


def listed(run: Run, facts: Mapping[str, str | int | float | None]) -> list[Row]:
    """Return facts of a run and its settings, as one row.

    Args:
        run: What is to be done.
        facts: What is known besides; it goes before settings of the same name.
    """
    known = {
        "method": run.method,
        "out": str(run.directory.path),
        "classes": len(run.classes),
        **facts,
    }
    settings = {name: _cell(value) for name, value in values(run.config).items()}
    return [{**known, **settings, **known}]  # the layout that was recognised, not `auto`


def _cell(value: Any) -> str | int | float | None:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, int | float | None) else str(value)
