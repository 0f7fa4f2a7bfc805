"""Videos of one's own: a clip of each, as evaluation takes it, or clips that show all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from attncli.batches import ClipBatch
from attncli.config.training import ClipConfig
from attncli.data.clips.geometry import ClipView, validation_view
from attncli.data.clips.reading import ClipSample, collate, read_validation_clip
from attncli.data.clips.sampling import covering_indices
from attncli.data.clips.source import VideoSource
from attncli.data.samples import UNKNOWN_LABEL, VideoDataset, VideoSample
from attncli.data.source import in_turn
from attncli.data.video.frame_folders import IMAGE_SUFFIXES
from attncli.data.video.reading import count_frames, frame_size_hw
from attncli.errors import Failure, UsageError
from attncli.reporting import Reporter
from attncli.types import BranchOutputs
from attncli.workflows.predict.answers import Answer
from attncli.workflows.predict.given_arrays import several
from attncli.workflows.predict.own_files import LAYOUT, OwnFiles, own_ids

Box = tuple[float, float, float, float]


class OwnClips:
    """What videos are to a network that is shown a clip of each.

    Args:
        config: How clips are sampled and cropped, and how many make a batch.
        classes: Names of the classes.
        attention: Kinds of attention that the network makes.
    """

    def __init__(
        self, config: ClipConfig, classes: tuple[str, ...], attention: tuple[str, ...]
    ) -> None:
        self.config = config
        self.classes = classes
        self.attention = attention

    def open(self, files: Sequence[Path], *, reporter: Reporter) -> OwnFiles:  # noqa: ARG002
        """Return videos and directories of frames as samples; single pictures are none."""
        found = own_videos(files, self.classes)
        videos = tuple(sample for sample in found.samples if not _is_picture(sample.path))
        pictures = [sample for sample in found.samples if _is_picture(sample.path)]
        what = "is one picture; name a video or a directory of frames"
        failures = tuple(Failure(one.id, str(one.path), what) for one in pictures)
        return OwnFiles(VideoSource(self.config), replace(found, samples=videos), failures)

    def batches(self, frames: UInt8[Tensor, "..."], *, cut: bool) -> Iterator[ClipBatch]:
        """Yield clips in batches, cut as an evaluation cuts the frames of videos.

        Raises:
            UsageError: They are no clips, or of a length that the network does not take.
        """
        clips = several(frames, axes=5, shape="T, H, W")
        self._require_length(clips.shape[1])
        for rows in in_turn(range(len(clips)), self.config.batch_size):
            yield collate([self._clip(clips[row], row, cut=cut) for row in rows])

    def answer(self, outputs: BranchOutputs) -> Answer:
        """Return class probabilities and attention."""
        return answer_of_branches(outputs, self.classes)

    def of_one_file(self, answer: Answer) -> Answer:
        """Return the answer: a video is one clip."""
        return answer

    def passes(self, file: Path) -> Iterator[ClipBatch]:
        """Yield batches of clips that between them show every frame of a video.

        Windows as long as a clip's span tile the video, and the last one ends with it; each is gone
        through once for every frame that the stride leaves out. Clips of uniform sampling take
        turns over the whole video.

        Raises:
            AttncliError: The video cannot be read, or is too short for `--short-videos error`.
        """
        (sample,) = own_videos([file], self.classes).samples
        clips = covering_indices(count_frames(file), self.config)
        box = validation_view(self.config).crop_box(frame_size_hw(file))
        for rows in in_turn(range(len(clips)), self.config.batch_size):
            yield collate([self._pass(sample, clips[row], row, box) for row in rows])

    def _pass(
        self, sample: VideoSample, indices: Int64[np.ndarray, " t"], row: int, box: Box
    ) -> ClipSample:
        frames = read_validation_clip(sample, self.config, indices)[0].permute(1, 2, 3, 0)
        return _sample(frames, row, box, torch.from_numpy(indices))

    def _clip(self, frames: UInt8[Tensor, "t h w 3"], row: int, *, cut: bool) -> ClipSample:
        size_hw = (frames.shape[1], frames.shape[2])
        if not cut:
            return _sample(frames, row, (0.0, 0.0, float(size_hw[1]), float(size_hw[0])))
        view = validation_view(self.config)
        small = _reduced(frames.numpy(), view, size_hw)
        return _sample(view.apply(small, size_hw), row, view.crop_box(size_hw))

    def _require_length(self, n_frames: int) -> None:
        """Make sure that a network with temporal attention gets clips of its own length.

        Raises:
            UsageError: Clips are of another one.
        """
        own = self.config.frames
        if "temporal" in self.attention and n_frames != own:
            raise UsageError(
                f"clips have {n_frames} frames, the network takes {own}",
                where="frames",
                remedy=f"give {own} frames a clip",
            )


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def own_videos(files: Sequence[Path], classes: tuple[str, ...]) -> VideoDataset:
    """Return videos and directories of frames as a dataset without labels."""
    samples = tuple(
        VideoSample(id=id_, path=file, label=UNKNOWN_LABEL)
        for id_, file in zip(own_ids(files), files, strict=True)
    )
    return VideoDataset(layout=LAYOUT, root=Path(), classes=classes, samples=samples)


def answer_of_branches(outputs: BranchOutputs, classes: tuple[str, ...]) -> Answer:
    """Return the probabilities and the attention of a network with or without branches."""
    branch = outputs.attention_scores
    return Answer(
        scores=_array(outputs.scores.float().cpu().softmax(dim=1)),
        classes=classes,
        spatial=_array(outputs.spatial_attention),
        temporal=_array(outputs.temporal_attention),
        attention_scores=None if branch is None else _array(branch.float().cpu().softmax(dim=1)),
    )


def _array(values: Tensor | None) -> Any:
    return None if values is None else values.float().cpu().numpy()


def _sample(
    frames: UInt8[Tensor, "t h w 3"], row: int, box: Box, indices: Tensor | None = None
) -> ClipSample:
    return ClipSample(
        frames=frames,
        label=UNKNOWN_LABEL,
        row=row,
        frame_indices=torch.arange(len(frames)) if indices is None else indices,
        crop=box,
        flip=False,
    )


def _reduced(
    frames: UInt8[np.ndarray, "t h w 3"], view: ClipView, size_hw: tuple[int, int]
) -> UInt8[np.ndarray, "t hg wg 3"]:
    """Return frames reduced as those of a directory of images are before they are cut."""
    height, width = view.decoded_hw(size_hw)
    if (height, width) == size_hw:
        return frames
    how = Image.Resampling.BILINEAR
    return np.stack([np.array(Image.fromarray(one).resize((width, height), how)) for one in frames])
