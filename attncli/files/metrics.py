"""`metrics.json`: the figures of one run on one split."""

import json
from collections.abc import Mapping
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.atomic import write_text
from attncli.files.text import parse_json, read_text

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
    content = parse_json(read_text(path, remedy=REMEDY), where=path, remedy=REMEDY)
    if not isinstance(content, dict) or content.pop("format_version", None) != FORMAT_VERSION:
        raise AttncliError(
            f"format_version {FORMAT_VERSION} is expected",
            where=path,
            remedy=REMEDY,
        )
    for name, value in content.items():
        if not isinstance(value, Figure):
            raise AttncliError(f"{name} is no figure", where=path, remedy=REMEDY)
    return content
