"""Say which classes files of one's own show, keep the answers, and draw the attention to one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from attncli import catalog
from attncli.config.predict import OverlayCall, PredictCall
from attncli.config.toml import dump
from attncli.errors import Failure, UsageError
from attncli.evaluation.image_labels import ImageLabels
from attncli.files.atomic import replacing_directory, temporary_directory, write_text
from attncli.files.failures import FAILURES, write_failures
from attncli.files.outputs import SETTINGS, claim, claim_file
from attncli.files.predictions import Predictions, read_predictions
from attncli.files.runs import Run
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World, choose_device
from attncli.visualization.clips import HeatStyle
from attncli.visualization.colormap import color_table
from attncli.visualization.fonts import warn_of_missing_letters
from attncli.workflows.evaluate.trial import Trial
from attncli.workflows.predict.kinds import kind_of, open_run
from attncli.workflows.predict.model import Model
from attncli.workflows.predict.overlays import draw_picture, draw_video, require_drawable
from attncli.workflows.predict.own_files import OwnFiles, own_ids
from attncli.workflows.runs.network import weights_of

PREDICTIONS = "predictions.csv"


@dataclass(frozen=True)
class _Kept:
    """What an output says of how it was made."""

    run: str
    files: tuple[str, ...]
    checkpoint: str
    precision: str

    @classmethod
    def of(cls, call: PredictCall, run: Run) -> "_Kept":
        files = tuple(str(file.absolute()) for file in call.files)
        place = str(call.run.absolute())
        return cls(place, files, call.checkpoint, run.config.precision)


def predict(
    call: PredictCall,
    overlay: OverlayCall,
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Say which classes each file shows, exactly as an evaluation would.

    Args:
        call: Which run, and which files.
        overlay: What is drawn besides.
        dry_run: Say what would be done, and touch nothing.
        overwrite: Earlier outputs may go.
        reporter: Shows progress.

    Returns:
        One row a file that could be read, and the other files.

    Raises:
        UsageError: The run tells no classes, or a wish cannot be met.
        AttncliError: The run, its weights or an output cannot be used.
    """
    given = {"batch_size": call.batch_size, "workers": call.workers}
    run = open_run(call.run, call.precision, **given)
    weights, device = weights_of(run, call.checkpoint), choose_device(call.device)
    _require_overlay(call, overlay, run)
    _claim(call, overlay, overwrite=overwrite, dry_run=dry_run)
    if dry_run:
        return Outcome(rows=[_planned(call, overlay, run, file) for file in call.files])
    own = kind_of(run).open(call.files, reporter=reporter)
    trial = Trial(run, weights, own.source, own.dataset, "test", run.config, {})
    with _place(call.out) as out:
        failures = _ask(trial, own, out, World(0, 1, device), reporter)
        made = read_predictions(out / PREDICTIONS)
        if call.out is not None:
            write_text(out / SETTINGS, dump(_Kept.of(call, run)))
    if call.out is not None:
        reporter.note(f"wrote {call.out}")
    rows = _rows(made, _paths(call.files), call.top)
    if overlay.overlay is not None and rows:
        model = Model(run, weights, device)
        _draw(model, call.files[0], rows[0], overlay, overlay.overlay, reporter)
    return Outcome(rows=rows, failures=failures, inputs=len(call.files))


def _require_overlay(call: PredictCall, overlay: OverlayCall, run: Run) -> None:
    """Refuse, before anything is read, what would fail after it.

    Raises:
        UsageError: There are several files, no attention, or no such colour map or kind of video.
    """
    color_table(overlay.colormap)
    if overlay.overlay is None:
        return
    if len(call.files) != 1:
        what = f"is of one file, not of {len(call.files)}"
        raise UsageError(what, where="--overlay", remedy="name one file")
    require_drawable(
        overlay.overlay,
        of_images=_is_of_images(run),
        attention=catalog.method(run.method).attention,
        run=call.run,
    )


def _is_of_images(run: Run) -> bool:
    evaluation = catalog.load(str(catalog.method(run.method).task.evaluation))
    return issubclass(evaluation, ImageLabels)


def _claim(call: PredictCall, overlay: OverlayCall, *, overwrite: bool, dry_run: bool) -> None:
    """Make sure that nothing is lost by writing.

    Raises:
        AttncliError: An output is there already and may not go.
    """
    if call.out is not None:
        inputs = [call.run, *call.files]
        claim(call.out, overwrite=overwrite, inputs=inputs, dry_run=dry_run)
    if overlay.overlay is not None:
        claim_file(overlay.overlay, overwrite=overwrite, dry_run=dry_run)


def _planned(call: PredictCall, overlay: OverlayCall, run: Run, file: Path) -> Row:
    """Return what a dry run says of a file."""
    row: Row = {"file": str(file), "run": str(call.run), "method": run.method}
    row |= {} if call.out is None else {"out": str(call.out)}
    return row | ({} if overlay.overlay is None else {"overlay": str(overlay.overlay)})


@contextmanager
def _place(out: Path | None) -> Iterator[Path]:
    """Yield an empty directory, which becomes `out`, or is gone in the end where that is None."""
    if out is not None:
        with replacing_directory(out) as place:
            yield place
        return
    with TemporaryDirectory() as directory:
        place = Path(directory) / "answers"
        place.mkdir()
        yield place


def _ask(trial: Trial, own: OwnFiles, out: Path, world: World, reporter: Reporter) -> list[Failure]:
    """Write what the network says of all files, as an evaluation does; return what failed."""
    with temporary_directory(out.parent) as part:
        with trial.evaluation(trial.asked(keep=part)) as evaluation:
            failures = [
                *own.failures,
                *trial.put(
                    evaluation.ask,
                    evaluation.add,
                    label=f"predict by {trial.run.directory.path.name}",
                    world=world,
                    reporter=reporter,
                ),
            ]
        evaluation.write([evaluation.share()], failures, out)
    write_failures(out / FAILURES, failures)
    # Of a face sequence every clip fails alike.
    return list({failure.id: failure for failure in failures}.values())


def _paths(files: Sequence[Path]) -> Mapping[str, Path]:
    return dict(zip(own_ids(files), files, strict=True))


def _rows(made: Predictions, paths: Mapping[str, Path], top: int) -> list[Row]:
    """Return a row a file: it, and its most probable classes with their probabilities.

    What an evaluation takes a file for comes first, be it by a vote of clips.
    """
    rows = []
    for id_, predicted, values in zip(made.ids, made.predicted, made.probabilities, strict=True):
        order = sorted(
            range(len(made.classes)), key=lambda k: (made.classes[k] != predicted, -values[k], k)
        )[:top]
        row: Row = {"file": str(paths[id_])}
        for rank, number in enumerate(order, start=1):
            prefix = "" if top == 1 else f"top{rank}_"
            row |= {
                f"{prefix}class": made.classes[number],
                f"{prefix}probability": float(values[number]),
            }
        rows.append(row)
    return rows


def _draw(
    model: Model, file: Path, row: Row, overlay: OverlayCall, out: Path, reporter: Reporter
) -> None:
    """Draw the attention to the one file, under what is said of it."""
    rank = "" if "class" in row else "top1_"
    said = f"{row[f'{rank}class']}, probability {row[f'{rank}probability']:.3f}"
    style = HeatStyle(colormap=overlay.colormap, opacity=overlay.opacity)
    warn_of_missing_letters([str(file), *model.classes], reporter)
    if _is_of_images(model.run):
        draw_picture(file, model.read(file), said, out, style)
    else:
        draw_video(model, file, said, out, style, reporter=reporter)
    reporter.note(f"wrote {out}")
