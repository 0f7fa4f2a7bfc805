"""Spatial attention that people gave videos, and the directory in which they do so.

    DIR/{config.toml, classes.txt, clips.csv, failures.jsonl, frames/<id>/000001.jpg,
         attention/<id>.npz, candidates/<id>.jsonl, edits/<id>.jsonl}

`attncli edit-spatial select` makes it. The files in `edits/` and `candidates/` are mask files (see
`files.masks`) at the videos' own resolution; `candidates/` are instances to choose from.

In `edits/` each line is a frame that was edited: attention belongs on the union of its instances,
and nowhere where it has none. Unlike in other mask files, a frame without a line takes nothing from
the line before: it is not edited and asks for nothing. So does a clip without a file.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float16, Int64

from attncli.config.edit_spatial import SelectSpatialConfig
from attncli.config.toml import resolve
from attncli.errors import AttncliError
from attncli.files.arrays import read_archive, require_unit_range
from attncli.files.atomic import replacing
from attncli.files.clip_directory import ClipDirectory, EditClip, read_clips, write_clips
from attncli.files.masks import FrameMasks, MaskDirectory, MaskWriter


@dataclass(frozen=True)
class SpatialClip(EditClip):
    """A clip whose spatial attention is to be edited: a line of `clips.csv`."""

    width: int
    """Columns of the video's frames."""
    height: int
    """Rows of the video's frames."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns of the video's frames."""
        return self.height, self.width


@dataclass(frozen=True)
class VideoAttention:
    """Where a network looked in each frame of a video."""

    maps: Float16[np.ndarray, "n h w"]
    """Spatial attention of every frame, in [0, 1]."""
    crop: tuple[float, float, float, float]
    """Part of the frame that the maps are of: left, top, right, bottom in source pixels."""


@dataclass(frozen=True)
class SpatialEdits:
    """The edits of some videos."""

    masks: MaskDirectory
    """Their files."""
    frames: Mapping[str, tuple[int, ...]]
    """Edited frames of each clip that has any, by its id."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Clips that have an edited frame."""
        return tuple(self.frames)

    def read(
        self, video_id: str, frame_indices: Int64[np.ndarray, " t"]
    ) -> tuple[Bool[np.ndarray, "t h w"], Bool[np.ndarray, " t"]] | None:
        """Return where attention belongs in some frames, and which of them are edited.

        Args:
            video_id: The video's id in its dataset.
            frame_indices: Positions in the video, counted from 0; at least one.

        Returns:
            Masks at the video's resolution, empty in frames that are not edited, and which frames
            are; None where the clip is not edited.

        Raises:
            AttncliError: The clip's file has become unreadable.
        """
        return self.masks.read_own(video_id, frame_indices) if video_id in self.frames else None


