"""Rows of manifests: files that list videos or images, in any of three forms.

CSV with a header, JSON lines, or text with `path label` a line. A directory may hold one list,
`manifest`, or a list a split, `train` and `val`, with the suffix `.csv`, `.jsonl` or `.txt`.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.text import (
    has_control_characters,
    lines_of,
    parse_json,
    read_text,
    words_of,
)

LOOKS_LIKE = "a .csv, .jsonl or .txt file, or a directory with manifest or train and val lists"

_NUMBER = re.compile("0|[1-9][0-9]{0,4}")
"""Labels that count from 0; `01`, and numbers of more classes than can be, are names."""
_TEXT_LINE = re.compile(r"[ \t]*(?P<path>\S|\S.*\S)[ \t]+(?P<label>[^ \t]+)[ \t]*")
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "val",
    "testing": "val",
}

Fields = dict[str, object]
"""What a row says, by key."""


@dataclass(frozen=True)
class Row:
    """What a list says of one video or image."""

    place: str
    """File and line, for messages."""
    path: str
    """Where it lies, below the directory of the list or absolute."""
    id: str | None
    """What it is called; None where the row does not say."""
    split: str | None
    """`train` or `val`, by the row or else by the list's name; None where neither says."""
    subject: str | None
    """Who is to be seen."""
    fields: Mapping[str, object]
    """All keys of the row, those above among them, as they are written."""

    def text(self, key: str) -> str | None:
        """Return what the row says under a key; None where that is nothing.

        Raises:
            AttncliError: It is neither text nor a whole number, or has a control character.
        """
        return text_of(self.place, key, self.fields.get(key))

    def id_below(self, folder: Path, suffixes: Collection[str]) -> str:
        """Return its id; where it has none, its path below `folder` without suffix.

        Args:
            folder: Directory of the list.
            suffixes: What counts as a suffix; other endings stay, as of `clips/b.v2`.

        Raises:
            AttncliError: The path cannot be written down as a name.
        """
        id_ = self.id or _path_below(self.path, folder, suffixes)
        if has_control_characters(id_):
            what = f"a name cannot be made of `path` {self.path!r}; give it an `id`"
            raise AttncliError(what, where=self.place)
        return id_


def find_lists(root: Path) -> list[Path]:
    """Return `root` if it is a list by its suffix, else the lists that it holds; none where none.

    One list for all splits, `manifest`, is taken before those of single splits.
    """
    if root.is_file():
        return [root] if root.suffix.lower() in _RECORDS else []
    for names in (("manifest",), ("train", "val")):
        files = [root / f"{name}{suffix}" for name in names for suffix in _RECORDS]
        if there := [file for file in files if file.is_file()]:
            return there
    return []


def read_rows(file: Path) -> Iterator[Row]:
    """Yield what each line of a list says, in its order.

    Raises:
        AttncliError: The list cannot be read, or a line is malformed; the message names it.
    """
    for number, fields in _RECORDS[file.suffix.lower()](file, read_text(file)):
        yield _row(f"{file}, line {number}", fields, default_split=_SPLITS.get(file.stem))


def text_of(place: str, key: str, value: object) -> str | None:
    """Return what is written under a key as text; None where that is nothing.

    Raises:
        AttncliError: It is neither text nor a whole number, or has a control character, which only
            a path may have.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise AttncliError(f"`{key}` is neither text nor a whole number", where=place)
    if key != "path" and has_control_characters(str(value)):
        raise AttncliError(f"`{key}` {value!r} has a control character", where=place)
    return str(value)


def class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all classes in the order of their numbers.

    Labels that all count from 0 are these numbers, and those left out among them are classes too;
    otherwise all labels are names, in alphabetical order.

    >>> class_names(["2", "0"]), class_names(["run", "2"])
    (('0', '1', '2'), ('2', 'run'))
    """
    names = set(labels)
    if all(_NUMBER.fullmatch(name) for name in names):
        return tuple(str(number) for number in range(1 + max(map(int, names), default=-1)))
    return tuple(sorted(names))


def _csv_records(file: Path, text: str) -> Iterator[tuple[int, Fields]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        for record in reader:
            if None in record or None in record.values():
                raise AttncliError(
                    f"expected {len(reader.fieldnames or ())} columns, as the header has",
                    where=f"{file}, line {reader.line_num}",
                )
            yield reader.line_num, dict(record)
    except csv.Error as error:
        raise AttncliError(
            f"is not valid CSV ({error})", where=f"{file}, line {reader.line_num}"
        ) from error


def _json_records(file: Path, text: str) -> Iterator[tuple[int, Fields]]:
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        record = parse_json(line, where=f"{file}, line {number}")
        if not isinstance(record, dict):
            raise AttncliError("expected a JSON object", where=f"{file}, line {number}")
        yield number, record


def _text_records(file: Path, text: str) -> Iterator[tuple[int, Fields]]:
    for number, line in enumerate(lines_of(text), start=1):
        found = _TEXT_LINE.fullmatch(line)
        if found is not None:
            yield number, {"path": found["path"], "label": found["label"]}
        elif words_of(line):
            raise AttncliError("expected `path label`", where=f"{file}, line {number}")


_RECORDS = {".csv": _csv_records, ".jsonl": _json_records, ".txt": _text_records}


def _row(place: str, fields: Fields, default_split: str | None) -> Row:
    path, id_, split, subject = (
        text_of(place, key, fields.get(key)) for key in ("path", "id", "split", "subject")
    )
    if path is None:
        raise AttncliError("has no `path`", where=place)
    if split is not None and split.lower() not in _SPLITS:
        raise AttncliError(f"split {split!r} is neither train nor val", where=place)
    if id_ is not None and (Path(id_).is_absolute() or ".." in Path(id_).parts):
        raise AttncliError(f"id {id_!r} leads out of the directory it is to name", where=place)
    if "\0" in path:
        raise AttncliError("`path` has a NUL character", where=place)
    known_split = default_split if split is None else _SPLITS[split.lower()]
    return Row(place, path, id_, known_split, subject, fields)


def _path_below(path: str, folder: Path, suffixes: Collection[str]) -> str:
    place = Path(path)
    if place.is_relative_to(folder):
        place = place.relative_to(folder)
    name = Path(*(part for part in place.parts if part not in (place.anchor, "..")))
    return (name.with_suffix("") if name.suffix.lower() in suffixes else name).as_posix()
