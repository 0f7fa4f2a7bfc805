"""Which runs answer to files and arrays of one's own, and what these are to each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from jaxtyping import UInt8
from torch import Tensor

from attncli import catalog
from attncli.batches import ClipBatch
from attncli.config.training import Precision
from attncli.errors import UsageError
from attncli.files.runs import Run, load
from attncli.reporting import Reporter
from attncli.workflows.predict.answers import Answer
from attncli.workflows.predict.own_files import OwnFiles
from attncli.workflows.runs.source import require_samples


@runtime_checkable
class Kind(Protocol):
    """How files and arrays become what the networks of one task are shown, and what they answer."""

    def open(self, files: Sequence[Path], *, reporter: Reporter) -> OwnFiles:
        """Return files as samples that are read as those of an evaluation."""
        ...

    def batches(self, frames: UInt8[Tensor, "..."], *, cut: bool) -> Iterator[Any]:
        """Yield arrays as batches.

        Args:
            frames: One clip or image, or several.
            cut: Whether to cut them as an evaluation does.

        Raises:
            UsageError: They are of another shape than clips or images have.
        """
        ...

    def answer(self, outputs: Any) -> Answer:
        """Return what a network answered to a batch."""
        ...

    def of_one_file(self, answer: Answer) -> Answer:
        """Return the answer to all that was read from one file as that to the file."""
        ...

    def passes(self, file: Path) -> Iterator[ClipBatch]:
        """Yield batches of clips that between them show the whole of a video."""
        ...


def open_run(path: Path, precision: Precision | None = None, **given: Any) -> Run:
    """Return a run whose network says the classes of clips or images.

    Args:
        path: Its directory.
        precision: Arithmetic; the run's own where None.
        given: Other settings that are not to be the run's own; None leaves one as it is.

    Raises:
        AttncliError: There is no such run.
        UsageError: It has no single network, or one that does not tell classes.
    """
    run = load(path)
    require_samples(run.method, path)
    able = [method.name for method in catalog.METHODS if method.task.own]
    if run.method not in able:
        raise UsageError(
            f"is a run of {run.method}, which tells no class of a clip or image",
            where=path,
            remedy=f"name a run of {', '.join(able[:-1])} or {able[-1]}",
        )
    if run.config.parts:
        what = f"is of {len(run.config.parts)} folds, each with a network of its own"
        raise UsageError(what, where=path, remedy=f"name one, such as {path / 'fold01'}")
    asked = {"precision": precision, **given}
    wanted = {name: value for name, value in asked.items() if value is not None}
    # A batch is not cut into parts here, and may have fewer samples than training has parts.
    return replace(run, config=replace(run.config, accumulate=1, **wanted))


def kind_of(run: Run) -> Kind:
    """Return what files and arrays are to a run that `open_run` returned."""
    method = catalog.method(run.method)
    kind: Kind = catalog.load(str(method.task.own))(run.config, run.classes, method.attention)
    return kind
