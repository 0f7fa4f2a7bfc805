"""What tests of commands share."""

from collections.abc import Callable
from typing import Any

import pytest

from attncli.commands import lazy


@pytest.fixture
def told() -> Callable[..., Any]:
    """Return a function that makes settings of the words of a command line."""

    def read(config: type, *words: object) -> Any:
        made: list[Any] = []

        def command(settings: Any) -> None:
            made.append(settings)

        command.__annotations__["settings"] = config
        called = lazy.command("told", command)
        with called.make_context("told", [str(word) for word in words]) as context:
            called.invoke(context)
        return made[0]

    return read
