"""What the documentation tells its readers to type does what it says, with tiny networks.

Lines are run as they stand there; what makes networks and data small are variables of the
environment, which any option of a line goes before.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attncli import catalog
from attncli.cli import application
from attncli.commands.lazy import Group, LazyCommand
from attncli.config.environment import PREFIX, variable_of
from attncli.config.fields import settings
from attncli.config.reid import CUT
from attncli.toy_catalog import TOY_DATA
from tests.support.readme_data import PREPARATIONS
from tests.support.recipes import Block, Call, Line, blocks, code_in_prose, options_named
from tests.support.settings import TINY

ROOT = Path(__file__).parent.parent
FILES = (
    *("README.md", "attncli/methods/README.md", "attncli/files/README.md"),
    "tests/benchmarks/README.md",
)
WRITTEN = [block for file in FILES for block in blocks(ROOT, file)]
BLOCKS = [block for block in WRITTEN if block.language in ("sh", "python")]
"""Those that are code."""
RECIPES = {
    "install": ("Install", "Development"),
    "object-abn": (
        "Sharp attention from instance masks: Object-ABN on UCF101",
        *("Quick start", "In a script", "From Python"),
    ),
    "st-abn": ("Human knowledge of time: ST-ABN on Something-Something v2", "Editing"),
    "ram": ("Facial expressions: RAM on CK+",),
    "ssdd": ("Weakly supervised segmentation: SSDD on PASCAL VOC 2012",),
    "svd-fc": ("Fused transfer features: SVD-FC on CUB-200-2011",),
    "re-id": ("Person re-identification: C-DPCF and XQDA on Market-1501",),
    "own-data": ("Your own data",),
    "small-machine": ("On a small machine",),
}
"""Headings whose blocks are followed in one directory, one after another."""
SHELL = [block for block in BLOCKS if block.language == "sh"]
OR = "\\|"
"""What stands between words of which one is to be typed, within a table."""
PLACEHOLDER = re.compile(r"^[A-Z]+$|[…|]")
"""What is in words that stand for others, such as RUN…."""
OTHER_PROGRAMS = {"pip", "uv", "source", "set"}
"""Programs that are not called: what they are told is only parsed, by the shell."""
FACES = {"BATCH_SIZE": "64", "CLIPS": "tail"}
"""Variables that make few steps of a fold."""
SMALL: Mapping[tuple[str, ...], Mapping[str, str]] = {
    (): {"DEVICE": "cpu", "WORKERS": "0"},
    ("segment",): {"BACKEND": "motion", "WORKERS": "1"},
    ("refine-seeds",): {"WORKERS": "1", "LOG2_STEPS": "3"},
    ("svd-fc",): {"SKETCH_DIM": "32"},
    ("svd-fc", "CUB/"): {"RESIZE_PX": "64", "CROP_PX": "64"},
    ("train",): {"EPOCHS": "1"},
    ("train", "linear-svm"): {"FOLDS": "2"},
    ("train", "enhanced-convlstm"): FACES,
    ("train", "enhanced-convlstm-ram"): FACES,
    ("train", "abn", "--data", "UCF101/", "--weights", "none"): {"LIMIT": "3"},
}
"""Variables that make a command small, by how its words begin; they go before those of `TINY`."""


def demo(place: "Place", words: Sequence[str]) -> None:
    """Plan the demo, which has tests of its own, and put something small where it would write."""
    answer = place.run_cli(*words, "--dry-run")
    assert answer.exit_code == 0, answer.stderr
    run = Path("demo") / "runs" / "seed0" / "object_abn"
    for made in ("toy-data ucf101 demo/ucf101", f"-o {run}"):
        assert made in answer.stdout.replace(f"{place.root}/", "")
    shutil.copytree(place.root / "UCF101", place.root / "demo" / "ucf101")
    shutil.copytree(place.root / "runs" / "obj_abn", place.root / run)


def edit_times(place: "Place", words: Sequence[str]) -> None:
    """Score every frame in the table of edits, as one may in any editor."""
    require_parses(words)
    table = place.root / words[-1] / "edits.csv"
    blank = table.read_text()
    filled = re.sub(r"(\d),$", r"\1,0.5", blank, flags=re.MULTILINE)
    assert filled.count(",0.5\n") == blank.count("\n") - 1 > 0
    table.write_text(filled)


def paint_nothing(place: "Place", words: Sequence[str]) -> None:
    """Leave the page shut: the line after it takes masks."""
    require_parses(words)


STAND_INS: Mapping[tuple[str, ...], Callable[["Place", Sequence[str]], None]] = {
    ("demo",): demo,
    ("edit-temporal", "serve"): edit_times,
    ("edit-spatial", "serve"): paint_nothing,
}
"""What happens in the place of commands that take minutes or a person, by how they begin."""


@dataclass(frozen=True)
class Place:
    """A directory in which lines are typed."""

    root: Path
    """Where it is."""
    run_cli: Callable[..., Any]
    """Runs `attncli` in this process."""

    def follow(self, block: Block) -> None:
        """Do what a block says.

        Raises:
            AssertionError: A line fails, or does not write what it names.
        """
        if block.language == "python":
            exec(compile(block.text, f"{block.file}: {block.heading}", "exec"), {})
            return
        for line in block.lines:
            self.type(line, f"{block.file}: {block.heading}: {line.text}")

    def type(self, line: Line, said: str) -> None:
        """Do what one line says; `said` is what to call it where it fails."""
        for pipe in line.pipes:
            rows = ""
            for call in pipe:
                rows = self.call(call, rows, said)
                if call.output:
                    (self.root / call.output).write_text(rows)

    def call(self, call: Call, stdin: str, said: str) -> str:
        """Call one program and return its rows."""
        name, *words = call.words
        if name in OTHER_PROGRAMS:
            return ""
        if name == "ls":
            return subprocess.check_output(["sh", "-c", " ".join(call.words)], text=True)
        assert name == "attncli", said
        for start, stand_in in STAND_INS.items():
            if tuple(words[: len(start)]) == start:
                stand_in(self, words)
                return ""
        with pytest.MonkeyPatch.context() as environment:
            for variable, value in small(words).items():
                environment.setenv(variable, value)
            answer = self.run_cli(*words, stdin=stdin)
        assert answer.exit_code == 0, f"{said}\nends with {answer.exit_code}:\n{answer.stderr}"
        if "-o" in words:
            assert (self.root / words[words.index("-o") + 1]).exists(), said
        return answer.stdout


def small(words: Sequence[str]) -> dict[str, str]:
    """Return variables that make a command small."""
    found: dict[str, str] = {}
    if words[0] == "train":
        own = settings(catalog.load(catalog.method(words[1]).config))
        names = (own.keys() & TINY.keys()) - set(CUT if "size_hw" in own else ())
        found |= {variable_of(own[name]): as_variable(TINY[name]) for name in names}
    for start, values in SMALL.items():
        if tuple(words[: len(start)]) == start:
            found |= {f"{PREFIX}{name}": value for name, value in values.items()}
    return found


def as_variable(value: Any) -> str:
    """Return a setting as a variable holds it.

    >>> as_variable((4, 8)), as_variable(False), as_variable("none")
    ('4,8', '0', 'none')
    """
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def command_of(words: Sequence[str]) -> tuple[Any, Sequence[str]]:
    """Return the command that words call, and those of them that it is told."""
    found, rest = application(), list(words)
    while isinstance(found, Group) and rest and rest[0] in found.commands:
        found = found.commands[rest.pop(0)]
        found = found.load() if isinstance(found, LazyCommand) else found
    return found, rest


def require_parses(words: Sequence[str]) -> None:
    """Make sure that a command takes what it is told, without calling it."""
    command, rest = command_of(words)
    command.make_context(words[0], list(rest))


def every_command(group: Group) -> Iterator[Any]:
    """Yield a group and all commands below it."""
    yield group
    for entry in group.commands.values():
        command = entry.load() if isinstance(entry, LazyCommand) else entry
        if isinstance(command, Group):
            yield from every_command(command)
        else:
            yield command


def options_of(command: Any) -> set[str]:
    """Return the long options of a command, switches off too."""
    flags = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
    return {flag for flag in flags if flag.startswith("--")} | {"--help"}


@pytest.fixture
def place(tmp_path, monkeypatch, run_cli):
    """An empty directory, which is the working directory, and in which nothing is downloaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return Place(tmp_path, run_cli)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_line_of_a_recipe_does_what_it_says(place, recipe):
    PREPARATIONS.get(recipe, lambda _: None)(place)
    for heading in RECIPES[recipe]:
        for block in (block for block in BLOCKS if block.heading == heading):
            place.follow(block)


