"""What becomes of a clip's class when the clip is mirrored left to right.

A mirrored "Pushing something from left to right" shows "Pushing something from right to left".
"""

import re
from collections.abc import Mapping, Sequence

from attncli.config.training import Flip
from attncli.data.samples import UNKNOWN_LABEL

_MIRRORED_WORDS = {
    "left": "right",
    "leftward": "rightward",
    "leftwards": "rightwards",
    "clockwise": "counterclockwise",
}
_MIRRORED_WORDS |= {mirrored: word for word, mirrored in _MIRRORED_WORDS.items()}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # SwipeLeft has two
_COUNTERCLOCKWISE = re.compile(r"(anti|counter)[-_ ]?clockwise", re.IGNORECASE)


def mirrored_labels(classes: Sequence[str]) -> tuple[int | None, ...]:
    """Return for each class the one that its mirrored clips belong to.

    That is the class itself where its name has no word for a side or a sense of rotation, and None
    where it has one but no class is called by the opposite.

    >>> mirrored_labels(["Push left", "Push right", "Push", "Turn left"])
    (1, 0, 2, None)
    """
    labels = {_in_one_spelling(name).casefold(): label for label, name in enumerate(classes)}
    return tuple(
        labels.get(_mirrored_name(name)) if names_a_side(name) else label
        for label, name in enumerate(classes)
    )


def names_a_side(name: str) -> bool:
    """Return whether a class's name has a word that mirroring makes wrong.

    >>> names_a_side("SwipeLeft"), names_a_side("Cleaning leftovers")
    (True, False)
    """
    words = _WORDS.findall(_in_one_spelling(name))
    return any(word.casefold() in _MIRRORED_WORDS for word in words)


def labels_after_flip(flip: Flip, classes: Sequence[str]) -> Mapping[int, int]:
    """Return the label that a mirrored training clip gets, by its own.

    Clips whose label is not in the result are never mirrored.
    """
    if flip == "none" or (flip == "auto" and any(map(names_a_side, classes))):
        return {}
    if flip == "swap-labels":
        mirrored = enumerate(mirrored_labels(classes))
        return {label: other for label, other in mirrored if other is not None}
    return {label: label for label in (UNKNOWN_LABEL, *range(len(classes)))}


def flip_notes(flip: Flip, classes: Sequence[str]) -> tuple[str, ...]:
    """Return what the user should be told about classes that keep clips from being mirrored."""
    if flip == "auto" and (sided := [name for name in classes if names_a_side(name)]):
        return (
            f"no clip is mirrored: {sided[0]!r} names a side (1 of {len(sided)} such classes);"
            " --flip swap-labels mirrors clips together with their labels",
        )
    mirrored = zip(classes, mirrored_labels(classes), strict=True)
    if flip == "swap-labels" and (kept := [name for name, other in mirrored if other is None]):
        return (
            f"clips of {kept[0]!r} are never mirrored, since no class is its mirror image"
            f" (1 of {len(kept)} such classes)",
        )
    return ()


def _mirrored_name(name: str) -> str:
    return _WORDS.sub(
        lambda word: _MIRRORED_WORDS.get(word[0].casefold(), word[0]), _in_one_spelling(name)
    ).casefold()


def _in_one_spelling(name: str) -> str:
    return _COUNTERCLOCKWISE.sub("Counterclockwise", name)
