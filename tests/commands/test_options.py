import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
import typer

from attncli import cli
from attncli.commands import lazy
from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Looks(Checked):
    """Settings of every sort."""

    kind: Annotated[str, Option(is_argument=True, choices=("cat", "dog"))]
    """Animal."""
    runs: Annotated[tuple[Path, ...], ARGUMENT]
    """Directories."""
    frame_hw: tuple[int, int] | None = None
    """Rows and columns."""
    widths: tuple[int, ...] = (1, 2)
    """Channels."""
    classes: tuple[str, ...] = ()
    """Names."""
    ids: Annotated[tuple[str, ...], Option(flag="--id", is_repeated=True)] = ()
    """Clips."""
    min_area_px: Annotated[int | None, Option(short="-m", least=0, most=9)] = None
    """Pixels."""
    order: Literal["first", "last"] = "first"
    """Which come first."""
    split: Literal["train"] = "train"
    """Is no choice."""
    sharp: bool = False
    """Sharpen."""
    browser: bool = True
    """Open a page."""


@dataclass(frozen=True, kw_only=True)
class Page(Checked):
    """A page."""

    heading: ClassVar[str] = "Page"

    dpi: Annotated[int, Option(least=50)] = 300
    """Pixels an inch."""


def draw(
    page: Page,
    looks: Looks,
    *,
    json: bool,
    overwrite: Annotated[bool, "Replace pictures."],
) -> None:
    """Draw."""


def help_of(function: Any) -> str:
    command = lazy.command("draw", function)
    return command.get_help(typer.Context(command, info_name="draw"))


def test_what_is_not_said_is_as_the_settings_have_it(told):
    assert told(Looks, "cat", "a") == Looks(kind="cat", runs=(Path("a"),))


def test_every_type_of_setting_is_read(told):
    words = ("dog", "a", "b", "--frame-hw", "64,48", "--widths", "8, 16,", "--classes", "cat, a b")
    words += ("--id", "x,y", "--id", "z", "-m", "4", "--order", "last", "--sharp", "--no-browser")
    assert told(Looks, *words) == Looks(
        runs=(Path("a"), Path("b")),
        kind="dog",
        frame_hw=(64, 48),
        widths=(8, 16),
        classes=("cat", "a b"),
        ids=("x,y", "z"),
        min_area_px=4,
        order="last",
        sharp=True,
        browser=False,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--frame-hw", "64"), "must be 2 integers between commas, not '64'"),
        (("--frame-hw", "64,48,3"), "must be 2 integers between commas, not '64,48,3'"),
        (("--widths", "8,x"), "must be integers between commas, not '8,x'"),
        (("--widths", ""), "'' holds no value"),
        (("--widths", " , "), "' , ' holds no value"),
        (("--min-area-px", "3.5"), "must be an integer, not '3.5'"),
        (("--order", "random"), "'random' is not one of 'first', 'last'"),
        (("--split", "train"), "No such option: --split"),
    ],
)
def test_what_is_no_such_value_is_wrong_usage(told, words, message):
    with pytest.raises(typer.TyperException) as caught:
        told(Looks, "cat", "a", *words)
    assert message in caught.value.format_message()


@dataclass(frozen=True, kw_only=True)
class Stops(Checked):
    """Settings of which an empty list says something."""

    stops: Annotated[tuple[int, ...], Option(may_be_empty=True)] = (3,)
    """Places."""


def test_an_empty_list_may_say_something(told):
    assert told(Stops).stops == (3,)
    assert told(Stops, "--stops", "").stops == ()
    with pytest.raises(typer.TyperException) as caught:
        told(Stops, "--stops", ",")
    assert "',' holds no value" in caught.value.format_message()


@pytest.mark.parametrize("pixels", ["-1", "10"])
def test_what_is_out_of_range_is_told_by_the_settings(told, pixels):
    with pytest.raises(UsageError, match=r"--min-area-px: must be in \[0, 9\]"):
        told(Looks, "cat", "a", "--min-area-px", pixels)


def test_a_dash_stands_for_the_paths_on_stdin(told, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("b\nc d\n\n"))
    assert told(Looks, "cat", "a", "-", "e").runs == tuple(map(Path, ("a", "b", "c d", "e")))


def test_help_says_default_and_range_and_what_a_list_is():
    shown = help_of(draw)
    for line in (
        r"runs\.\.\. <path> +Directories\.  \[required\]",
        r"kind <cat\|dog> +Animal\.  \[required\]",
        r"--frame-hw <int,int> +Rows and columns\.\n",
        r"--widths <int,int,\.\.\.> +Channels\.  \[default: 1,2\]",
        r"--classes <str,str,\.\.\.> +Names\.\n",
        r"--id <str> +Clips\.\n",
        r"-m, --min-area-px <int> +Pixels\.  \[0<=x<=9\]",
        r"--sharp +Sharpen\.\n",
        r"--browser / --no-browser +Open a page\.  \[default: true\]",
        r"--dpi <int> +Pixels an inch\.  \[default: 300; x>=50\]",
        r"--overwrite +Replace pictures\.",
    ):
        assert re.search(line, shown), line
    assert "--split" not in shown


