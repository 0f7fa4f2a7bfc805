"""Files of one's own as the samples of a dataset that nobody labelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attncli.data.samples import Samples
from attncli.errors import Failure

LAYOUT = "files"
"""What the layout of such a dataset is called."""


@dataclass(frozen=True)
class OwnFiles:
    """Files as samples, and what reads them."""

    source: Any
    """What reads them: of an `attncli.data.source.Source` at least its `reader`."""
    dataset: Samples
    """The samples, in the order of the files; one file may be several."""
    failures: tuple[Failure, ...] = ()
    """Files that turned out to be unusable already; they are not in the dataset."""


def own_ids(files: Sequence[Path]) -> list[str]:
    """Return a name for each file, all different, by which a file below any directory can be named.

    >>> own_ids([Path("/data/a.mp4"), Path("../a.mp4"), Path("a.mp4")])
    ['data/a.mp4', 'a.mp4', 'a.mp4~2']
    """
    times: dict[str, int] = {}
    found = []
    for file in files:
        parts = [part for part in file.parts if part not in (file.anchor, "..", ".")]
        name = "/".join(parts) or file.resolve().name
        times[name] = times.get(name, 0) + 1
        found.append(name if times[name] == 1 else f"{name}~{times[name]}")
    return found
