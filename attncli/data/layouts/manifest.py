"""Manifests: files that list any videos.

CSV with a header, or JSON lines: `path` and, where known, `id`, `label` (name or number from 0),
`split` and `subject` (who is to be seen); further keys are left for others. Text files hold
`path label` a line. Relative paths start at the manifest. In place of a `split` key, a directory
may hold a list a split: `train` and `val`, with the suffix `.csv`, `.jsonl` or `.txt`.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset, VideoSample
from attncli.data.video.reading import VIDEO_SUFFIXES
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
_SUFFIXES = (".csv", ".jsonl", ".txt")
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "val",
    "testing": "val",
}


@dataclass(frozen=True)
class _Row:
    place: str
    path: str
    id: str | None
    label: str | None
    split: str | None
    subject: str | None


def fits(root: Path) -> bool:
    """Return whether `root` is a list, or a directory with lists of the expected names."""
    return bool(_manifests(root))


def open_split(root: Path, split: Split) -> VideoDataset:
    """Return the videos of a split in the order of the manifest.

    Labels that are all numbers are taken as they are; names are numbered in alphabetical order,
    over all splits.

    Raises:
        AttncliError: A list is missing or malformed, names a video twice, or has no such split.
    """
    manifests = _manifests(root)
    if not manifests:
        raise AttncliError(f"not a manifest, looked for {LOOKS_LIKE}", where=root)
    rows = [row for file in manifests for row in _read(file)]
    chosen = [row for row in rows if split in ("all", row.split)]
    if not chosen:
        raise AttncliError(
            f"lists no video of split {split!r}",
            where=root,
            remedy=f"add a list {split}.csv, or give each video its split under the key `split`",
        )
    classes = _classes(rows)
    folder = manifests[0].parent
    return VideoDataset("manifest", root, classes, _samples(chosen, folder, classes, split))


def _manifests(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix.lower() in _SUFFIXES else []
    for names in (("manifest",), ("train", "val")):
        files = [root / f"{name}{suffix}" for name in names for suffix in _SUFFIXES]
        if there := [file for file in files if file.is_file()]:
            return there
    return []


def _read(file: Path) -> Iterator[_Row]:
    read = {".csv": _csv_records, ".jsonl": _json_records, ".txt": _text_records}
    for number, record in read[file.suffix.lower()](file, read_text(file)):
        yield _row(f"{file}, line {number}", record, default_split=_SPLITS.get(file.stem))


def _csv_records(file: Path, text: str) -> Iterator[tuple[int, dict[str, object]]]:
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
        raise AttncliError(f"no CSV ({error})", where=f"{file}, line {reader.line_num}") from error


def _json_records(file: Path, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(lines_of(text), start=1):
        if not line.strip():
            continue
        record = parse_json(line, where=f"{file}, line {number}")
        if not isinstance(record, dict):
            raise AttncliError("expected a JSON object", where=f"{file}, line {number}")
        yield number, record


def _text_records(file: Path, text: str) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(lines_of(text), start=1):
        found = _TEXT_LINE.fullmatch(line)
        if found is not None:
            yield number, {"path": found["path"], "label": found["label"]}
        elif words_of(line):
            raise AttncliError("expected `path label`", where=f"{file}, line {number}")


def _row(place: str, record: dict[str, object], default_split: str | None) -> _Row:
    path, id_, label, split, subject = (
        _text(place, record, key) for key in ("path", "id", "label", "split", "subject")
    )
    if path is None:
        raise AttncliError("has no `path`", where=place)
    if split is not None and split.lower() not in _SPLITS:
        raise AttncliError(f"split {split!r} is neither train nor val", where=place)
    if id_ is not None and (Path(id_).is_absolute() or ".." in Path(id_).parts):
        raise AttncliError(f"id {id_!r} leads out of a directory named by it", where=place)
    if "\0" in path:
        raise AttncliError("`path` has a NUL", where=place)
    known_split = default_split if split is None else _SPLITS[split.lower()]
    return _Row(place, path, id_, label, known_split, subject)


def _text(place: str, record: dict[str, object], key: str) -> str | None:
    value = record.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise AttncliError(f"`{key}` is neither text nor a whole number", where=place)
    if key != "path" and has_control_characters(str(value)):
        raise AttncliError(f"`{key}` {value!r} has a control character", where=place)
    return str(value)


def _classes(rows: Sequence[_Row]) -> tuple[str, ...]:
    """Return the names of all classes; numbers are names too where they are not as counting has."""
    labels = {row.label for row in rows if row.label is not None}
    if all(_NUMBER.fullmatch(label) for label in labels):
        return tuple(str(number) for number in range(1 + max(map(int, labels), default=-1)))
    return tuple(sorted(labels))


def _samples(
    rows: Sequence[_Row], folder: Path, classes: tuple[str, ...], split: Split
) -> tuple[VideoSample, ...]:
    labels = {name: label for label, name in enumerate(classes)}
    samples: dict[str, VideoSample] = {}
    for row in rows:
        id_ = row.id or _id_of(row.path, folder)
        if has_control_characters(id_):
            what = f"a name cannot be made of `path` {row.path!r}; give it an `id`"
            raise AttncliError(what, where=row.place)
        if id_ in samples and split != "all":
            raise AttncliError(f"video {id_!r} is listed twice", where=row.place)
        label = UNKNOWN_LABEL if row.label is None else labels[row.label]
        sample = VideoSample(id_, folder / row.path, label, row.subject)
        if samples.setdefault(id_, sample) != sample:
            what = f"video {id_!r} is listed twice, with another path, label or subject"
            raise AttncliError(what, where=row.place)
    return tuple(samples.values())


def _id_of(path: str, folder: Path) -> str:
    place = Path(path)
    if place.is_relative_to(folder):
        place = place.relative_to(folder)
    parts = [part for part in place.parts if part not in (place.anchor, "..")]
    name = Path(*parts)
    return (name.with_suffix("") if name.suffix.lower() in VIDEO_SUFFIXES else name).as_posix()
