"""One run put to the test: which weights answer, and to which samples; processes share these."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from attncli import catalog
from attncli.config.evaluate import ONE_LOOK, AskCall, LabelMapCall, PeopleCall, Views
from attncli.data.samples import Samples, Split
from attncli.data.source import Source, batch_loader
from attncli.errors import Failure, Remark, UsageError
from attncli.evaluation.asked import Asked
from attncli.files.runs import Run, load
from attncli.layers.allocation import reuse_freed_memory
from attncli.reporting import Outcome, Reporter, Row, inputs_of, warn_of
from attncli.training.distributed import World, join
from attncli.training.learner import autocast
from attncli.workflows.runs.network import (
    open_network,
    require_same_classes,
    require_setting,
    weights_of,
)
from attncli.workflows.runs.source import open_source, require_samples

OF_RUNS = ("frames", "batch_size", "workers", "precision")
"""What a call may say otherwise than the settings of the run."""
VIEWS = ("scales", "flip", "crf")
"""What a call may say of them otherwise about images, where settings begin with `eval_`."""
AS_USUAL = PeopleCall()
"""How people are ranked where nothing is said of it."""
RANKED = ("unmatched", "multi_query")
"""What a call may say of how people are ranked."""
OTHERWISE = frozenset({"checkpoint", "data", "frames", "compat_reference", *VIEWS, *RANKED})
"""Keys of a row, each there where the run itself says otherwise."""


@dataclass(frozen=True)
class Trial:
    """One run, and the samples its network is asked about."""

    run: Run
    """What was trained."""
    weights: Path
    """The weights that answer."""
    source: Source[Any]
    """Where the samples come from."""
    dataset: Samples
    """The samples."""
    split: Split
    """Which split of the dataset they are."""
    config: Any
    """How samples are read: the run's settings, but for what the user wants otherwise."""
    differing: Row
    """Checkpoint, data, frames and views, where they are not the run's own."""
    views: Views = ONE_LOOK
    """How its network looks at images to tell the class of each pixel."""
    people: PeopleCall = AS_USUAL
    """How people are ranked."""

    @property
    def row(self) -> Row:
        """What the row of every command about this trial begins with."""
        name = str(self.run.directory.path)
        return {"run": name, "method": self.run.method, "split": self.split, **self.differing}

    def planned(self, out: Path) -> Row:
        """Return what is said of it before it is done; `out` is where it will be written."""
        return {**self.row, self.dataset.unit: len(self.dataset.samples), "out": str(out)}

    @property
    def evaluation(self) -> Any:
        """What is made of the answers: the class of the run's task, an `Evaluation`."""
        return catalog.load(str(catalog.method(self.run.method).task.evaluation))

    def asked(self, *, keep: Path | None = None, apart: frozenset[int] | None = None) -> Asked:
        """Return what an evaluation is told.

        Args:
            keep: Directory for what is too large for memory; None keeps none of it.
            apart: Classes that get figures of their own.
        """
        return Asked(
            samples=self.dataset.samples,
            classes=self.run.classes,
            attention=catalog.method(self.run.method).attention,
            weights=self.weights,
            may_know=self.split == "train",
            keep=keep,
            apart=apart,
            views=self.views,
            unmatched=self.people.unmatched,
            multi_query=self.people.multi_query,
        )

    def put(
        self,
        ask: Callable[[Any, Any], Any],
        add: Callable[[Any, Any], None],
        *,
        label: str,
        world: World,
        reporter: Reporter,
        doubts: set[Remark] | None = None,
    ) -> tuple[Failure, ...]:
        """Put this process's share of the samples through the network.

        Args:
            ask: Puts a batch through a network, both on one device.
            add: Keeps what it answered to a batch, which is on the host.
            label: What the work is called while it is shown.
            world: The processes that share the samples.
            reporter: Shows progress.
            doubts: Is given what was warned of: samples that may not be what they should be.

        Returns:
            Samples that could not be read.

        Raises:
            AttncliError: The weights are none of this network, or their answers are not finite.
        """
        model = open_network(self.run, weights=self.weights, device=world.device)
        reader = self.source.reader(self.dataset, training=False)
        rows = world.share(range(len(self.dataset.samples)))
        batches = reader.batches(rows, max(1, self.config.batch_size // world.size))
        workers, pin = world.readers(self.config.workers), world.device.type == "cuda"
        loader = batch_loader(reader, batches=batches, workers=workers, pin=pin)
        remarks: set[Remark] = set()
        failures: list[Failure] = []
        for batch in reporter.track(loader, label=label, total=len(batches), unit="batches"):
            remarks.update(batch.remarks)
            failures += batch.failures
            if len(batch.rows):
                with torch.inference_mode(), autocast(world.device, self.config.precision):
                    outputs = ask(model, batch.to(world.device))
                add(batch, outputs)
        everywhere: set[Remark] = set().union(*world.gather(remarks))
        warn_of(everywhere, reporter)
        if doubts is not None:
            doubts |= everywhere
        return tuple(failures)


def plan(runs: Sequence[Path], call: AskCall, reporter: Reporter) -> list[Trial]:
    """Return what to ask of each run; nothing is computed yet.

    Args:
        runs: Directories of single networks: those of the call, or their folds.
        call: What to ask them.
        reporter: Told what there is to know about the datasets.

    Raises:
        AttncliError: A run, its weights or the data cannot be used.
        UsageError: A network takes clips of another number of frames only, or a run has none.
    """
    trials = [_plan(load(path), call) for path in runs]
    for note in dict.fromkeys(note for trial in trials for note in trial.dataset.notes):
        reporter.note(note)
    return trials


def do_together(
    jobs: Sequence[Callable[[World], Outcome]], *, device: str, world: World | None
) -> Outcome:
    """Do one job after the other, each by all processes, and return their rows and failures.

    Args:
        jobs: What there is to do.
        device: Where to compute, unless `world` says so.
        world: The processes; those `torchrun` started where None.
    """
    reuse_freed_memory()
    with join(device) if world is None else nullcontext(world) as members:
        outcomes = [job(members) for job in jobs]
    return Outcome(
        rows=[row for outcome in outcomes for row in outcome.rows],
        failures=[failure for outcome in outcomes for failure in outcome.failures],
        inputs=inputs_of(outcomes),
    )


def _plan(run: Run, call: AskCall) -> Trial:
    require_samples(run.method, run.directory.path)
    said = {name: getattr(call, name, None) for name in OF_RUNS}
    given = {name: value for name, value in said.items() if value is not None}
    for name, value in given.items():
        require_setting(run, name, value)
    # A batch is not cut into parts here, and may have fewer samples than training has parts.
    config = replace(run.config, accumulate=1, **given)
    people = _people(call)
    source: Any = open_source(run.method, config, run.directory.path, call.data)
    if people.multi_query:  # only of tasks whose source opens images of people
        source = replace(source, multi_query=True)
    dataset = source.open(call.split)
    require_same_classes(run, dataset.classes, dataset.root)
    weights = weights_of(run, call.checkpoint)
    differing: Row = dict(source.config.choice)
    differing |= {} if call.checkpoint == "last" else {"checkpoint": call.checkpoint}
    differing |= {} if call.data is None else {"data": str(call.data)}
    if "frames" in given and given["frames"] != run.config.frames:
        differing["frames"] = given["frames"]
    views = _views(run, call)
    differing |= {name: _shown(value) for name, value in views.differing.items()}
    differing |= _of_people(people)
    return Trial(run, weights, source, dataset, call.split, config, differing, views.asked, people)


def _people(call: AskCall) -> PeopleCall:
    if not isinstance(call, PeopleCall):
        return AS_USUAL
    return PeopleCall(unmatched=call.unmatched, multi_query=call.multi_query)


def _of_people(people: PeopleCall) -> Row:
    """Return what is not usual of how people are ranked."""
    row: Row = {} if people.unmatched == "skip" else {"unmatched": people.unmatched}
    return {**row, "multi_query": "yes"} if people.multi_query else row


@dataclass(frozen=True)
class _Views:
    asked: Views
    differing: Mapping[str, object]


def _views(run: Run, call: AskCall) -> _Views:
    """Return how a network looks at images, and what of that is not as the run says itself."""
    given = call.views if isinstance(call, LabelMapCall) else {}
    if not hasattr(run.config, f"eval_{VIEWS[0]}"):
        for name in given:
            where = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{run.directory.path} does not tell the classes of pixels",
                where=where,
                remedy="leave it out",
            )
        return _Views(ONE_LOOK, {})
    own = Views(**{name: getattr(run.config, f"eval_{name}") for name in VIEWS})
    asked = replace(own, **given)  # type: ignore[arg-type]
    return _Views(asked, {n: v for n, v in given.items() if v != getattr(own, n)})


def _shown(value: object) -> str:
    """Return a view as a row shows it.

    >>> _shown((0.5, 1.0)), _shown(True)
    ('0.5,1', 'yes')
    """
    if isinstance(value, tuple):
        return ",".join(f"{item:g}" for item in value)
    return "yes" if value else "no"
