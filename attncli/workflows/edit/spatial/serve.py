"""Let a person paint where attention belongs on a page in the browser, until interrupted."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from attncli.editor.api import EditorApi
from attncli.editor.full_pictures import PictureProcess
from attncli.editor.painted import PaintedMasks
from attncli.editor.server import serve_page
from attncli.editor.spatial_editing import SpatialEditing
from attncli.editor.store import EditStore
from attncli.errors import AttncliError
from attncli.files.spatial_edits import SpatialEditDirectory, open_spatial_edits
from attncli.reporting import Outcome, Reporter
from attncli.workflows.edit.full_frames import RunPictures, pictures_of_run
from attncli.workflows.edit.spatial.check import summary


def serve_edits(edits: Path, *, port: int = 0, browser: bool = True, reporter: Reporter) -> Outcome:
    """Serve the page until Ctrl-C, which is its normal end; every change is on disk before that.

    Args:
        edits: Edit directory.
        port: Where to listen on 127.0.0.1; any free port where 0.
        browser: Whether to open the page in the browser.
        reporter: Is told the address.

    Returns:
        One row: what the edits hold then.

    Raises:
        AttncliError: There are no edits, they are malformed, another editor has them open, or the
            port is taken.
    """
    directory = open_spatial_edits(edits)
    clips = directory.read_clips()
    if not clips:
        raise AttncliError("holds no clip", where=edits, remedy="select clips again")
    n_frames = {clip.id: clip.frames for clip in clips.values()}
    with (
        EditStore(PaintedMasks(directory)) as painted,
        PictureProcess(partial(_open_pictures, directory, n_frames)) as pictures,
    ):
        editing = SpatialEditing(directory=directory, painted=painted)
        api = EditorApi(directory, clips, editing, pictures)
        serve_page(api, port=port, browser=browser, reporter=reporter)
    row = summary(directory)
    reporter.note(f"edits are in {directory.edits.root}: {row['edited']} of {len(clips)} clips")
    return Outcome(rows=[row])


def _open_pictures(directory: SpatialEditDirectory, n_frames: Mapping[str, int]) -> RunPictures:
    """Return the large pictures of the videos of the run that clips were chosen from."""
    return pictures_of_run(directory.read_settings(), n_frames)
