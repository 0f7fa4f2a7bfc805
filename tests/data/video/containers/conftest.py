"""What tests of containers do to files, and how they ask one container's walk."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def damage_by() -> Callable[[ModuleType, Path], str | None]:
    """What the walk of one container says of a file, which must begin as its files do."""

    def find(container: ModuleType, path: Path) -> str | None:
        with path.open("rb") as file:
            assert container.fits(file.read(512))
            file.seek(3)  # a walk must not count on where the file stands
            return container.find_damage(file, path.stat().st_size)

    return find


@pytest.fixture
def zeroed() -> Callable[[bytes, float, float], bytes]:
    """Bytes with zeros from one share of their length to another."""

    def zero(content: bytes, start: float, stop: float) -> bytes:
        first, last = int(start * len(content)), int(stop * len(content))
        return content[:first] + bytes(last - first) + content[last:]

    return zero
