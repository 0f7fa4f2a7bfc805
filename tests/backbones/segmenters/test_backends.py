import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from attncli.backbones.segmenters.backends import open_segmenter
from attncli.backbones.segmenters.frames import Segmenter, SourceFrame
from attncli.backbones.segmenters.motion import MotionSegmenter
from attncli.config.segment import Backend, SegmentConfig
from attncli.errors import UsageError

CPU = torch.device("cpu")
PACKAGE = "attncli.backbones.segmenters"
DETECTORS = {"torchvision": "torchvision_masks", "detectron2": "detectron2_masks"}
"""Module of each backend that detects."""


def open_motion(**settings) -> Segmenter:
    config = SegmentConfig(backend="motion", **settings)
    return open_segmenter(config, batch_size=2, device=CPU)


def forbid(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Let an import of these modules fail."""
    for module in modules:
        monkeypatch.setitem(sys.modules, f"{PACKAGE}.{module}", None)


def test_motion_is_segmented_without_any_detector(monkeypatch):
    forbid(monkeypatch, *DETECTORS.values())
    segmenter = open_motion(min_area_px=7)
    assert segmenter == MotionSegmenter(SegmentConfig(backend="motion", min_area_px=7))
    assert isinstance(segmenter, Segmenter)


def test_what_opens_for_motion_finds_a_square_that_moves():
    # With a texture, by which the search sees that the camera stands still.
    ground = np.random.default_rng(0).integers(60, 140, (16, 20, 3), dtype=np.uint8)
    pixels = np.tile(ground.repeat(8, axis=0).repeat(8, axis=1), (49, 1, 1, 1))
    for t in range(49):
        pixels[t, 48:80, 2 * t : 2 * t + 32] = 220
    frames = (SourceFrame(t, frame, is_wanted=t == 24) for t, frame in enumerate(pixels))
    (found,) = open_motion().segment(frames)
    assert (found.frame, found.size_hw) == (24, (128, 160))
    truth = np.zeros((128, 160), dtype=np.bool_)
    truth[48:80, 48:80] = True
    assert (found.union() & truth).sum() / (found.union() | truth).sum() > 0.7
    assert {instance.category for instance in found.instances} == {"moving"}


def test_the_one_class_of_motion_may_be_asked_for_and_no_other():
    assert isinstance(open_motion(classes=("moving",)), MotionSegmenter)
    with pytest.raises(UsageError, match=r"--classes: no such class: 'person'.* there are moving$"):
        open_motion(classes=("moving", "person"))


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"model": "maskrcnn_resnet50_fpn"}, "--model"),
        ({"weights": Path("coco.pth")}, "--weights"),
        ({"model": "maskrcnn_resnet50_fpn", "weights": Path("coco.pth")}, "--model"),
    ],
)
def test_what_belongs_to_detectors_is_refused_for_motion(settings, option):
    with pytest.raises(UsageError) as raised:
        open_motion(**settings)
    assert str(raised.value) == f"{option}: is for detectors, not for --backend motion"


@pytest.mark.parametrize("backend", DETECTORS)
def test_a_detector_is_opened_by_its_own_module_alone(monkeypatch, backend):
    other = next(name for name in DETECTORS if name != backend)
    forbid(monkeypatch, DETECTORS[other])
    given = {}

    def opener(config, **options):
        given.update(options, config=config)
        return MotionSegmenter(config)

    module = type(sys)(f"{PACKAGE}.{DETECTORS[backend]}")
    setattr(module, f"{backend}_segmenter", opener)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    config = SegmentConfig(backend=backend, model="any", classes=("any",))
    assert open_segmenter(config, batch_size=3, device=CPU) == MotionSegmenter(config)
    assert given == {"config": config, "batch_size": 3, "device": CPU}


def test_the_backends_are_those_of_the_settings():
    assert set(get_args(Backend)) == {*DETECTORS, "motion"}
