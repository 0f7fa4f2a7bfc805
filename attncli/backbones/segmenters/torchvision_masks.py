"""Mask R-CNN as torchvision publishes it (He et al., ICCV 2017; Li et al., arXiv 2111.11429)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn
from torchvision.models import detection

from attncli.backbones.segmenters.detection import Detections, DetectionSegmenter
from attncli.backbones.segmenters.detector_weights import load_exactly, read_detector
from attncli.backbones.segmenters.frames import check_classes
from attncli.config.segment import SegmentConfig
from attncli.errors import UsageError
from attncli.files.downloads import published_file

PUBLISHED: dict[str, Any] = {
    "maskrcnn_resnet50_fpn_v2": detection.MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn": detection.MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
}
DEFAULT_MODEL = "maskrcnn_resnet50_fpn_v2"
MASK_THRESHOLD = 0.5  # torchvision's and detectron2's own


def torchvision_segmenter(
    config: SegmentConfig, *, batch_size: int, device: torch.device
) -> DetectionSegmenter:
    """Return the detector that `config` asks for, ready on `device`.

    Raises:
        UsageError: There is no such model or class.
        AttncliError: The weights cannot be had, or are of another model.
    """
    name = config.model or DEFAULT_MODEL
    if name not in PUBLISHED:
        raise UsageError(
            f"no such model of torchvision: {name!r}",
            where="--model",
            remedy=f"use {' or '.join(PUBLISHED)}",
        )
    published = PUBLISHED[name]
    categories = tuple(published.meta["categories"])
    check_classes(config.classes, categories[1:])
    path = config.weights or published_file(published.url)
    model = _build(name, config, n_classes=len(categories))
    load_exactly(model, read_detector(path), where=str(path))
    model.eval().to(device)

    def detect(images: Sequence[UInt8[np.ndarray, "h w 3"]]) -> list[Detections]:
        batch = torch.from_numpy(np.stack(images)).to(device).permute(0, 3, 1, 2)
        answers = model(list(batch.float() / 255))
        return [
            Detections(answer["labels"], answer["scores"], answer["masks"][:, 0] > MASK_THRESHOLD)
            for answer in answers
        ]

    return DetectionSegmenter(detect, categories, config, batch_size)


def _build(name: str, config: SegmentConfig, *, n_classes: int) -> nn.Module:
    """Return the network; it drops what scores too little before it pastes masks, to save time."""
    sides = {} if config.short_side_px is None else {"min_size": config.short_side_px}
    model: nn.Module = getattr(detection, name)(
        weights=None,
        weights_backbone=None,
        num_classes=n_classes,
        box_score_thresh=config.score_threshold,
        **sides,
    )
    if name == "maskrcnn_resnet50_fpn":  # its published weights were trained without this term
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 0.0
    return model
