"""Take instance masks as they are for edits of spatial attention: nobody paints."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from attncli.errors import AttncliError, Failure
from attncli.files.masks import FrameMasks, MaskDirectory
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory, open_spatial_edits
from attncli.reporting import Reporter
from attncli.workflows.edit_spatial.check import summary
from attncli.workflows.outcome import Outcome


def edit_by_masks(
    edits: Path,
    masks: Path | None = None,
    *,
    keep: Sequence[str] = (),
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Make every frame's instances its edit, at least one of which there must be.

    A frame in which nothing was found stays without an edit: that nobody saw anything there does
    not mean that nothing matters there.

    Args:
        edits: Edit directory.
        masks: Mask directory; the directory's own candidates where None.
        keep: Categories that count; all where empty.
        overwrite: Whether clips that are edited may get other edits.
        dry_run: Touch nothing.
        reporter: Shows progress.

    Returns:
        One row, what the edits hold then (where nothing is touched: how many clips and frames
        would be edited), and the clips whose masks cannot be used.

    Raises:
        AttncliError: There are no edits, no masks of any clip, a category is in none of them, or
            a clip is edited already.
    """
    directory = open_spatial_edits(edits)
    source = directory.candidates if masks is None else MaskDirectory(masks)
    known = directory.read_clips().values()
    clips = [clip for clip in known if source.finished(clip.id)]
    if not clips:
        remedy = "make them with attncli segment, and pass --masks"
        raise AttncliError("no masks of any clip here", where=source.root, remedy=remedy)
    if len(clips) < len(known):
        reporter.warn(f"{source.root}: no masks of {len(known) - len(clips)} clips; left as is")
    if not overwrite:
        _require_unedited(directory, clips)
    _require_categories(source, clips, keep)
    counts, failures = Counter[str](), []
    for clip in reporter.track(clips, label="taking masks", total=len(clips), unit="clips"):
        try:
            frames = _chosen(source.at(clip.id, range(clip.frames), size_hw=clip.size_hw), keep)
        except AttncliError as error:
            failures.append(Failure(clip.id, str(source.path(clip.id)), str(error)))
            continue
        counts.update(edited=bool(frames), edited_frames=len(frames))
        if not dry_run:
            directory.write_frames(clip.id, frames)
    if dry_run:
        return Outcome(rows=[{"edits": str(edits), **counts}], failures=failures)
    reporter.note(f"edits are in {directory.edits.root}")
    return Outcome(rows=[summary(directory)], failures=failures)


def _chosen(frames: Sequence[FrameMasks], keep: Collection[str]) -> dict[int, FrameMasks]:
    """Return the frames that have an instance of a category that counts, with these instances."""
    chosen = {}
    for masks in frames:
        kept = tuple(i for i in masks.instances if not keep or i.category in keep)
        if kept:
            chosen[masks.frame] = replace(masks, instances=kept)
    return chosen


def _require_unedited(directory: SpatialEditDirectory, clips: Sequence[SpatialClip]) -> None:
    taken = [clip.id for clip in clips if directory.edits.finished(clip.id)]
    if taken:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        what = f"clip {taken[0]!r}{more} is edited already"
        remedy = "pass --overwrite to replace these edits"
        raise AttncliError(what, where=directory.edits.root, remedy=remedy)


def _require_categories(
    source: MaskDirectory, clips: Sequence[SpatialClip], keep: Sequence[str]
) -> None:
    """Make sure that every category that counts is there: else its name is misspelt."""
    if not keep:
        return
    frames = (masks for clip in clips for masks in source.frames(clip.id))
    there = {instance.category for masks in frames for instance in masks.instances}
    for category in keep:
        if category not in there:
            known = ", ".join(sorted(there)) or "none"
            what = f"there is no {category!r} in any clip; categories are: {known}"
            raise AttncliError(what, where=source.root, remedy="keep one of these")