@dataclass(frozen=True)
class SpatialEditDirectory(ClipDirectory):
    """Where each file of a directory for edits of spatial attention is."""

    @property
    def edits(self) -> MaskDirectory:
        """The edits; a file for each clip that is edited."""
        return MaskDirectory(self.path / "edits")

    @property
    def candidates(self) -> MaskDirectory:
        """Instance masks of the clips, to choose from; none were asked for where it is missing."""
        return MaskDirectory(self.path / "candidates")

    def attention_path(self, video_id: str) -> Path:
        """The network's own spatial attention over a whole video."""
        return self.path / "attention" / f"{video_id}.npz"

    def read_settings(self) -> SelectSpatialConfig:
        """Return how the clips were chosen, and from which run.

        Raises:
            UsageError: `config.toml` is missing or holds something else.
        """
        return resolve(SelectSpatialConfig, self.config_path)

    def read_clips(self) -> dict[str, SpatialClip]:
        """Return the chosen clips by id, in their order.

        Raises:
            AttncliError: `clips.csv` is missing or malformed.
        """
        return read_clips(self.clips_path, SpatialClip)

    def write_clips(self, clips: Iterable[SpatialClip]) -> None:
        """Write `clips.csv`."""
        write_clips(self.clips_path, SpatialClip, clips)

    def read_attention(self, clip: SpatialClip) -> VideoAttention:
        """Return the network's own spatial attention over a whole video.

        Raises:
            AttncliError: Its file is missing, unreadable, or not of such a video.
        """
        path, remedy = self.attention_path(clip.id), "select the clips again"
        maps, crop = read_archive(path, "maps", "crop", remedy=remedy)
        if maps.dtype.kind != "f" or maps.ndim != 3 or len(maps) != clip.frames or 0 in maps.shape:
            what = f"{clip.frames} maps of floats are expected, not {maps.dtype} of {maps.shape}"
            raise AttncliError(what, where=path, remedy=remedy)
        require_unit_range(maps, what="attention is", where=path, remedy=remedy)
        if crop.dtype.kind != "f" or crop.shape != (4,) or not np.isfinite(crop).all():
            raise AttncliError("its crop must be four numbers", where=path, remedy=remedy)
        left, top, right, bottom = crop.tolist()
        return VideoAttention(maps.astype(np.float16), (left, top, right, bottom))

    def write_attention(self, video_id: str, attention: VideoAttention) -> None:
        """Write the network's own spatial attention over a whole video."""
        with replacing(self.attention_path(video_id)) as temporary:
            np.savez_compressed(temporary, maps=attention.maps, crop=np.array(attention.crop))

    def read_frames(self, clip: SpatialClip) -> dict[int, FrameMasks]:
        """Return the edited frames of a clip by their position in the video; none without a file.

        Raises:
            AttncliError: Its file is malformed, or of a video of other frames.
        """
        if not self.edits.finished(clip.id):
            return {}
        frames = {masks.frame: masks for masks in self.edits.frames(clip.id)}
        for masks in frames.values():
            self._require_fit(clip, masks)
        if not frames:
            path = self.edits.path(clip.id)
            raise AttncliError("holds no line", where=path, remedy="delete this file")
        return frames

    def write_frames(self, video_id: str, frames: Mapping[int, FrameMasks]) -> None:
        """Write the edited frames of a clip; its file is removed where there are none."""
        if not frames:
            self.edits.path(video_id).unlink(missing_ok=True)
            return
        with MaskWriter(self.edits.root, video_id) as writer:
            for frame in sorted(frames):
                writer.write(frames[frame])

    def read_edits(self, known: Collection[str] | None = None) -> SpatialEdits:
        """Return all edits, every line of them checked.

        Args:
            known: Ids of all clips there are; those of `clips.csv` where None.

        Raises:
            AttncliError: A file is malformed, of no clip, or of a video of other frames.
        """
        clips = self.read_clips()
        edited = self._edited()
        for id_ in edited:
            if id_ not in clips or (known is not None and id_ not in known):
                path = self.edits.path(id_)
                remedy = "move this file elsewhere"
                raise AttncliError(f"no such clip: {id_!r}", where=path, remedy=remedy)
        frames = {id_: tuple(self.read_frames(clips[id_])) for id_ in clips if id_ in edited}
        return SpatialEdits(self.edits, frames)

    def has_edits(self) -> bool:
        """Return whether any clip is edited."""
        return bool(self._edited())

    def _edited(self) -> set[str]:
        root = self.edits.root
        files = (path.relative_to(root).as_posix() for path in root.rglob("[!.]*.jsonl"))
        return {file.removesuffix(".jsonl") for file in files}

    def _require_fit(self, clip: SpatialClip, masks: FrameMasks) -> None:
        where = f"{self.edits.path(clip.id)}, frame {masks.frame}"
        if masks.size_hw != clip.size_hw:
            rows, columns = masks.size_hw
            what = f"masks are {columns}x{rows}, the video is {clip.width}x{clip.height}"
            raise AttncliError(what, where=where, remedy="edit this clip again")
        if masks.frame >= clip.frames:
            what = f"the video has {clip.frames} frames"
            raise AttncliError(what, where=where, remedy="edit this clip again")
        try:
            masks.union()
        except ValueError as error:
            raise AttncliError(str(error), where=where, remedy="edit this clip again") from error


def open_spatial_edits(path: Path) -> SpatialEditDirectory:
    """Return the directory for edits of spatial attention at `path`.

    Raises:
        AttncliError: There is none.
    """
    directory = SpatialEditDirectory(path)
    directory.require_made("edit-spatial")
    return directory
