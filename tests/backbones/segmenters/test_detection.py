import numpy as np
import torch

from attncli.backbones.segmenters.detection import Detections, DetectionSegmenter
from attncli.backbones.segmenters.frames import SourceFrame
from attncli.config.segment import SegmentConfig

CATEGORIES = ("background", "dog", "cat")


def detections() -> Detections:
    masks = torch.zeros(4, 6, 8, dtype=torch.bool)
    masks[0, :2, :2] = True  # 4 pixels
    masks[1, :3, :3] = True  # 9 pixels
    masks[2, :4, :4] = True  # 16 pixels; the last one is empty
    return Detections(torch.tensor([1, 2, 1, 1]), torch.tensor([0.9, 0.8, 0.3, 0.9]), masks)


def found(config: SegmentConfig) -> list[tuple[str, int]]:
    segmenter = DetectionSegmenter(
        lambda images: [detections() for _ in images], CATEGORIES, config, batch_size=2
    )
    frames = [SourceFrame(0, np.zeros((6, 8, 3), np.uint8), True)]
    (answer,) = segmenter.segment(frames)
    assert answer.size_hw == (6, 8)
    return [(i.category, int(i.mask((6, 8)).sum())) for i in answer.instances]


def test_low_scores_and_empty_masks_are_dropped():
    assert found(SegmentConfig()) == [("dog", 4), ("cat", 9)]
    assert found(SegmentConfig(score_threshold=0.2)) == [("dog", 4), ("cat", 9), ("dog", 16)]


def test_only_chosen_classes_are_kept():
    assert found(SegmentConfig(classes=("cat",))) == [("cat", 9)]


def test_small_instances_are_dropped():
    assert found(SegmentConfig(min_area_px=9)) == [("cat", 9)]
    assert found(SegmentConfig(min_area_px=10)) == []


def test_wanted_frames_come_in_batches_and_in_order():
    sizes = []

    def detect(images):
        sizes.append(len(images))
        return [detections() for _ in images]

    segmenter = DetectionSegmenter(detect, CATEGORIES, SegmentConfig(), batch_size=2)
    pixels = np.zeros((6, 8, 3), np.uint8)
    frames = [SourceFrame(i, pixels, is_wanted=i != 2) for i in range(6)]
    assert [answer.frame for answer in segmenter.segment(frames)] == [0, 1, 3, 4, 5]
    assert sizes == [2, 2, 1]
