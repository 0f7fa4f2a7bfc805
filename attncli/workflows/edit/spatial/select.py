"""What `select` writes for edits of spatial attention."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from attncli.errors import AttncliError
from attncli.files.masks import MaskDirectory, MaskWriter
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory, VideoAttention
from attncli.workflows.edit.select.unfinished import Kept, Record
from attncli.workflows.edit.select.whole_videos import Kind, Watched


@dataclass(frozen=True)
class SpatialEditing:
    """Edits of spatial attention: masks painted over frames, beside masks to choose from."""

    kind: ClassVar[Kind] = "spatial"
    command: ClassVar[str] = "edit-spatial"
    picture_px: ClassVar[int] = 240
    masks: MaskDirectory | None = None
    """Where candidates are from; a clip without masks there has none."""

    def __post_init__(self) -> None:
        """Refuse masks that are not there.

        Raises:
            AttncliError: There is no such directory.
        """
        if self.masks is not None and not self.masks.root.is_dir():
            remedy = "make them: attncli segment"
            raise AttncliError("no such directory", where=self.masks.root, remedy=remedy)

    def directory(self, path: Path) -> SpatialEditDirectory:
        """Return where what is in a directory for such edits."""
        return SpatialEditDirectory(path)

    def record(self, path: Path, watched: Watched, fps: float) -> Record:
        """Write attention and candidates of one video; return what goes into its line.

        Raises:
            AttncliError: Its masks are malformed, or of another video.
        """
        directory, id_ = self.directory(path), watched.sample.id
        maps = watched.attention.astype(np.float16)
        directory.write_attention(id_, VideoAttention(maps, watched.crop))
        height, width = watched.size_hw
        if self.masks is not None and self.masks.finished(id_):
            found = self.masks.at(id_, range(len(maps)), size_hw=watched.size_hw)
            with MaskWriter(directory.candidates.root, id_) as writer:
                for masks in found:
                    writer.write(masks)
        return {"frames": len(maps), "fps": fps, "width": width, "height": height}

    def write_tables(self, path: Path, kept: Kept) -> None:
        """Write the clips."""
        clips = (SpatialClip(m.id, m.label, m.predicted, **record) for m, record in kept)
        self.directory(path).write_clips(clips)
