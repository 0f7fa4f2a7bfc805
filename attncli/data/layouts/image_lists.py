"""Lines of the lists that come with datasets of images: which file, which line, which image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from attncli.data.video.frame_folders import IMAGE_SUFFIXES
from attncli.errors import AttncliError
from attncli.files.text import has_control_characters, lines_of, read_text, words_of

REMEDY = "correct it, or take the list that the dataset comes with"


@dataclass(frozen=True)
class Line:
    """A line of a list, which can say where it is."""

    file: Path
    """The list."""
    number: int
    """Its place in the list, from 1."""
    text: str
    """What it says, without blanks about it."""

    @property
    def words(self) -> list[str]:
        """Its words."""
        return words_of(self.text)

    def error(self, what: str) -> AttncliError:
        """Return what to raise where it says something wrong."""
        return AttncliError(what, where=f"{self.file}, line {self.number}", remedy=REMEDY)


def read_lines(file: Path) -> Iterator[Line]:
    """Yield the lines of a list that say something.

    Raises:
        AttncliError: It cannot be read, or is empty.
    """
    is_empty = True
    for number, text in enumerate(lines_of(read_text(file, remedy=REMEDY)), start=1):
        if stripped := text.strip(" \t"):
            is_empty = False
            yield Line(file, number, stripped)
    if is_empty:
        raise AttncliError("is empty", where=file, remedy=REMEDY)


def image_below(line: Line, name: str, *, depth: int) -> PurePosixPath:
    """Return the image that a line names.

    Args:
        line: The line.
        name: What it calls the image.
        depth: Directories that the image lies in, below that of all images.

    Raises:
        AttncliError: That is no image, lies elsewhere, or cannot be written down.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if has_control_characters(name):
        raise line.error(f"{name!r} has a control character")
    if path.is_absolute() or ".." in path.parts or len(path.parts) != depth + 1:
        wanted = "/".join(["CLASS"] * depth + ["IMAGE"])
        raise line.error(f"expected {wanted}, not {name!r}")
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise line.error(f"{name!r} is not an image by its name")
    return path
