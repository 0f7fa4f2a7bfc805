"""Options and arguments that several commands share, so that they read the same everywhere."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from attncli.config.training import LARGEST_SEED
from attncli.errors import UsageError
from attncli.files.text import lines_of

RunsArgument = Annotated[
    list[Path], typer.Argument(help="Run directories; `-` reads paths from stdin, one a line.")
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Where to write.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write rows as a JSON list to stdout.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the plan and touch nothing.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace an output that is there.")
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on where an interrupted command stopped.")
]
SplitOption = Annotated[
    Literal["train", "val"],
    typer.Option("--split", help="Part of the dataset; UCF101's test list is `val`."),
]
LayoutOption = Annotated[
    str,
    typer.Option("--layout", help="Layout of the dataset; `auto` recognises it."),
]
SeedOption = Annotated[
    int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of every random draw.")
]
DeviceOption = Annotated[
    str,
    typer.Option("--device", help="`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-j",
        min=0,
        help="Processes that read inputs; one a free core where unset, 0 reads in the main one.",
        show_default=False,
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option("--batch-size", min=1, help="Inputs in one pass.", show_default=False),
]
PrecisionOption = Annotated[
    Literal["fp32", "bf16", "fp16"],
    typer.Option("--precision", help="Arithmetic; bf16 and fp16 are mixed precision."),
]
CheckpointOption = Annotated[
    str,
    typer.Option(
        "--checkpoint",
        help="Weights: `last`; `best`, which were chosen by their score on the validation "
        "split and so look better there; or a file.",
    ),
]
OtherDataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Dataset to read instead of the run's own.", show_default=False),
]
OwnWorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-j",
        min=0,
        help="Processes that read clips; the run's own where unset.",
        show_default=False,
    ),
]
OwnPrecisionOption = Annotated[
    Literal["fp32", "bf16", "fp16"] | None,
    typer.Option("--precision", help="Arithmetic; the run's own where unset.", show_default=False),
]

WeakestClassesOption = Annotated[
    int | None,
    typer.Option(
        "--weakest-classes",
        min=1,
        help="Number of classes to take: those with the lowest accuracy, counting the better "
        "of training and validation split.",
        show_default=False,
    ),
]
BelowPercentOption = Annotated[
    float | None,
    typer.Option(
        "--below-percent",
        help="Take classes whose accuracy is below this on training and validation split "
        "alike.  [default: 50]",
        show_default=False,
    ),
]
MaxClipsOption = Annotated[
    int | None,
    typer.Option(
        "--max-clips",
        min=1,
        help="Most clips, from the classes in turn; all where unset.",
        show_default=False,
    ),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port of the page; a free one where 0.")
]
BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
]


def choice_of_clips(
    weakest_classes: int | None, below_percent: float | None, max_clips: int | None
) -> dict[str, Any]:
    """Return the settings that choose clips, as far as they were given.

    Raises:
        UsageError: Two of them contradict each other.
    """
    if weakest_classes is not None and below_percent is not None:
        raise UsageError("exclude each other", where="--weakest-classes and --below-percent")
    given = {
        "weakest_classes": weakest_classes,
        "below_percent": below_percent,
        "max_clips": max_clips,
    }
    return {name: value for name, value in given.items() if value is not None}


def read_paths(arguments: Iterable[Path]) -> list[Path]:
    """Return the paths, with those on stdin, one a line, in the place of `-`.

    Raises:
        UsageError: There are none at all.
    """
    paths: list[Path] = []
    for argument in arguments:
        if argument == Path("-"):
            paths += [Path(line) for line in lines_of(sys.stdin.read()) if line]
        else:
            paths.append(argument)
    if not paths:
        raise UsageError("no path on stdin", where="-", remedy="write one a line")
    return paths
