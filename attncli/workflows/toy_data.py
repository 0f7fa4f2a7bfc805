"""Write toy datasets."""

from typing import Any

from attncli import catalog
from attncli.config.toy_data import ToyDataConfig
from attncli.data.toy.painting import SMALLEST_SIDE_PX
from attncli.errors import UsageError
from attncli.files.outputs import claim
from attncli.reporting import Outcome, Reporter
from attncli.toy_catalog import TOY_DATA, ToyData, toy_data


def write_toy_data(
    config: ToyDataConfig, *, dry_run: bool, overwrite: bool, reporter: Reporter
) -> Outcome:
    """Write videos of moving bodies or faces, or images, with their true masks, and count them.

    Args:
        config: What they are like, and where they go.
        dry_run: Only count what would be written.
        overwrite: Replace what is there.
        reporter: Told of progress and of where files went.

    Raises:
        AttncliError: The directory holds something already, or cannot be written.
        UsageError: The frames are too small to draw on, or too few, or an option is of another
            dataset.
    """
    toy = toy_data(config.name)
    frame_hw = config.frame_hw or toy.frame_hw
    if min(frame_hw) < SMALLEST_SIDE_PX:
        raise UsageError(f"must be at least {SMALLEST_SIDE_PX} pixels each", where="--frame-hw")
    amount = {"size": config.size or toy.size, "seed": config.seed, **_length(config, toy)}
    own = _own_options(config, toy)
    amount |= {name: own[name] for name in toy.counted if name in own}
    drawing = {**amount, **own, "size_hw": frame_hw}
    claim(config.directory, overwrite=overwrite, dry_run=dry_run)
    if not dry_run:
        catalog.load(toy.make)(config.directory, **drawing, reporter=reporter)
        reporter.note(f"{toy.parts} are in {config.directory}")
    counts = catalog.load(toy.count)(**amount)
    return Outcome(rows=[{"data": str(config.directory), "layout": toy.name, **counts}])


def _length(config: ToyDataConfig, toy: ToyData) -> dict[str, int]:
    """Return how many frames a video has; nothing of still images."""
    if toy.frames is None:
        if config.frames is not None:
            raise _not_for(toy, "frames", [row for row in TOY_DATA if row.frames is not None])
        return {}
    frames = config.frames or toy.frames
    fewest = catalog.load(toy.fewest_frames) if toy.fewest_frames else 1
    if frames < fewest:
        raise UsageError(f"must be at least {fewest} for {toy.name}", where="--frames")
    return {"frames": frames}


def _own_options(config: ToyDataConfig, toy: ToyData) -> dict[str, Any]:
    """Return what is set of the options that not every dataset has."""
    options = {name for row in TOY_DATA for name in row.options}
    given = {name: getattr(config, name) for name in sorted(options)}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in toy.options:
            raise _not_for(toy, name, [row for row in TOY_DATA if name in row.options])
    return given


def _not_for(toy: ToyData, option: str, able: list[ToyData]) -> UsageError:
    names = " and ".join(row.name for row in able)
    where = f"--{option.replace('_', '-')}"
    return UsageError(f"is for {names} alone, not for {toy.name}", where=where)
