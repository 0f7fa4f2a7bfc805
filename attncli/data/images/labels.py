"""Where image labels are from: annotations (XML), label maps, or a table."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from attncli.data.images.label_maps import classes_shown, read_label_map
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, reason
from attncli.files.tables import Table, read_cells

Labels = frozenset[int] | None
"""Positions in a dataset's classes of what an image shows; None where that is not known."""

TABLE_REMEDY = "write columns id and label (several separated by ;), or id and one for each class"


def labelled(
    samples: Sequence[ImageSample], classes: Sequence[str], *, labels: str, annotations: Path
) -> tuple[tuple[ImageSample, ...], str]:
    """Return samples with their labels, and where these are from.

    Images of which nothing is said there stay without labels.

    Args:
        samples: The images, with their label maps where they have some.
        classes: Names of the dataset's classes.
        labels: `annotations`, `label-maps`, a CSV file, or `auto`: annotations where every image
            has them, else label maps.
        annotations: Directory of annotations, `ID.xml` each.

    Raises:
        AttncliError: There is nothing of that kind, or it cannot be read.
    """
    files = {s.id: annotations / f"{s.id}.xml" for s in samples}
    annotated = {id_: file for id_, file in files.items() if file.is_file()}
    mapped = {s.id: s.label_map for s in samples if s.label_map and s.label_map.is_file()}
    if labels == "auto":
        labels = _where_labels_are(len(samples), len(annotated), len(mapped), annotations.parent)
    if labels == "annotations":
        origin, where, found = "annotations", annotations, _of_annotations(annotated, classes)
    elif labels == "label-maps":
        origin, where, found = "label maps", annotations.parent, _of_label_maps(mapped, classes)
    else:
        origin, where, found = labels, Path(labels), read_label_table(Path(labels), classes)
    if samples and not found.keys() & files.keys():
        remedy = "take labels from elsewhere with --labels, or check --data"
        raise AttncliError(f"has no {origin} for any of the images", where=where, remedy=remedy)
    return tuple(replace(s, labels=found.get(s.id)) for s in samples), origin


def read_annotation(file: Path, classes: Sequence[str]) -> frozenset[int]:
    """Return the classes of all objects of an annotation, those marked as difficult among them.

    Raises:
        AttncliError: It cannot be read, is no annotation, or names an object of another class.
    """
    remedy = "get the file again, or take labels from elsewhere with --labels"
    try:
        root = ElementTree.fromstring(file.read_bytes())  # noqa: S314 - expat bounds expansion
    except OSError as error:
        raise AttncliError(f"cannot be read ({reason(error)})", where=file) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise AttncliError(
            f"is not valid XML ({reason(error)})", where=file, remedy=remedy
        ) from error
    if root.tag != "annotation":
        raise AttncliError(f"holds <{root.tag}> instead of <annotation>", where=file, remedy=remedy)
    names = [(each.findtext("name") or "").strip() for each in root.iter("object")]
    for name in names:
        if name not in classes:
            what = f"object of class {name!r}, which is not among the dataset's {len(classes)}"
            raise AttncliError(what, where=file, remedy="correct the name")
    return frozenset(classes.index(name) for name in names)


def read_label_table(path: Path, classes: Sequence[str]) -> dict[str, Labels]:
    """Return image labels by id from a table of id and label, or of id and 0 or 1 for each class.

    Labels are class names, separated by `;`; an empty cell says that nothing is known.

    Raises:
        AttncliError: It is no such table, has an id twice, or names another class.
    """
    cells = read_cells(path, trimmed=True, remedy=TABLE_REMEDY)
    header = cells.iloc[0].tolist() if len(cells) else []
    read = _named if header == ["id", "label"] else _marked
    if read is _marked:
        _require_classes(path, header, classes)
    table = Table(path, cells.iloc[1:])
    found: dict[str, Labels] = {}
    for row, (id_, *rest) in enumerate(table.cells.itertuples(index=False, name=None)):
        if id_ in found:
            raise table.error(row, f"image {id_!r} is listed twice", "keep one of the lines")
        try:
            found[id_] = read(rest, header[1:], classes)
        except ValueError as error:
            raise table.error(row, str(error), TABLE_REMEDY) from error
    return found


def _require_classes(path: Path, header: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse a table that has not a column for ids and one for each class."""
    wrong = [name for name in classes if header.count(name) != 1]
    wrong += [name for name in header[1:] if name not in classes]
    if header[:1] != ["id"]:
        what = "its first column must be 'id'"
    elif wrong:
        kind = "unknown" if wrong[0] not in classes else "double" if wrong[0] in header else "no"
        what = f"{kind} column {wrong[0]!r}"
    else:
        return
    raise AttncliError(what, where=path, remedy=TABLE_REMEDY)


def _named(cells: Sequence[str], _: Sequence[str], classes: Sequence[str]) -> Labels:
    names = [name.strip() for name in cells[0].split(";") if name.strip()]
    for name in names:
        if name not in classes:
            raise ValueError(f"class {name!r} is not among the dataset's {len(classes)}")
    return frozenset(classes.index(name) for name in names) if names else None


def _marked(cells: Sequence[str], names: Sequence[str], classes: Sequence[str]) -> Labels:
    if wrong := [cell for cell in cells if cell not in ("0", "1")]:
        raise ValueError(f"{wrong[0]!r} is neither 0 nor 1")
    marked = zip(names, cells, strict=True)
    return frozenset(classes.index(name) for name, cell in marked if cell == "1")


def _where_labels_are(n_images: int, n_annotated: int, n_mapped: int, root: Path) -> str:
    """Return where to take labels from: annotations of all images, else label maps."""
    if n_annotated == n_images:
        return "annotations"
    if n_mapped:
        return "label-maps"
    what = (
        f"has annotations of {n_annotated} of {n_images} images only, and no label maps"
        if n_annotated
        else "has neither annotations nor label maps of the images"
    )
    remedy = "add Annotations/ or SegmentationClass/, or name a table with --labels FILE.csv"
    if n_annotated:
        remedy += "; --labels annotations leaves the other images without labels"
    raise AttncliError(what, where=root, remedy=remedy)


def _of_annotations(files: Mapping[str, Path], classes: Sequence[str]) -> dict[str, Labels]:
    return {id_: read_annotation(file, classes) for id_, file in files.items()}


def _of_label_maps(files: Mapping[str, Path], classes: Sequence[str]) -> dict[str, Labels]:
    def shown(file: Path) -> frozenset[int]:
        return classes_shown(read_label_map(file, n_classes=len(classes)))

    with ThreadPoolExecutor() as pool:
        return dict(zip(files, pool.map(shown, files.values()), strict=True))
