"""CK+ (Lucey et al., 2010), faces from neutral to the apex of an emotion, in either of two forms.

As it is distributed, `cohn-kanade-images/S005/001/` holds the frames of a sequence of subject S005,
`S005_001_00000001.png` and so on, `Emotion/S005/001/` one file whose number is the sequence's
emotion, or nothing, and `Landmarks/S005/001/` 68 points a frame. Sequences without an emotion, 266
of the 593, are left out, and `notes` says how many.

CK+48, a copy found on the web, holds the last three frames of the 327 labelled sequences, cut to
the face and reduced to 48x48 pixels: `happy/S010_004_00000017.png` and so on.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from attncli.data.samples import Split, VideoDataset, VideoSample
from attncli.data.video.frame_folders import image_files, natural_order
from attncli.errors import AttncliError, reason

NAME = "ckplus"
"""What the layout is called."""
LOOKS_LIKE = (
    "cohn-kanade-images/ with Emotion/ beside it, or CK+48's class directories with images such as"
    " S010_004_00000017.png"
)
CLASSES = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
"""Emotions in the order of their codes, which count from 1; neutral, 0, labels no sequence."""

_IMAGE = re.compile(r"(?P<subject>S\d+)_(?P<sequence>\d+)_(?P<frame>\d+)")
_SUBJECT = re.compile(r"S\d+")
_SEQUENCE = re.compile(r"\d+")
_EMOTION_SUFFIX = "_emotion.txt"


def fits(root: Path) -> bool:
    """Return whether `root` holds CK+'s directory of images, or images of CK+48 by class."""
    if not root.is_dir():
        return False
    return _images_root(root) is not None or any(
        _IMAGE.fullmatch(image.stem)
        for folder, _ in _class_folders(_ck48_root(root))
        for image in image_files(folder)
    )


def open_split(root: Path, split: Split) -> VideoDataset:
    """Return all labelled sequences in the order of their ids, such as `S005/001`.

    Raises:
        AttncliError: A split is asked for, of which CK+ has none, an emotion is none of the seven,
            or an image or an emotion lies where it cannot belong; the message names the file.
    """
    images = _images_root(root) if root.is_dir() else None
    if images is None and not fits(root):
        raise AttncliError(f"not in CK+'s layout, looked for {LOOKS_LIKE}", where=root)
    if split != "all":
        raise AttncliError(
            "has no lists of training and validation sequences",
            where=root,
            remedy="train on it by cross-validation over people, as `attncli train convlstm-ram"
            f" --data {root} --folds 10` does",
        )
    samples, notes = (_ck48(_ck48_root(root)), ()) if images is None else _native(images)
    ordered = tuple(sorted(samples, key=lambda sample: natural_order(sample.id)))
    return VideoDataset(NAME, root, CLASSES, ordered, notes)


def pictures_are_faces(dataset: VideoDataset, sample: VideoSample) -> bool:
    """Return whether the frames of a sample are faces already: those of CK+48, which are listed."""
    return dataset.layout == NAME and bool(sample.files)


def _images_root(root: Path) -> Path | None:
    """Return the directory with a directory a subject, whether in `root` or in the zip's own."""
    name = "cohn-kanade-images"
    places = (root / name, root / "extended-cohn-kanade-images" / name)
    return next((place for place in places if place.is_dir()), None)


def _beside(images: Path, *names: str) -> Path | None:
    """Return the first of these directories that is beside the images or their directory."""
    places = [parent / name for parent in (images.parent, images.parent.parent) for name in names]
    return next((place for place in places if place.is_dir()), None)


def _native(images: Path) -> tuple[list[VideoSample], tuple[str, ...]]:
    emotions = _beside(images, "Emotion_labels/Emotion", "Emotion")
    if emotions is None:
        raise AttncliError(
            "has no directory Emotion/ beside it",
            where=images,
            remedy="unpack the emotion labels of CK+ there",
        )
    landmarks = _beside(images, "Landmarks")
    labels = {id_: _label(emotions / id_, id_) for id_ in _sequences(emotions)}
    ids = dict.fromkeys(chain(_sequences(images), labels))
    labelled = {id_: label for id_ in ids if (label := labels.get(id_)) is not None}
    # An emotion may have no frames beside it: its sequence is kept, so that reading it fails.
    samples = [_sequence(images, id_, label, landmarks) for id_, label in labelled.items()]
    n_left = len(ids) - len(samples)
    note = f"{n_left} of {len(ids)} sequences have no emotion label and are left out"
    return samples, (note,) if n_left else ()


def _sequences(root: Path) -> Iterator[str]:
    """Yield `S005/001` for every directory two levels down."""
    for subject in _directories(root, _SUBJECT, "S005"):
        for sequence in _directories(subject, _SEQUENCE, "001"):
            yield f"{subject.name}/{sequence.name}"


