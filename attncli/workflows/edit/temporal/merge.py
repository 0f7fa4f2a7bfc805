"""Make one file of edits from those of several people, and measure how well they agree."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32

from attncli.errors import AttncliError
from attncli.files.edit_directory import open_edit_directory
from attncli.files.temporal_edits import TemporalEdits
from attncli.metrics.annotator_agreement import interval_alpha, pair_agreement
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.edit.temporal.filling import filled

Rule = Literal["mean", "median", "majority"]
Clips = Mapping[str, Float32[np.ndarray, " n"]]
"""Scores of every frame of a clip, by id."""


def merge_edits(
    path: Path, *, rule: Rule, overwrite: bool, dry_run: bool, reporter: Reporter
) -> Outcome:
    """Write the scores that people agreed on to `edits.csv`.

    A clip's scores come from all who gave each of its frames one. What nobody edited stays as it
    is.

    Args:
        path: Edit directory with files in `annotators/`.
        rule: A frame gets the mean or median of its scores, or the one most people gave it (the
            mean of those that tie).
        overwrite: Whether clips that have scores already may get others.
        dry_run: Only measure the agreement.
        reporter: Told of clips that are left out.

    Returns:
        One row a pair of people with clips in common, and one for all of them.

    Raises:
        AttncliError: There are no annotators' files, one of them is malformed, or a clip has
            scores already.
    """
    directory = open_edit_directory(path)
    people = {
        name: directory.read_edits(file, allow_partial=True)
        for name, file in directory.annotators().items()
    }
    if not people:
        remedy = "edit with `attncli edit-temporal serve --annotator NAME`"
        raise AttncliError("holds no edits", where=directory.annotators_path, remedy=remedy)
    for name, edits in people.items():
        if edits.partly_edited:
            count = len(edits.partly_edited)
            reporter.warn(f"{name}: {count} clips are filled in part only, and left out")
    whole = {name: clips for name, edits in people.items() if (clips := _whole_clips(edits))}
    by_clip = {
        id_: np.stack([clips[id_] for clips in whole.values() if id_ in clips])
        for id_ in dict.fromkeys(id_ for clips in whole.values() for id_ in clips)
    }
    vectors = {id_: RULES[rule](scores) for id_, scores in by_clip.items()}
    filled(directory, vectors, overwrite=overwrite, dry_run=dry_run)
    if not dry_run:
        reporter.note(f"wrote {len(vectors)} clips to {directory.edits_path}")
    return Outcome(rows=[*_pairs(whole), _all(by_clip, len(whole))])


def _whole_clips(edits: TemporalEdits) -> Clips:
    return {id_: edits.scores[id_] for id_ in edits.ids}


def _mean(scores: Float32[np.ndarray, "people n"]) -> Float32[np.ndarray, " n"]:
    return scores.mean(axis=0)


def _median(scores: Float32[np.ndarray, "people n"]) -> Float32[np.ndarray, " n"]:
    return np.median(scores, axis=0)


def _majority(scores: Float32[np.ndarray, "people n"]) -> Float32[np.ndarray, " n"]:
    alike = (scores[:, None] == scores).sum(axis=1)
    # All who gave one of the scores that tie are equally many, so their mean is that of the scores.
    return np.mean(scores, axis=0, where=alike == alike.max(axis=0))


RULES: Mapping[Rule, Callable[[np.ndarray], np.ndarray]] = {
    "mean": _mean,
    "median": _median,
    "majority": _majority,
}


def _pairs(whole: Mapping[str, Clips]) -> Iterator[Row]:
    for first, second in combinations(whole, 2):
        common = [id_ for id_ in whole[first] if id_ in whole[second]]
        if common:
            scores = [
                np.concatenate([whole[name][id_] for id_ in common]) for name in (first, second)
            ]
            agreement = pair_agreement(*scores)
            yield {
                "annotators": f"{first}, {second}",
                "clips": len(common),
                "frames": len(scores[0]),
                **asdict(agreement),
            }


def _all(by_clip: Mapping[str, Float32[np.ndarray, "people n"]], people: int) -> Row:
    """Return what holds for all people; the frames are those that several gave a score."""
    shared = [scores for scores in by_clip.values() if len(scores) > 1]
    padded = [np.pad(s, [(0, people - len(s)), (0, 0)], constant_values=np.nan) for s in shared]
    scores = np.concatenate([np.empty((people, 0), np.float32), *padded], axis=1)
    return {
        "annotators": f"all {people}",
        "clips": len(shared),
        "frames": scores.shape[1],
        "alpha": interval_alpha(scores),
    }
