"""Write toy datasets."""

from attncli import catalog
from attncli.config.toy_data import ToyDataConfig
from attncli.data.toy.painting import SMALLEST_SIDE_PX
from attncli.errors import UsageError
from attncli.files.outputs import claim
from attncli.reporting import Outcome, Reporter


def write_toy_data(
    config: ToyDataConfig, *, dry_run: bool, overwrite: bool, reporter: Reporter
) -> Outcome:
    """Write videos of moving bodies or faces, with their masks, and count them.

    Args:
        config: What they are like, and where they go.
        dry_run: Only count what would be written.
        overwrite: Replace what is there.
        reporter: Told of progress and of where files went.

    Raises:
        AttncliError: The directory holds something already, or cannot be written.
        UsageError: The frames are too small to draw on, or too few, or nobody else can act.
    """
    toy = catalog.toy_data(config.name)
    size, frames = config.size or toy.size, config.frames or toy.frames
    frame_hw = config.frame_hw or toy.frame_hw
    if min(frame_hw) < SMALLEST_SIDE_PX:
        raise UsageError(f"must be at least {SMALLEST_SIDE_PX} pixels each", where="--frame-hw")
    fewest = catalog.load(toy.fewest_frames) if toy.fewest_frames else 1
    if frames < fewest:
        raise UsageError(f"must be at least {fewest} for {toy.name}", where="--frames")
    if config.others is not None and not toy.has_others:
        able = [row.name for row in catalog.TOY_DATA if row.has_others]
        raise UsageError(f"is for {' and '.join(able)} alone", where="--others")
    if not dry_run:
        claim(config.directory, overwrite=overwrite)
        drawing = {"size": size, "seed": config.seed, "frames": frames, "size_hw": frame_hw}
        drawing |= {} if config.others is None else {"others": config.others}
        catalog.load(toy.make)(config.directory, **drawing, reporter=reporter)
        reporter.note(f"{toy.parts} are in {config.directory}")
    counts = catalog.load(toy.count)(size=size, seed=config.seed, frames=frames)
    return Outcome(rows=[{"data": str(config.directory), "layout": toy.name, **counts}])
