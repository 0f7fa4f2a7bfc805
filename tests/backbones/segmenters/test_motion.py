import cv2
import numpy as np
import pytest

from attncli.backbones.segmenters.frames import SourceFrame
from attncli.backbones.segmenters.motion import REACH, MotionSegmenter, camera_step
from attncli.config.segment import SegmentConfig
from attncli.data.toy.scenes import MOTIONS, render

SIZE_HW = (120, 160)
MOTION = SegmentConfig(backend="motion")


def segment(frames, config: SegmentConfig = MOTION, wanted=None):
    wanted = range(len(frames)) if wanted is None else wanted
    sources = (SourceFrame(i, frame, i in wanted) for i, frame in enumerate(frames))
    return list(MotionSegmenter(config).segment(sources))


def toy(motion: str, n_frames: int = 50, size_hw=SIZE_HW, seed: int = 0):
    look, course = (np.random.default_rng((seed, stream)) for stream in (0, 1))
    return render(motion, n_frames=n_frames, size_hw=size_hw, look=look, course=course)


def background(seed: int = 0) -> np.ndarray:
    grid = np.random.default_rng(seed).uniform(70, 180, size=(16, 16, 3)).astype(np.float32)
    return cv2.resize(grid, (200, 200), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def test_moving_bodies_are_found_before_a_moving_background():
    wanted = (0, 10, 24, 40, 49)
    ious = []
    for seed, motion in enumerate([*MOTIONS, *MOTIONS]):
        scene = toy(motion, seed=seed)
        found = segment(scene.frames, SegmentConfig(backend="motion", min_area_px=350), wanted)
        union = np.stack([masks.union() for masks in found])
        truth = scene.masks[list(wanted)]
        ious.append(((union & truth).sum((1, 2)) / (union | truth).sum((1, 2))).mean())
    assert np.mean(ious) > 0.5


def test_what_moves_only_with_the_camera_is_background():
    sheet = background()
    frames = [sheet[20 + t : 116 + t, 2 * t : 2 * t + 120] for t in range(30)]
    found = segment(frames)
    assert np.mean([masks.union().mean() for masks in found]) < 0.01


@pytest.mark.parametrize(("zoom", "turn_deg", "shift"), [(1, 0, (2, -1)), (1.02, 1, (0.5, 1.5))])
def test_the_cameras_motion_is_estimated_though_a_body_moves_otherwise(zoom, turn_deg, shift):
    sheet = cv2.cvtColor(background(), cv2.COLOR_RGB2GRAY)
    camera = cv2.getRotationMatrix2D((100, 100), turn_deg, zoom)
    camera[:, 2] += shift
    after = cv2.warpAffine(sheet, camera, (200, 200), borderMode=cv2.BORDER_REFLECT)
    blob = np.random.default_rng(3).integers(0, 255, (40, 40), dtype=np.uint8)
    sheet[80:120, 60:100], after[90:130, 66:106] = blob, blob
    estimated = camera_step(sheet, after)
    corners = np.array([[20, 20, 1], [180, 20, 1], [20, 180, 1], [180, 180, 1]]).T
    error = np.abs(estimated[:2] @ corners - camera @ corners)
    assert error.max() < 0.3


@pytest.mark.parametrize("n_frames", [1, 2, 5, 2 * REACH, 2 * REACH + 1, 2 * REACH + 9])
def test_every_wanted_frame_is_answered_once_and_in_order(n_frames):
    frames = toy("Sliding", n_frames, size_hw=(40, 48)).frames
    assert [masks.frame for masks in segment(frames)] == list(range(n_frames))
    wanted = range(0, n_frames, 4)
    assert [masks.frame for masks in segment(frames, wanted=wanted)] == list(wanted)


def test_a_frame_alone_has_no_motion():
    (masks,) = segment(toy("Sliding", 1, size_hw=(40, 48)).frames)
    assert masks.instances == ()


def test_skipped_frames_do_not_change_the_masks_of_the_others():
    frames = toy("Circling", 60, size_hw=(60, 80)).frames
    every, some = segment(frames), segment(frames, wanted=range(0, 60, 7))
    assert some == every[::7]


def test_large_frames_are_reduced_and_masks_come_at_their_size():
    scene = toy("Circling", 30)
    large = [cv2.resize(f, (480, 360), interpolation=cv2.INTER_LINEAR) for f in scene.frames]
    found = segment(large, wanted=(15,))
    truth = cv2.resize(scene.masks[15].astype(np.uint8), (480, 360)) > 0
    union = found[0].union()
    assert union.shape == (360, 480)
    assert (union & truth).sum() / truth.sum() > 0.6


def test_no_more_frames_are_held_than_the_window_has():
    taken = 0

    def frames():
        nonlocal taken
        for i in range(200):
            taken += 1
            yield SourceFrame(i, np.zeros((32, 32, 3), np.uint8), is_wanted=True)

    for masks in MotionSegmenter(MOTION).segment(frames()):
        assert taken - masks.frame <= 2 * REACH + 1