def _directories(parent: Path, pattern: re.Pattern[str], example: str) -> Iterator[Path]:
    for entry in parent.iterdir():
        if entry.name.startswith((".", "__")) or not entry.is_dir():  # __MACOSX
            continue
        if not pattern.fullmatch(entry.name):
            raise AttncliError(
                f"its name must be like {example}",
                where=entry,
                remedy="rename it or move it away",
            )
        yield entry


def _label(folder: Path, id_: str) -> int | None:
    """Return the class of a sequence by the file in its folder of emotions, which may be empty."""
    files = sorted(
        file
        for file in folder.iterdir()
        if file.name.endswith(_EMOTION_SUFFIX) and not file.name.startswith(".")
    )
    for file in files:
        _require_own(file, file.name.removesuffix(_EMOTION_SUFFIX), id_)
    if len(files) > 1:
        names = " and ".join(file.name for file in files[:2])
        raise AttncliError(f"has two emotions, {names}", where=folder, remedy="keep one")
    return _read_code(files[0]) - 1 if files else None


def _read_code(file: Path) -> int:
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AttncliError(
            f"cannot be read ({reason(error)})", where=file, remedy="use CK+'s own file"
        ) from error
    codes = {float(code): code for code in range(1, len(CLASSES) + 1)}
    try:
        return codes[float(text)]
    except (KeyError, ValueError):
        raise AttncliError(
            f"emotion must be one of 1 to {len(CLASSES)}, not {text[:20]!r}",
            where=file,
            remedy="use CK+'s own file",
        ) from None


def _sequence(images: Path, id_: str, label: int, landmarks: Path | None) -> VideoSample:
    folder = images / id_
    for image in image_files(folder) if folder.is_dir() else ():
        _require_own(image, image.stem, id_)
    points = None if landmarks is None else landmarks / id_
    if points is not None and not points.is_dir():
        points = None
    return VideoSample(id_, folder, label, subject=id_.split("/")[0], landmarks=points)


def _require_own(file: Path, name: str, id_: str) -> None:
    """Refuse a file whose name says that it belongs to another sequence."""
    parsed = _IMAGE.fullmatch(name)
    if parsed is None or f"{parsed['subject']}/{parsed['sequence']}" != id_:
        raise AttncliError(
            f"its name is not of sequence {id_}",
            where=file,
            remedy="move it where it belongs",
        )


def _ck48_root(root: Path) -> Path:
    return root / "CK+48" if (root / "CK+48").is_dir() else root


def _class_folders(root: Path) -> Iterator[tuple[Path, int]]:
    """Yield the directories called as a class, in any case, with its label."""
    for folder in sorted(root.iterdir()):
        if folder.name.lower() in CLASSES and folder.is_dir():
            yield folder, CLASSES.index(folder.name.lower())


def _ck48(root: Path) -> list[VideoSample]:
    _require_no_other_class(root)
    sequences: defaultdict[str, dict[int, Path]] = defaultdict(dict)
    labels: dict[str, int] = {}
    for folder, label in _class_folders(root):
        for image in image_files(folder):
            id_, number = _parsed_image(image)
            _require_alone(sequences[id_], image, number, id_)
            sequences[id_][number] = image
            labels[id_] = label
    return [
        VideoSample(
            id_,
            frames[min(frames)].parent,
            labels[id_],
            subject=id_.split("/")[0],
            files=tuple(frames[number] for number in sorted(frames)),
        )
        for id_, frames in sequences.items()
    ]


def _parsed_image(image: Path) -> tuple[str, int]:
    """Return the sequence that an image belongs to, such as `S010/004`, and its frame number."""
    parsed = _IMAGE.fullmatch(image.stem)
    if parsed is None:
        raise AttncliError(
            "its name must be like S010_004_00000017.png",
            where=image,
            remedy="rename it or move it away",
        )
    return f"{parsed['subject']}/{parsed['sequence']}", int(parsed["frame"])


def _require_alone(frames: dict[int, Path], image: Path, number: int, id_: str) -> None:
    """Refuse a sequence in two classes, or with two images of one frame."""
    folders = [file.parent.name for file in frames.values() if file.parent != image.parent]
    if folders:
        raise AttncliError(
            f"sequence {id_} is in {folders[0]}/ and in {image.parent.name}/",
            where=image,
            remedy="move its frames into one of them",
        )
    if number in frames:
        what = f"is frame {number} of sequence {id_}, and so is {frames[number].name}"
        raise AttncliError(what, where=image, remedy="keep one of them")


def _require_no_other_class(root: Path) -> None:
    """Refuse a directory whose images would be left out unnoticed, such as `neutral`."""
    for folder in sorted(root.iterdir()):
        hidden = folder.name.startswith((".", "__"))
        if hidden or folder.name.lower() in CLASSES or not folder.is_dir():
            continue
        if any(_IMAGE.fullmatch(image.stem) for image in image_files(folder)):
            raise AttncliError(
                f"holds images of CK+, but its name is not a class ({', '.join(CLASSES)})",
                where=folder,
                remedy="rename it or move it away",
            )
