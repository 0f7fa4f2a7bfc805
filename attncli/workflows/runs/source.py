"""Where the samples of a run come from."""

from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.data.source import Source


def open_source(method: str, config: Any, run: Path, data: Path | None = None) -> Source[Any]:
    """Return where the samples of a run come from.

    Args:
        method: Name of its method in the catalog.
        config: Its settings, which say how samples are read.
        run: Its directory.
        data: Dataset to read instead of the run's own.

    Raises:
        UsageError: Such a run cannot be asked about other data.
        AttncliError: What its directory says of its samples cannot be read.
    """
    source = catalog.load(catalog.method(method).task.source)
    return source.of_run(config, run, data)
