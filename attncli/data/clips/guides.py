"""What a training is told of its clips besides their labels: masks, and attention people gave."""

from dataclasses import dataclass

from attncli.config.training import TrainConfig
from attncli.data.samples import VideoDataset
from attncli.errors import AttncliError
from attncli.files.masks import MaskDirectory
from attncli.files.spatial_edits import SpatialEdits, open_spatial_edits
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits


@dataclass(frozen=True)
class Guidance:
    """Where the masks and the edited attention of training clips are read; None without any."""

    masks: MaskDirectory | None = None
    """Instance masks of every frame."""
    edits: TemporalEdits | None = None
    """Temporal attention that people gave some of the clips."""
    spatial_edits: SpatialEdits | None = None
    """Spatial attention that people gave some of the clips."""

    @classmethod
    def open(cls, config: TrainConfig, dataset: VideoDataset) -> "Guidance":
        """Return what the settings name, where the method uses any.

        Args:
            config: Settings of the training.
            dataset: The training split.

        Raises:
            AttncliError: There are no masks of any clip, no clip is edited, the edits are no such
                table, or they name a clip that is not in the training split.
        """
        return cls(
            masks=_open_masks(config, dataset),
            edits=_open_edits(config, dataset),
            spatial_edits=_open_spatial_edits(config, dataset),
        )

    def notes(self) -> list[str]:
        """Return what the user should know of it."""
        notes = []
        if self.edits is not None:
            left_out = len(self.edits.unedited)
            more = f"; {left_out} without any score count as not edited" if left_out else ""
            notes.append(
                f"{len(self.edits.ids)} training clips have edited temporal attention{more}"
            )
        if self.spatial_edits is not None:
            clips = len(self.spatial_edits.ids)
            notes.append(f"{clips} training clips have edited spatial attention")
        return notes


def _open_masks(config: TrainConfig, dataset: VideoDataset) -> MaskDirectory | None:
    """A clip without masks is named when it is read; here there must be some that have them."""
    root = getattr(config, "masks", None)
    if root is None:
        return None
    masks = MaskDirectory(root)
    if not any(masks.finished(sample.id) for sample in dataset.samples):
        raise AttncliError(
            "no masks of any training clip here",
            where=root,
            remedy=f"make them: attncli segment {config.data} -o {root}",
        )
    return masks


def _open_edits(config: TrainConfig, dataset: VideoDataset) -> TemporalEdits | None:
    path = getattr(config, "temporal_edits", None)
    if path is None:
        return None
    edits = read_temporal_edits(path, known={sample.id for sample in dataset.samples})
    if not edits.ids:
        raise AttncliError(
            "no clip here is edited", where=path, remedy="give each frame of a clip a score"
        )
    return edits


def _open_spatial_edits(config: TrainConfig, dataset: VideoDataset) -> SpatialEdits | None:
    path = getattr(config, "spatial_edits", None)
    if path is None:
        return None
    edits = open_spatial_edits(path).read_edits(known={sample.id for sample in dataset.samples})
    if not edits.ids:
        remedy = f"paint some frames: attncli edit-spatial serve {path}"
        raise AttncliError("no clip here is edited", where=path, remedy=remedy)
    return edits