def test_what_all_have_alike_comes_before_what_has_a_heading():
    headings = re.findall(r"^(\w+):$", help_of(draw), flags=re.MULTILINE)
    assert headings == ["Arguments", "Options", "Page"]


def leaves(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return all commands that are no groups, by the words that call them."""
    loaded = command.load() if isinstance(command, lazy.LazyCommand) else command
    if not isinstance(loaded, lazy.Group):
        return {path: loaded}
    below = [leaves(entry, (*path, name)) for name, entry in loaded.commands.items()]
    return {words: leaf for found in below for words, leaf in found.items()}


COMMANDS = leaves(cli.application())
"""All commands, by the words that call them."""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_with_an_example(run_cli, words):
    code, stdout, stderr = run_cli(*words, "--help")
    assert (code, stderr) == (0, "")
    assert f"Example: attncli {' '.join(words)}" in stdout
    assert "<list" not in stdout
    assert not re.search(r"\w(Config|Call)\b| options:", stdout)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_of_every_command_has_help(words):
    command = COMMANDS[words]
    context = typer.Context(command, info_name=words[-1])
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    assert [name for name, text in records if not text.strip()] == []


def test_workers_and_outputs_have_the_same_letter_everywhere():
    letters = {"--workers": "-j", "--out": "-o"}
    for words, command in COMMANDS.items():
        for option in command.params:
            for long in letters.keys() & set(option.opts):
                assert letters[long] in option.opts, words


LISTS = [
    (words, option.opts[0], option.metavar)
    for words, command in COMMANDS.items()
    for option in command.params
    if option.metavar and "," in option.metavar
]


def test_there_are_lists():
    assert {flag for _, flag, _ in LISTS} >= {"--milestones", "--widths", "--classes", "--frame-hw"}


@pytest.mark.parametrize(("words", "flag", "metavar"), LISTS)
def test_every_list_is_written_between_commas(words, flag, metavar):
    command = COMMANDS[words]
    (option,) = (option for option in command.params if flag in option.opts)
    context = typer.Context(command, info_name=words[-1])
    expected = ("64", "48") if "str" in metavar else (64, 48)
    assert option.process_value(context, "64,48") == expected


def test_variables_give_options_that_are_not_typed(told, monkeypatch):
    for name, value in {"WIDTHS": "8,16", "ORDER": "last", "MIN_AREA_PX": "3"}.items():
        monkeypatch.setenv(f"ATTNCLI_{name}", value)
    found = told(Looks, "cat", "a", "--order", "first")
    assert (found.widths, found.order, found.min_area_px) == ((8, 16), "first", 3)


def test_a_variable_that_is_out_of_range_is_named(told, monkeypatch):
    monkeypatch.setenv("ATTNCLI_MIN_AREA_PX", "10")
    with pytest.raises(UsageError, match=r"^ATTNCLI_MIN_AREA_PX: --min-area-px: must be in"):
        told(Looks, "cat", "a")
    assert told(Looks, "cat", "a", "--min-area-px", "2").min_area_px == 2


def test_arguments_have_no_variable(told, monkeypatch):
    monkeypatch.setenv("ATTNCLI_KIND", "dog")
    assert told(Looks, "cat", "a").kind == "cat"


@dataclass(frozen=True, kw_only=True)
class Needing(Checked):
    """What cannot do without a setting."""

    data: Path
    """Dataset."""


def test_a_variable_stands_for_an_option_that_must_be_given(told, monkeypatch):
    with pytest.raises(typer.TyperException):
        told(Needing)
    monkeypatch.setenv("ATTNCLI_DATA", "d")
    assert told(Needing) == Needing(data=Path("d"))


def test_help_says_in_one_place_that_there_are_variables():
    assert help_of(draw).count("ATTNCLI_") == 1


def test_what_a_command_refuses_later_names_the_variable_too(run_cli, monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNCLI_WEIGHTS", "none")
    (tmp_path / "d" / "jump").mkdir(parents=True)
    (tmp_path / "d" / "jump" / "v.avi").touch()
    answer = run_cli("segment", tmp_path / "d", "--backend", "motion", "-o", tmp_path / "m")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("attncli: error: ATTNCLI_WEIGHTS: --weights: ")


def test_a_misspelt_variable_is_warned_of(run_cli, monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNCLI_WORKER", "3")
    answer = run_cli("segment", tmp_path, "-o", tmp_path / "m")
    assert "warning: ATTNCLI_WORKER: no such option; did you mean ATTNCLI_WORKERS?" in answer.stderr
