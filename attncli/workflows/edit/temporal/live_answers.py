"""What a run's network answers to a clip when a person's attention stands in the place of its own.

The features of a clip are had once; with another attention only what comes after them is computed.
"""

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from attncli.config.training import ClipConfig
from attncli.data.clips.reading import read_validation_clip
from attncli.data.clips.sampling import clip_indices
from attncli.data.samples import Split, VideoSample
from attncli.editor.answers import ClipAnswer
from attncli.errors import AttncliError
from attncli.files.edit_directory import EditClip
from attncli.files.runs import Run
from attncli.training.distributed import join
from attncli.training.learner import autocast
from attncli.types import AttentionEdit, BranchNetwork, BranchOutputs
from attncli.workflows.runs.network import open_network, require_attention
from attncli.workflows.runs.source import open_source

CLIPS_KEPT = 4
"""Clips whose features are kept: those a person turns back to."""


@dataclass(frozen=True)
class _Watched:
    """A clip as the network sees it, and what it says by itself."""

    indices: Int64[np.ndarray, " t"]
    features: Float[Tensor, "1 c t h w"]
    own: BranchOutputs


class RunAnswerer:
    """Answers with the network of a run; for one thread.

    Args:
        network: In evaluation mode, on `device`.
        classes: Names of its classes.
        config: How clips are sampled and cropped, and the arithmetic.
        samples: Where the video of each clip is, by id.
        n_frames: Number of frames of each video.
        device: Where the network is.
    """

    def __init__(
        self,
        network: BranchNetwork,
        *,
        classes: tuple[str, ...],
        config: ClipConfig,
        samples: Mapping[str, VideoSample],
        n_frames: Mapping[str, int],
        device: torch.device,
    ) -> None:
        self._network = network
        self._classes = classes
        self._config = config
        self._samples = samples
        self._n_frames = n_frames
        self._device = device
        self._kept: OrderedDict[str, _Watched] = OrderedDict()

    def answer(self, clip_id: str, scores: Float32[np.ndarray, " n"]) -> ClipAnswer:
        """Return what the network says of the clip that validation cuts from a video.

        Raises:
            AttncliError: The video is gone, or is no longer what it was.
        """
        watched = self._watch(clip_id)
        given = torch.from_numpy(scores[watched.indices]).to(self._device)[None]
        with torch.inference_mode(), self._arithmetic():
            own = cast(Tensor, watched.own.temporal_attention).float()
            edit = AttentionEdit(temporal=torch.where(given.isnan(), own, given))
            edited = self._network.answer(watched.features, edit)
        return ClipAnswer(
            classes=self._classes,
            own=_probabilities(watched.own),
            edited=_probabilities(edited),
            frames=tuple(sorted(set(watched.indices.tolist()))),
        )

    def _watch(self, clip_id: str) -> _Watched:
        """Return the features of a clip; those of the clips asked for last are kept."""
        if clip_id not in self._kept:
            self._kept[clip_id] = self._extract(clip_id)
        self._kept.move_to_end(clip_id)
        if len(self._kept) > CLIPS_KEPT:
            self._kept.popitem(last=False)
        return self._kept[clip_id]

    def _extract(self, clip_id: str) -> _Watched:
        if clip_id not in self._samples:
            raise AttncliError("no such video in the run's dataset any more", where=clip_id)
        indices = clip_indices(
            self._n_frames[clip_id],
            sampling=self._config.sampling,
            frames=self._config.frames,
            stride=self._config.frame_stride,
            start="centre",
            short_videos=self._config.short_videos,
            generator=np.random.default_rng(0),  # the centre is not drawn
        )
        try:
            frames = read_validation_clip(self._samples[clip_id], self._config, indices)
        except IndexError:
            raise AttncliError(
                f"has fewer than the {self._n_frames[clip_id]} frames it had",
                where=self._samples[clip_id].path,
                remedy="select clips anew",
            ) from None
        with torch.inference_mode(), self._arithmetic():
            features = self._network.extract(frames.to(self._device))
            return _Watched(indices, features, self._network.answer(features))

    def _arithmetic(self) -> AbstractContextManager[object]:
        return autocast(self._device, self._config.precision)


def open_answerer(
    run: Run, clips: Mapping[str, EditClip], *, split: Split, device: str
) -> RunAnswerer:
    """Return what answers with the network of a run.

    Args:
        run: The run the clips were chosen from.
        clips: The clips, by id.
        split: Split of the run's dataset they are from.
        device: Where to compute.

    Raises:
        AttncliError: The run has no temporal attention, or its weights or its dataset are gone.
    """
    require_attention(run, "temporal")
    dataset: Any = open_source(run.method, run.config, run.directory.path).open(split)
    with join(device) as world:
        network = open_network(run, device=world.device)
        if not isinstance(network, BranchNetwork):
            raise AttncliError(f"{run.method} takes no edits", where=run.directory.path)
        return RunAnswerer(
            network,
            classes=run.classes,
            config=run.config,
            samples={sample.id: sample for sample in dataset.samples if sample.id in clips},
            n_frames={clip.id: clip.frames for clip in clips.values()},
            device=world.device,
        )


def _probabilities(outputs: BranchOutputs) -> Float32[np.ndarray, " k"]:
    return outputs.scores.float().softmax(dim=1)[0].cpu().numpy()
