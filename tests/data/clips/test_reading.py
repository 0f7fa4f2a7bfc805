from pathlib import Path

import numpy as np
import pytest
import torch

from attncli.config.training import ClipConfig
from attncli.data.clips.guides import (
    ClipGuidance,
    MaskGuide,
    SpatialEditGuide,
    TemporalEditGuide,
)
from attncli.data.clips.reading import ClipReader, ClipSample, collate, read_validation_clip
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.source import batch_loader
from attncli.errors import AttncliError, Failure

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12


class SquareMasks:
    """Stands in for a mask directory: the left half of every frame, lighter every other frame."""

    def __init__(self, size_hw=(48, 64)):
        self.size_hw = size_hw

    def read(self, video_id, frame_indices):
        if "without" in video_id:
            raise AttncliError("no masks", where=video_id)
        masks = np.zeros((len(frame_indices), *self.size_hw), bool)
        masks[frame_indices % 2 == 0, :, : self.size_hw[1] // 2] = True
        return masks


class IndexEdits:
    """Stands in for edits: a hundredth of its index for each frame of the videos of class c1."""

    def read(self, video_id, frame_indices, *, n_frames):
        if video_id == "c1/v3":
            raise AttncliError(f"scores of 31 frames, not of {n_frames}", where=video_id)
        return (frame_indices / 100).astype(np.float32) if video_id.startswith("c1") else None


@pytest.fixture
def videos(make_video, tmp_path):
    samples = [
        VideoSample(f"c{i % 2}/v{i}", make_video(f"c{i % 2}/v{i}.avi", 30 + i, seed=i), i % 2)
        for i in range(4)
    ]
    samples.insert(2, VideoSample("c0/gone", tmp_path / "c0/gone.avi", 0))
    return VideoDataset("ucf101", tmp_path, ("c0", "c1"), tuple(samples))


def _config(**changes):
    values = {
        "frames": 4,
        "frame_stride": 3,
        "crop_px": 32,
        "short_side_min_px": 40,
        "short_side_max_px": 56,
        "short_side_val_px": 40,
    }
    return ClipConfig(data=Path(), **(values | changes))


def _clips(videos, *, training=True, seed=0, **changes):
    kinds = {"masks": MaskGuide, "edits": TemporalEditGuide, "spatial_edits": SpatialEditGuide}
    guidance = ClipGuidance([kinds[n](changes.pop(n)) for n in kinds if n in changes])
    config = _config(**changes)
    return ClipReader(videos, config, training=training, guidance=guidance, seed=seed)


def _equal(a, b):
    return (
        torch.equal(a.frames, b.frames)
        and torch.equal(a.frame_indices, b.frame_indices)
        and (a.crop, a.flip, a.row, a.label) == (b.crop, b.flip, b.row, b.label)
    )


def test_a_clip_follows_from_seed_epoch_and_row_alone(videos):
    clips = _clips(videos)
    clips.set_epoch(3)
    first = clips[1]
    _ = clips[0], clips[3]
    assert _equal(clips[1], first)
    again = _clips(videos)
    again.set_epoch(3)
    assert _equal(again[1], first)
    clips.set_epoch(4)
    assert not _equal(clips[1], first)
    other = _clips(videos, seed=1)
    other.set_epoch(3)
    assert not _equal(other[1], first)


def test_training_clips_start_anywhere_in_each_epoch(videos):
    clips = _clips(videos)
    starts = set()
    for epoch in range(12):
        clips.set_epoch(epoch)
        starts.add(int(clips[0].frame_indices[0]))
    assert len(starts) > 4
    assert starts <= set(range(19))  # 30 - 12 = 18 to spare


def test_validation_clips_are_the_same_in_every_epoch_and_centred(videos):
    clips = _clips(videos, training=False)
    first = clips[0]
    clips.set_epoch(5)
    assert _equal(clips[0], first)
    assert first.frame_indices.tolist() == [9, 12, 15, 18]  # 30 - 12 = 18 to spare
    assert not first.flip


def test_validation_may_start_at_random_yet_the_same_place_each_time(videos):
    starts = {
        int(_clips(videos, training=False, val_start="random", seed=seed)[0].frame_indices[0])
        for seed in range(12)
    }
    assert len(starts) > 4
    one, two = (_clips(videos, training=False, val_start="random") for _ in range(2))
    two.set_epoch(7)
    assert _equal(one[0], two[0])


def test_clips_show_the_frames_they_name(videos, decode_naively):
    clips = _clips(videos, short_side_min_px=48, short_side_max_px=48, flip="none")
    for row in (0, 1, 3):
        clip = clips[row]
        left, top, right, bottom = (int(edge) for edge in clip.crop)
        frames = decode_naively(videos.samples[row].path)[clip.frame_indices]
        np.testing.assert_array_equal(clip.frames, frames[:, top:bottom, left:right])


def test_a_video_that_cannot_be_read_becomes_a_failure_and_nothing_else(videos, tmp_path):
    failure = _clips(videos)[2]
    path = str(tmp_path / "c0/gone.avi")
    assert failure == Failure(id="c0/gone", path=path, error=f"{path}: no such video")


def test_a_video_too_short_is_a_failure_where_that_is_an_error(videos):
    clips = _clips(videos, frames=11, short_videos="error")
    assert isinstance(clips[0], Failure)
    assert "has 30 frames, fewer than the 33 of a clip" in clips[0].error
    assert isinstance(clips[4], ClipSample)
    assert isinstance(_clips(videos, frames=11)[0], ClipSample)


def test_masks_go_through_the_geometry_of_their_frames(videos):
    clip = _clips(videos, masks=SquareMasks(), short_side_min_px=48, short_side_max_px=48)[0]
    expected = torch.zeros(4, 48, 64, dtype=torch.bool)
    expected[clip.frame_indices % 2 == 0, :, :32] = True
    left, top, right, bottom = (int(edge) for edge in clip.crop)
    cut = expected[:, top:bottom, left:right]
    assert torch.equal(clip.guides["masks"], cut.flip(2) if clip.flip else cut)


def test_uniform_clips_spread_over_the_whole_video_in_training_and_validation(videos):
    settings = {"sampling": "uniform", "frame_stride": 1, "frames": 6}
    for row in (0, 1, 3):  # 30, 31 and 32 frames in six parts
        clips = _clips(videos, **settings)
        parts = (30 + row - (row > 2)) / 6 * np.arange(7)
        drawn = set()
        for epoch in range(20):
            clips.set_epoch(epoch)
            indices = clips[row].frame_indices.numpy()
            assert (indices + 1 > parts[:-1]).all()
            assert (indices < parts[1:]).all()
            drawn.add(int(indices[2]))
        assert len(drawn) > 3
        middles = _clips(videos, training=False, **settings)[row].frame_indices
        assert middles.tolist() == ((parts[:-1] + parts[1:]) / 2).astype(int).tolist()


def test_a_crop_by_area_is_the_same_for_all_frames_and_is_named(videos, decode_naively):
    size = {"crop_px": 48, "short_side_val_px": 48}  # frames are not reduced before they are cut
    clips = _clips(videos, crop="area", crop_area_min=0.3, flip="none", **size)
    shapes = set()
    for epoch in range(8):
        clips.set_epoch(epoch)
        clip = clips[0]
        left, top, right, bottom = (round(edge) for edge in clip.crop)
        shapes.add((bottom - top, right - left))
        frames = decode_naively(videos.samples[0].path)[clip.frame_indices]
        cut = torch.from_numpy(frames[:, top:bottom, left:right].copy()).permute(0, 3, 1, 2)
        expected = torch.nn.functional.interpolate(
            cut.float(), (48, 48), mode="bilinear", antialias=True
        )
        assert (expected.permute(0, 2, 3, 1) - clip.frames).abs().max() < 2
    assert len({height / width for height, width in shapes}) > 3


def test_half_of_the_training_clips_are_mirrored_none_of_the_others(videos):
    def share(**changes):
        clips = _clips(videos, **changes)
        flips = []
        for epoch in range(60):
            clips.set_epoch(epoch)
            flips += [clips[row].flip for row in (0, 1)]
        return np.mean(flips)

    assert 0.35 < share() < 0.65
    assert 0.35 < share(flip="plain") < 0.65
    assert share(flip="none") == share(training=False, flip="plain") == 0


def test_a_mirrored_clip_gets_the_label_of_the_mirrored_class(videos, tmp_path):
    classes = ("Push left", "Push right", "Wave", "Turn left")
    path = videos.samples[0].path
    samples = tuple(VideoSample(f"v{i}", path, i) for i in (0, 1, 2, 3, -1))
    sided = VideoDataset("ssv2", tmp_path, classes, samples)
    seen = {flip: set() for flip in ("auto", "plain", "swap-labels")}
    for flip, outcomes in seen.items():
        clips = _clips(sided, flip=flip)
        for epoch in range(16):
            clips.set_epoch(epoch)
            outcomes |= {(row, clips[row].flip, clips[row].label) for row in range(5)}
    kept = {(0, False, 0), (1, False, 1), (2, False, 2), (3, False, 3), (4, False, -1)}
    assert seen["auto"] == kept
    assert seen["plain"] == kept | {(row, True, label) for row, _, label in kept}
    assert seen["swap-labels"] == kept | {(0, True, 1), (1, True, 0), (2, True, 2)}


def test_edits_are_indexed_by_the_very_frames_sampled(videos):
    clips = _clips(videos, edits=IndexEdits())
    batch = collate([clips[row] for row in (0, 1)])
    assert batch.guides["temporal_edits"].dtype == torch.float32
    assert batch.guides["temporal_edits"][0].isnan().all()
    torch.testing.assert_close(batch.guides["temporal_edits"][1], batch.frame_indices[1] / 100)
    nobody = collate([clips[0]])
    assert nobody.guides["temporal_edits"].isnan().all()
    assert nobody.guides["temporal_edits"].shape == (1, 4)
    assert collate([_clips(videos)[1]]).guides == {}


def test_an_edit_of_more_or_fewer_frames_than_the_video_has_is_a_failure(videos):
    clips = _clips(videos, edits=IndexEdits())
    assert isinstance(clips[1], ClipSample)
    assert clips[4] == Failure(
        id="c1/v3", path=str(videos.samples[4].path), error="c1/v3: scores of 31 frames, not of 33"
    )


def test_chosen_frames_are_read_as_validation_shows_them(videos):
    clip = _clips(videos, training=False)[1]
    config = _config()
    indices = clip.frame_indices.numpy()
    read = read_validation_clip(videos.samples[1], config, indices)
    assert read.shape == (1, 3, 4, 32, 32)
    assert read.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(read, collate([clip]).frames)
    other = read_validation_clip(videos.samples[1], config, indices[[2, 2]])
    assert torch.equal(other[:, :, 1], read[:, :, 2])
    with pytest.raises(AttncliError, match="gone"):
        read_validation_clip(videos.samples[2], config, indices)


def test_masks_of_another_size_are_a_failure_that_names_both(videos):
    failure = _clips(videos, masks=SquareMasks((24, 32)))[0]
    assert failure.error.startswith("c0/v0: masks are 32x24, the video is 64x48; ")


def test_missing_masks_are_a_failure(videos, tmp_path):
    sample = VideoSample("without", videos.samples[0].path, 0)
    dataset = VideoDataset("ucf101", tmp_path, ("c0",), (sample,))
    assert _clips(dataset, masks=SquareMasks())[0].error == "without: no masks"


def test_batches_are_channels_last_bytes_with_failures_beside_them(videos):
    clips = _clips(videos, masks=SquareMasks())
    batch = collate([clips[row] for row in (4, 2, 1)])
    assert batch.frames.shape == (2, 3, 4, 32, 32)
    assert batch.frames.is_contiguous(memory_format=torch.channels_last_3d)
    assert torch.equal(batch.frames[0].permute(1, 2, 3, 0), clips[4].frames)
    assert batch.guides["masks"].shape == (2, 4, 32, 32)
    assert batch.rows.tolist() == [4, 1]
    assert batch.labels.tolist() == [1, 1]
    assert batch.crops.shape == (2, 4)
    assert [failure.id for failure in batch.failures] == ["c0/gone"]


def test_a_batch_of_which_nothing_could_be_read_is_empty_but_says_so(videos):
    batch = collate([_clips(videos)[2]])
    assert len(batch.frames) == len(batch.labels) == len(batch.crops) == 0
    assert len(batch.failures) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_read_the_same_clips_as_the_main_process_epoch_after_epoch(videos, workers):
    batches = [[4, 2, 0], [3, 1], [2]]
    clips = _clips(videos)
    loader = batch_loader(clips, batches=batches, workers=workers)
    for epoch in (0, 1):
        clips.set_epoch(epoch)
        for rows, batch in zip(batches, loader, strict=True):
            expected = collate([clips[row] for row in rows])
            assert torch.equal(batch.frames, expected.frames)
            assert batch.frames.stride() == expected.frames.stride() or not len(batch.rows)
            assert torch.equal(batch.frame_indices, expected.frame_indices)
            assert torch.equal(batch.crops, expected.crops)
            assert batch.failures == expected.failures


def test_a_loader_leaves_the_global_generator_alone(videos):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for _ in batch_loader(_clips(videos), batches=[[0]], workers=0):
        pass
    assert torch.equal(torch.get_rng_state(), before)


class HalfEdits:
    """Stands in for edits: the left half of every other frame of the videos of class c1."""

    def __init__(self, size_hw=(48, 64)):
        self.masks = SquareMasks(size_hw)

    def read(self, video_id, frame_indices):
        if not video_id.startswith("c1"):
            return None
        return self.masks.read(video_id, frame_indices), frame_indices % 2 == 0


def test_spatial_edits_go_through_the_crop_and_flip_of_their_frames(videos):
    both = _clips(videos, masks=SquareMasks(), spatial_edits=HalfEdits(), flip="plain")
    seen = set()
    for epoch in range(8):
        both.set_epoch(epoch)
        clip = both[1]
        seen.add(clip.flip)
        assert torch.equal(clip.guides["spatial_edits"], clip.guides["masks"])
        assert torch.equal(clip.guides["spatially_edited"], clip.frame_indices % 2 == 0)
    assert seen == {False, True}


def test_clips_without_spatial_edits_are_empty_and_marked_as_such(videos):
    clips = _clips(videos, spatial_edits=HalfEdits())
    batch = collate([clips[0], clips[1]])
    edits, is_edited = batch.guides["spatial_edits"], batch.guides["spatially_edited"]
    assert edits.shape == (2, 4, 32, 32)
    assert edits.dtype == is_edited.dtype == torch.bool
    assert not edits[0].any() and not is_edited[0].any()
    assert is_edited[1].any()


def test_spatial_edits_of_another_size_are_a_failure_that_names_both(videos):
    failure = _clips(videos, spatial_edits=HalfEdits((24, 32)))[1]
    assert failure.error.startswith("c1/v1: masks are 32x24, the video is 64x48; select and edit")
