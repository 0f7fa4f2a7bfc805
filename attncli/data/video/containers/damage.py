"""What can be wrong with the parts of a container, in words."""

CUT_SHORT = "cut short"
"""A part reaches beyond the end of the file."""

SECOND_FILE = "followed by a second video in the same file"
"""Another whole file follows, whose frames would be taken for the first one's."""


def damaged_at(byte: int) -> str:
    """Return what is wrong where something lies at a byte that is no part of the container."""
    return f"damaged at byte {byte}"
