"""`metrics.json`: the figures of one run on one split."""

import json
from collections.abc import Mapping
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.atomic import write_text

FORMAT_VERSION = 1
REMEDY = "write it anew with `attncli eval`"

Figure = str | int | float | None


def write_metrics(path: Path, metrics: Mapping[str, Figure]) -> None:
    """Write figures by name; None stands for a figure that does not exist.

    Raises:
        ValueError: A figure is not finite, which JSON cannot say.
    """
    content = {"format_version": FORMAT_VERSION, **metrics}
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_metrics(path: Path) -> dict[str, Figure]:
    """Return the figures at `path`, without the format's version.

    Raises:
        AttncliError: The file is no metrics file, or one of a later format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise AttncliError(f"this is no JSON ({error})", where=path, remedy=REMEDY) from error
    if not isinstance(content, dict) or content.pop("format_version", None) != FORMAT_VERSION:
        raise AttncliError(
            f"format_version {FORMAT_VERSION} is expected",
            where=path,
            remedy=REMEDY,
        )
    return content
