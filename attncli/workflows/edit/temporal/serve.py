"""Let a person edit temporal attention on a page in the browser, until interrupted."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import resolve
from attncli.editor.answers import Answerer, AnsweringProcess
from attncli.editor.api import EditorApi
from attncli.editor.full_pictures import PictureProcess
from attncli.editor.note_book import NoteBook
from attncli.editor.scores import ScoreFile, is_edited
from attncli.editor.server import serve_page
from attncli.editor.store import EditStore
from attncli.editor.temporal_editing import TemporalEditing
from attncli.errors import UsageError
from attncli.files.clip_notes import count_states
from attncli.files.edit_directory import EditClip, EditDirectory, open_edit_directory
from attncli.files.runs import load
from attncli.reporting import Outcome, Reporter
from attncli.workflows.edit.full_frames import RunPictures, pictures_of_run


def serve_edits(
    edits: Path,
    *,
    annotator: str | None = None,
    part: tuple[int, int] | None = None,
    port: int = 0,
    browser: bool = True,
    device: str = "auto",
    reporter: Reporter,
) -> Outcome:
    """Serve the page until Ctrl-C, which is its normal end; every change is on disk before that.

    Args:
        edits: Edit directory.
        annotator: Who edits: scores go to `annotators/NAME.csv`, to `edits.csv` where None.
        part: Which of how many equal parts of the clips to show, from (1, n) to (n, n); all where
            None.
        port: Where to listen on 127.0.0.1; any free port where 0.
        browser: Whether to open the page in the browser.
        device: Where the network answers.
        reporter: Is told the address.

    Returns:
        One row: who edited, how many of the clips shown have a score for every frame, and how many
        are said to be confirmed, skipped, unsure.

    Raises:
        UsageError: There is no such part, or the annotator's name makes no file name.
        AttncliError: There are no edits, another editor has them open, or the port is taken.
    """
    directory = open_edit_directory(edits)
    known = directory.read_clips()
    clips = _part(known, part)
    own = directory.read_attention()
    path = directory.edits_path if annotator is None else directory.annotator_path(annotator)
    n_frames = {clip.id: clip.frames for clip in known.values()}
    with (
        EditStore(ScoreFile(path, clips, n_frames=n_frames)) as scores,
        AnsweringProcess(partial(_open_answerer, directory, known, device)) as answerer,
        PictureProcess(partial(_open_pictures, directory, n_frames)) as pictures,
    ):
        notes = NoteBook(directory.notes_path(path), known)
        editing = TemporalEditing(
            attention={id_: own.get(id_, np.full(n_frames[id_], np.nan, "f4")) for id_ in clips},
            scores=scores,
            answerer=answerer,
            notes=notes,
            annotator=annotator,
        )
        api = EditorApi(directory, clips, editing, pictures)
        serve_page(api, port=port, browser=browser, reporter=reporter)
    edited = sum(is_edited(scores.of(id_)) for id_ in clips)
    states = count_states([notes.of(id_) for id_ in clips])
    said = ", ".join(f"{count} {state}" for state, count in states.items())
    reporter.note(f"edits are in {path}: {edited} of {len(clips)} clips scored; {said}")
    return Outcome(
        rows=[
            {
                "edits": str(path),
                "annotator": annotator,
                "clips": len(clips),
                "edited": edited,
                "unedited": len(clips) - edited,
                **states,
            }
        ]
    )


def _part(clips: Mapping[str, EditClip], part: tuple[int, int] | None) -> dict[str, EditClip]:
    """Return one of several parts of the clips, in their order; none differs by two clips."""
    number, parts = part or (1, 1)
    if not 1 <= number <= parts:
        what = f"no such part: {number} of {parts}"
        raise UsageError(what, where="--part", remedy=f"use 1 to {parts}")
    bounds = [len(clips) * edge // parts for edge in (number - 1, number)]
    ids = list(clips)[slice(*bounds)]
    if not ids:
        raise UsageError(
            f"part {number} of {parts} is empty: there are {len(clips)} clips",
            where="--part",
            remedy="make fewer parts",
        )
    return {id_: clips[id_] for id_ in ids}


def _open_pictures(directory: EditDirectory, n_frames: Mapping[str, int]) -> RunPictures:
    """Return the large pictures of the videos of the run that clips were chosen from."""
    return pictures_of_run(directory.read_settings(), n_frames)


def _open_answerer(
    directory: EditDirectory, clips: Mapping[str, EditClip], device: str
) -> Answerer:
    """Return what answers to the clips: the run they were chosen from."""
    settings: SelectConfig = resolve(SelectConfig, directory.config_path)
    run = load(settings.run)
    # Imported in the process that answers alone: torch takes seconds.
    from attncli.workflows.edit.temporal.live_answers import open_answerer

    return open_answerer(run, clips, split=settings.split, device=device)
