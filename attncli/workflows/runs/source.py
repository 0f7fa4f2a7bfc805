"""Where the samples of a run come from."""

from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.data.source import Source
from attncli.errors import UsageError


def open_source(method: str, config: Any, run: Path, data: Path | None = None) -> Source[Any]:
    """Return where the samples of a run come from.

    Args:
        method: Name of its method in the catalog.
        config: Its settings, which say how samples are read.
        run: Its directory.
        data: Dataset to read instead of the run's own.

    Raises:
        UsageError: Such a run cannot be asked about other data, or has no samples.
        AttncliError: What its directory says of its samples cannot be read.
    """
    require_samples(method, run)
    source = catalog.load(str(catalog.method(method).task.source))
    return source.of_run(config, run, data)


def require_samples(method: str, run: Path) -> None:
    """Make sure that a run is of a network that is shown samples.

    Args:
        method: Name of its method in the catalog.
        run: Its directory.

    Raises:
        UsageError: It was fitted to features at once, and has neither a network nor samples.
    """
    if catalog.method(method).task.source is None:
        what = f"is a run of {method}, fitted to features: it has no network and no samples"
        raise UsageError(what, where=run, remedy="name a run of a network")
