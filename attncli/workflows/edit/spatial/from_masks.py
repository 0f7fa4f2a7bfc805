"""Take instance masks as they are for edits of spatial attention: nobody paints."""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from attncli.editor.painted import CATEGORY
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.locks import held_beside
from attncli.files.masks import FrameMasks, MaskDirectory
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory, open_spatial_edits
from attncli.reporting import Outcome, Reporter
from attncli.workflows.edit.spatial.check import summary
from attncli.workflows.edit.temporal.filling import already_edited


def edit_by_masks(
    edits: Path,
    masks: Path | None = None,
    *,
    keep: Sequence[str] = (),
    keep_existing: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Make every frame's instances its edit, at least one of which there must be.

    A frame in which nothing was found stays without an edit: that nobody saw anything there does
    not mean that nothing matters there. Clips on which people painted keep their edits.

    Args:
        edits: Edit directory.
        masks: Mask directory; the directory's own candidates where None.
        keep: Categories that count; all where empty.
        keep_existing: Whether clips that are edited already are left as they are.
        overwrite: Whether clips whose edits were made from masks may get other edits.
        dry_run: Touch nothing.
        reporter: Shows progress, and is told which clips people painted.

    Returns:
        One row, what the edits hold then (where nothing is touched: how many clips and frames
        would be edited), and the clips whose masks cannot be used.

    Raises:
        UsageError: Edits are to be kept and replaced.
        AttncliError: There are no edits, no masks of any clip, a category is in none of them, an
            editor has the edits open, a clip is edited already, or its edits cannot be read, so
            that nobody knows whose they are.
    """
    if keep_existing and overwrite:
        raise UsageError("exclude each other", where="--keep-existing and --overwrite")
    directory = open_spatial_edits(edits)
    source = directory.candidates if masks is None else MaskDirectory(masks)
    known = directory.read_clips().values()
    clips = [clip for clip in known if source.finished(clip.id)]
    if not clips:
        remedy = "make them with attncli segment, and pass --masks"
        raise AttncliError("holds no masks of these clips", where=source.root, remedy=remedy)
    if len(clips) < len(known):
        reporter.warn(
            f"{source.root}: no masks of {len(known) - len(clips)} clips; they stay as they are"
        )
    counts, failures = Counter(edited=0, edited_frames=0), list[Failure]()
    root = directory.edits.root
    with nullcontext() if dry_run else held_beside(root, remedy="end the editor first"):
        if not overwrite and not keep_existing:
            _require_unedited(directory, clips)
        _require_categories(source, clips, keep)
        choose = _without_edited if keep_existing else _without_painted
        replaceable = choose(directory, clips, reporter)
        for clip in reporter.track(
            replaceable, label="taking masks", total=len(replaceable), unit="clips"
        ):
            try:
                frames = _chosen(source.at(clip.id, range(clip.frames), size_hw=clip.size_hw), keep)
            except AttncliError as error:
                failures.append(Failure(clip.id, str(source.path(clip.id)), str(error)))
                continue
            counts.update(edited=bool(frames), edited_frames=len(frames))
            if not dry_run:
                directory.write_frames(clip.id, frames)
    if dry_run:
        return Outcome([{"edits": str(edits), **counts}], failures, inputs=len(replaceable))
    reporter.note(f"edits are in {directory.edits.root}")
    return Outcome([summary(directory)], failures, inputs=len(replaceable))


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
        what = already_edited(taken)
        remedy = (
            "pass --keep-existing to edit the others, or --overwrite to replace edits that were "
            "made from masks"
        )
        raise AttncliError(what, where=directory.edits.root, remedy=remedy)


def _without_edited(
    directory: SpatialEditDirectory, clips: Sequence[SpatialClip], reporter: Reporter
) -> list[SpatialClip]:
    """Return the clips without any edit, and say how many others there are."""
    unedited = [clip for clip in clips if not directory.edits.finished(clip.id)]
    if kept := len(clips) - len(unedited):
        whose = "1 clip is" if kept == 1 else f"{kept} clips are"
        reporter.note(f"{whose} edited already, and left as is")
    return unedited


def _without_painted(
    directory: SpatialEditDirectory, clips: Sequence[SpatialClip], reporter: Reporter
) -> list[SpatialClip]:
    """Return the clips on which nobody painted, and name the others."""
    painted = [clip.id for clip in clips if _is_painted(directory, clip)]
    if painted:
        reporter.warn(
            f"{directory.edits.root}: people painted on {', '.join(map(repr, painted))}; left as "
            "is (to replace such edits, remove the files edits/ID.jsonl first)"
        )
    return [clip for clip in clips if clip.id not in set(painted)]


def _is_painted(directory: SpatialEditDirectory, clip: SpatialClip) -> bool:
    """Return whether people painted on a frame of a clip.

    An edited frame without an instance was painted too: masks make edits only of frames that have
    one.
    """
    if not directory.edits.finished(clip.id):
        return False
    return any(
        not masks.instances or any(i.category == CATEGORY for i in masks.instances)
        for masks in directory.edits.frames(clip.id)
    )


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
            what = f"no such category: {category!r} (there are: {known})"
            raise AttncliError(what, where=source.root, remedy="name one of these with --keep")
