"""Which classes the sources of features were trained on, and which of them a picture is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torchvision.models import ResNet50_Weights

from attncli.backbones.images.offline import ARCHITECTURES
from attncli.errors import UsageError
from attncli.files.features import FeatureDirectory
from attncli.visualization.selection import known_name

OF_IMAGENET = ("imagenet", *ARCHITECTURES)
"""Weights whose classes are those of ImageNet, in its order."""
OPTION = "--source-class"


@dataclass(frozen=True)
class SourceClasses:
    """The classes of a source."""

    count: int
    """How many there are."""
    names: tuple[str, ...] = ()
    """What they are called; empty where that is not known."""
    wished: int | None = None
    """Number of the one that maps are drawn of; None for the one seen most of in an image."""

    def name(self, number: int) -> str:
        """Return what a class is called.

        >>> SourceClasses(10).name(3), SourceClasses(2, ("cat", "dog")).name(1)
        ('class 3', 'dog')
        """
        return self.names[number] if self.names else f"class {number}"


def source_classes(features: FeatureDirectory, wishes: Sequence[str]) -> dict[str, SourceClasses]:
    """Return the classes of each source by its name.

    Args:
        features: Features of the sources.
        wishes: Classes that pictures are of, such as `3`, `goldfish` or `I=3`; one a source.

    Raises:
        UsageError: There is no such source or class, or a source is given two.
    """
    wished = _by_source(wishes, features.sources)
    return {
        name: _classes(features.settings["sources"][name], wished.get(name))
        for name in features.sources
    }


def _by_source(wishes: Sequence[str], sources: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for wish in wishes:
        source, is_named, name = wish.partition("=")
        if is_named and source not in sources:
            remedy = f"name one of {', '.join(sources)}"
            raise UsageError(f"no such source: {source!r}", where=OPTION, remedy=remedy)
        for one in (source,) if is_named else sources:
            if one in found:
                raise UsageError(f"names two classes for {one}", where=OPTION, remedy="name one")
            found[one] = name if is_named else wish
    return found


def _classes(about: Mapping[str, Any], wish: str | None) -> SourceClasses:
    count = int(about["classes"])
    names = _names(about, count)
    if wish is None:
        return SourceClasses(count, names)
    return SourceClasses(count, names, _number(wish, count, names))


def _names(about: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return the names of a source's classes: kept with it, or those of ImageNet."""
    kept = tuple(map(str, about.get("class_names", ())))
    published = tuple(ResNet50_Weights.IMAGENET1K_V2.meta["categories"])
    if not kept and about.get("weights") in OF_IMAGENET:
        kept = published
    return kept if len(kept) == count else ()


def _number(wish: str, count: int, names: Sequence[str]) -> int:
    """Return the number of a class that is given by its number, from 0, or by its name."""
    if wish in names:
        return names.index(wish)
    if wish.isascii() and wish.isdigit():
        if int(wish) < count:
            return int(wish)
        what = f"no such class: {wish}"
        raise UsageError(what, where=OPTION, remedy=f"name one from 0 to {count - 1}")
    if not names:
        what = f"must be a number, as names of classes are not known, not {wish!r}"
        raise UsageError(what, where=OPTION, remedy=f"name one from 0 to {count - 1}")
    return names.index(known_name(wish, names, OPTION))
