"""Which backend segments, by its name."""

import torch

from attncli.backbones.segmenters.frames import Segmenter, check_classes
from attncli.backbones.segmenters.motion import CATEGORY, MotionSegmenter
from attncli.config.segment import SegmentConfig
from attncli.errors import UsageError


def open_segmenter(config: SegmentConfig, *, batch_size: int, device: torch.device) -> Segmenter:
    """Return the segmenter that `config` asks for, ready on `device`.

    Args:
        config: Backend, weights, and which instances are kept.
        batch_size: Frames a detector takes in one pass.
        device: Where a detector computes; motion is found on the CPU.

    Raises:
        MissingDependencyError: The backend is not installed.
        UsageError: There is no such model or class.
        AttncliError: The weights cannot be had, or are of another model.
    """
    if config.backend == "torchvision":
        from attncli.backbones.segmenters.torchvision_masks import torchvision_segmenter

        return torchvision_segmenter(config, batch_size=batch_size, device=device)
    if config.backend == "detectron2":
        from attncli.backbones.segmenters.detectron2_masks import detectron2_segmenter

        return detectron2_segmenter(config, batch_size=batch_size, device=device)
    check_classes(config.classes, [CATEGORY])
    for option, value in (("--model", config.model), ("--weights", config.weights)):
        if value is not None:
            raise UsageError("is for detectors, not for --backend motion", where=option)
    return MotionSegmenter(config)
