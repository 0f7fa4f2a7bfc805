"""Code blocks of Markdown files, and what their lines of shell say."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FENCE = re.compile(r"```(?P<language>\w*)\s*")
_HEADING = re.compile(r"#+ (?P<text>.+)")
_OPTION = re.compile(r"--[a-z][a-z0-9-]*")
_SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Call:
    """One program that a line calls."""

    words: Sequence[str]
    """Its name and what it is told."""
    output: str | None = None
    """File that its rows go to; None for the terminal, or the call after it."""


@dataclass(frozen=True)
class Line:
    """One line of shell, with those that it goes on with."""

    text: str
    """As it stands there."""

    @cached_property
    def pipes(self) -> Sequence[Sequence[Call]]:
        """Calls that are made one after another; of several together each reads the one before."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        return [
            [_call(part) for part in _split(command, "|")] for command in _split(list(lexer), "&&")
        ]

    @property
    def calls(self) -> Iterator[Call]:
        """All calls."""
        return (call for pipe in self.pipes for call in pipe)


@dataclass(frozen=True)
class Block:
    """Code of one language, below one heading."""

    file: str
    """The Markdown file, by its path in the repository."""
    heading: str
    """Heading that it stands below."""
    language: str
    """What stands behind the fence: `sh`, `python` or `csv`."""
    text: str
    """The code."""

    @property
    def lines(self) -> Sequence[Line]:
        """Lines of shell, in which something is called."""
        whole = re.sub(r"\\\n\s*", "", self.text)
        lines = [Line(text) for text in whole.splitlines()]
        return [line for line in lines if any(line.calls)]


def blocks(root: Path, file: str) -> list[Block]:
    """Return the code blocks of a Markdown file in their order."""
    found: list[Block] = []
    heading, language, code = "", None, ""
    for line in (root / file).read_text(encoding="utf-8").splitlines(keepends=True):
        fence = _FENCE.fullmatch(line)
        if language is not None and fence:
            found.append(Block(file, heading, language, code))
            language = None
        elif language is not None:
            code += line
        elif fence:
            language, code = fence["language"], ""
        elif titled := _HEADING.match(line):
            heading = titled["text"].strip()
    return found


def code_in_prose(root: Path, file: str) -> list[str]:
    """Return what stands between backticks in a Markdown file, outside its blocks of code."""
    text = (root / file).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```\s*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(span.split()) for span in _SPAN.findall(prose)]


def options_named(root: Path, file: str) -> Iterator[tuple[str, str]]:
    """Yield every option that a Markdown file names in code, with the code it is named in."""
    shell = [block for block in blocks(root, file) if block.language == "sh"]
    spans = [" ".join(call.words) for b in shell for line in b.lines for call in line.calls]
    for span in (*code_in_prose(root, file), *spans):
        yield from ((option, span) for option in _OPTION.findall(span))


def _call(words: list[str]) -> Call:
    if ">" in words:
        words, (output,) = _split(words, ">")
        return Call(words, output)
    return Call(words)


def _split(words: Sequence[str], sign: str) -> list[list[str]]:
    """Return words between signs; nothing where there are none.

    >>> _split(["a", "|", "b", "c"], "|"), _split([], "|")
    ([['a'], ['b', 'c']], [])
    """
    parts: list[list[str]] = [[]]
    for word in words:
        if word == sign:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
