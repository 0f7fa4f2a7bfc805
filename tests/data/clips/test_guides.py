from pathlib import Path

import numpy as np
import pytest
import torch

from attncli.config.object_abn import ObjectAbnConfig
from attncli.config.st_abn import StAbnConfig
from attncli.data.clips.geometry import ClipView
from attncli.data.clips.guides import (
    MASKS,
    SPATIAL_EDITS,
    SPATIALLY_EDITED,
    TEMPORAL_EDITS,
    ClipGuidance,
    MaskGuide,
    SpatialEditGuide,
    TemporalEditGuide,
)
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.video.reading import VideoClip
from attncli.errors import AttncliError
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.temporal_edits import write_temporal_edits

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SIZE_HW = (4, 6)
SAMPLES = tuple(VideoSample(name, Path(f"{name}.avi"), 0) for name in ("a", "b"))
DATASET = VideoDataset("manifest", Path(), ("c",), SAMPLES)
INDICES = np.array([0, 2])
CLIP = VideoClip(np.zeros((2, *SIZE_HW, 3), np.uint8), INDICES, SIZE_HW, n_frames=3)
MIDDLE = ClipView(short_side_px=4, crop_px=4, top_share=0.0, left_share=0.5, flip=False)
"""The square of 4x4 in the middle: columns 1 to 4."""


class Edited:
    """Spatial edits of the first frame of video `a`: its left half."""

    def read(self, video_id, frame_indices):
        if video_id != "a":
            return None
        masks = np.zeros((len(frame_indices), *SIZE_HW), dtype=np.bool_)
        masks[0, :, :3] = True
        return masks, frame_indices == 0


@pytest.fixture
def masks(tmp_path):
    """Masks of video `a`: a column further to the right in each frame."""
    with MaskWriter(tmp_path / "masks", "a") as writer:
        for frame in range(3):
            mask = np.zeros(SIZE_HW, dtype=np.bool_)
            mask[:, frame + 1] = True
            instance = Instance.of(mask, category="person", score=1.0)
            writer.write(FrameMasks(frame, SIZE_HW, (instance,)))
    return tmp_path / "masks"


@pytest.fixture
def edits(tmp_path):
    """Scores of video `a`, and a blank row for `b`."""
    scores = {"a": np.array([0, 0.5, 1], np.float32), "b": np.full(3, np.nan, np.float32)}
    write_temporal_edits(tmp_path / "edits.csv", scores)
    return tmp_path / "edits.csv"


def test_masks_are_those_of_the_clips_frames_as_the_clip_shows_them(masks):
    guide = MaskGuide.open(masks, DATASET, Path("data"))
    found = guide.read(SAMPLES[0], CLIP, MIDDLE)[MASKS]
    assert found.shape == (2, 4, 4)
    assert [frame.any(dim=0).nonzero().flatten().tolist() for frame in found] == [[0], [2]]
    assert (guide.notes(), guide.facts()) == ([], {})


def test_masks_of_other_videos_are_missed_with_the_call_that_makes_them(masks):
    others = VideoDataset("manifest", Path(), ("c",), SAMPLES[1:])
    with pytest.raises(AttncliError) as error:
        MaskGuide.open(masks, others, Path("data"))
    assert str(error.value) == (
        f"{masks}: holds no masks of the training clips; make them: attncli segment data -o {masks}"
    )


def test_masks_of_another_size_name_both(masks):
    clip = VideoClip(np.zeros((2, 8, 9, 3), np.uint8), INDICES, (8, 9), n_frames=3)
    with pytest.raises(AttncliError, match=r"^a: masks are 6x4, the video is 9x8; segment"):
        MaskGuide.open(masks, DATASET, Path("data")).read(SAMPLES[0], clip, MIDDLE)


def test_scores_are_those_of_the_clips_frames_and_unknown_where_nobody_gave_any(edits):
    guide = TemporalEditGuide.open(edits, DATASET, Path("data"))
    assert guide.read(SAMPLES[0], CLIP, MIDDLE)[TEMPORAL_EDITS].tolist() == [0, 1]
    assert guide.read(SAMPLES[1], CLIP, MIDDLE)[TEMPORAL_EDITS].isnan().all()
    assert guide.facts() == {"edited_clips": 1}
    assert guide.notes() == [
        "1 training clips have edited temporal attention; 1 without any score count as not edited"
    ]


def test_a_file_without_any_score_is_refused(tmp_path):
    write_temporal_edits(tmp_path / "edits.csv", {"a": np.full(3, np.nan, np.float32)})
    with pytest.raises(AttncliError, match=r"edits\.csv: holds no edits of the training clips; "):
        TemporalEditGuide.open(tmp_path / "edits.csv", DATASET, Path("data"))


def test_where_attention_belongs_comes_with_the_frames_it_is_known_of():
    guide = SpatialEditGuide(Edited(), clips=1)
    found = guide.read(SAMPLES[0], CLIP, MIDDLE)
    assert found[SPATIALLY_EDITED].tolist() == [True, False]
    assert found[SPATIAL_EDITS][0].any(dim=0).tolist() == [True, True, False, False]
    unknown = guide.read(SAMPLES[1], CLIP, MIDDLE)
    assert not unknown[SPATIALLY_EDITED].any()
    assert unknown[SPATIAL_EDITS].shape == found[SPATIAL_EDITS].shape
    assert guide.facts() == {"spatially_edited_clips": 1}


def test_nothing_has_the_names_types_and_shapes_of_what_is_read(masks, edits):
    guides = (
        MaskGuide.open(masks, DATASET, Path("data")),
        TemporalEditGuide.open(edits, DATASET, Path("data")),
        SpatialEditGuide(Edited()),
    )
    guidance = ClipGuidance(guides)
    read, nothing = guidance.read(SAMPLES[0], CLIP, MIDDLE), guidance.nothing((2, 4, 4))
    assert read.keys() == nothing.keys()
    for name, tensor in read.items():
        assert nothing[name].dtype == tensor.dtype
        assert nothing[name].shape == (0, *tensor.shape)


def test_settings_name_what_guides_a_training(masks, edits):
    found = ClipGuidance.open(ObjectAbnConfig(data=Path("data"), masks=masks), DATASET)
    assert [type(guide) for guide in found.guides] == [MaskGuide]
    tuned = StAbnConfig(data=Path("data"), temporal_edits=edits, init=Path("run"))
    found = ClipGuidance.open(tuned, DATASET)
    assert [type(guide) for guide in found.guides] == [TemporalEditGuide]
    assert found.facts() == {"edited_clips": 1}
    nothing = ClipGuidance.open(StAbnConfig(data=Path("data")), DATASET)
    assert (nothing.notes(), nothing.facts(), nothing.nothing((1, 2, 3))) == ([], {}, {})


def test_no_guide_gives_no_tensors():
    assert ClipGuidance().read(SAMPLES[0], CLIP, MIDDLE) == {}
    assert (
        torch.Size((0, 2)) == TemporalEditGuide(Edited()).nothing((2, 4, 4))[TEMPORAL_EDITS].shape
    )


def test_clips_scored_in_part_are_named_or_left_out(tmp_path):
    file = tmp_path / "edits.csv"
    file.write_text("id,frame,score\na,0,1\na,1,\nb,0,1\n")
    with pytest.raises(AttncliError, match="1 clip that has"):
        TemporalEditGuide.open(file, DATASET, Path("d"))
    guide = TemporalEditGuide.open(file, DATASET, Path("d"), skip_partial=True)
    assert guide.clips == 1
    assert "'a' (1 of 2 frames" in guide.notes()[1]