def test_a_line_that_fails_is_told_with_what_it_says(place):
    failing = Block("README.md", "Recipe", "sh", "attncli eval \\\n  runs/nowhere # figures\n")
    with pytest.raises(
        AssertionError, match=r"README.md: Recipe: .*(?s:.)* ends with 1:\n.*no such"
    ):
        place.follow(failing)


def test_lines_are_read_as_the_shell_reads_them():
    text = "set -e\n\n# first\na -x  'b c' \\\n  d\nls *.c | a - > rows.csv && f  # last\n"
    first, second, third = Block("README.md", "Recipe", "sh", text).lines
    assert first.pipes == [[Call(["set", "-e"])]]
    assert second.pipes == [[Call(["a", "-x", "b c", "d"])]]
    assert third.pipes == [
        [Call(["ls", "*.c"]), Call(["a", "-"], output="rows.csv")],
        [Call(["f"])],
    ]


def test_no_block_is_left_out():
    followed = [heading for headings in RECIPES.values() for heading in headings]
    assert len(set(followed)) == len(followed)
    assert {block.heading for block in BLOCKS} == set(followed)
    assert len({(block.file, block.heading) for block in BLOCKS}) == len(followed)
    assert {block.language for block in WRITTEN} <= {"sh", "python", "csv", "json", "toml"}


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.heading)
def test_every_block_of_shell_parses(block):
    subprocess.run(["bash", "-n", "-c", block.text], check=True)


