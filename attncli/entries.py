"""What a paper, a task, a method and a command are to the catalog; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Paper:
    """A publication whose method is built here."""

    key: str
    """Short name, as `attncli demo` takes it."""
    title: str
    """Title in English."""
    authors: str
    """Authors, in the order of the publication."""
    year: int | None
    """Year of publication; None where the text gives none."""
    module: str
    """Module with the method, in the paper's notation."""
    demo: str | None = None
    """`module:Class` of its pipeline on toy data, as `attncli demo` runs it; None where there is
    none."""


@dataclass(frozen=True)
class Task:
    """How methods of one sort are read, trained, scored and drawn; each part as `module:name`."""

    train: str
    """Workflow that trains a method."""
    figure: str
    """Function that draws what runs attend to, where no certain kind of figure is asked for."""
    evaluate: str = "attncli.workflows.evaluate.networks:evaluate_runs"
    """Workflow that scores runs."""
    source: str | None = None
    """Class of what opens the samples of a run: an `attncli.data.source.Source`; None where a
    method is fitted at once, to features."""
    evaluation: str | None = None
    """Class of what is made of a network's answers to a split: an
    `attncli.training.validation.Evaluation`; None likewise."""
    watch: str | None = None
    """Function that shows a network whole samples, so that people can edit what it attends to;
    None where nobody can."""
    own: str | None = None
    """Class of how files and arrays of one's own are put to its networks; None where that is not
    possible."""
    ranks_people: bool = False
    """Whether people are looked for among others, so that it can be asked how they are ranked."""
    is_fitted: bool = False
    """Whether runs hold what was fitted to features, and are asked about those of a directory;
    other runs are networks, or hold features of their own."""


@dataclass(frozen=True)
class Method:
    """What `attncli train` trains: a network, or an estimator fitted to features."""

    name: str
    """Name on the command line."""
    summary: str
    """One sentence for the help."""
    paper: Paper
    """Where it comes from."""
    task: Task
    """What sort of method it is."""
    config: str
    """`module:Class` of its config dataclass, whose fields are its options."""
    build: str
    """`module:function` that makes the model and its criterion from a config and a class count, or
    an estimator from a config."""
    example: str
    """A command line for the help."""
    attention: tuple[Literal["spatial", "temporal"], ...] = ()
    """Kinds of attention its network makes, and can be told to replace."""


@dataclass(frozen=True)
class Command:
    """A subcommand of `attncli`."""

    name: str
    """Name on the command line."""
    summary: str
    """One sentence for the help."""
    module: str
    """Module whose `command` is the function behind it."""
    is_group: bool = False
    """Whether `command` makes a group of commands, such as `train METHOD`."""