@pytest.mark.parametrize("file", FILES)
def test_every_command_that_is_named_exists(file):
    for _, first, *rest in calls_in_prose(file):
        assert first in {"COMMAND", "--help"} | application().commands.keys()
        alternatives = rest[0].strip("[]").split(OR) if rest and OR in rest[0] else []
        assert set(alternatives) <= choices_of(first), (first, alternatives)


@pytest.mark.parametrize("file", FILES)
def test_every_call_in_the_prose_is_one_that_can_be_made(file):
    for _, *words in calls_in_prose(file):
        is_whole = len(words) > 1 and words[-1] != "--help"
        if is_whole and not any(PLACEHOLDER.search(word) for word in words):
            require_parses(words)


@pytest.mark.parametrize("file", FILES)
def test_every_option_that_is_named_exists(file):
    known = {flag for command in every_command(application()) for flag in options_of(command)}
    named = [(flag, span) for flag, span in options_named(ROOT, file) if not is_foreign(span)]
    assert [(flag, span) for flag, span in named if flag not in known] == []


@pytest.mark.parametrize("file", FILES)
def test_every_option_of_a_command_is_its_own(file):
    for flag, span in options_named(ROOT, file):
        words = span.split()
        command, _ = command_of(words[1:])
        if words[0] == "attncli" and not isinstance(command, Group):
            assert flag in options_of(command), span


def calls_in_prose(file: str) -> list[list[str]]:
    """Return the words of every `attncli …` outside blocks of code."""
    spans = [span.split() for span in code_in_prose(ROOT, file)]
    return [words for words in spans if words[0] == "attncli" and len(words) > 1]


def choices_of(name: str) -> set[str]:
    """Return what may stand behind a command of which there are several kinds."""
    if name == "toy-data":
        return {row.name for row in TOY_DATA}
    if name == "demo":
        return {paper.key for paper in catalog.PAPERS}
    command, _ = command_of([name])
    return set(command.commands) if isinstance(command, Group) else set()


def is_foreign(span: str) -> bool:
    """Return whether code calls another program than `attncli`."""
    return span.split()[0] in {*OTHER_PROGRAMS, "torchrun", "python"}
