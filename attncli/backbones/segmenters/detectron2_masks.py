"""Any instance segmentation model of detectron2's model zoo (Wu et al., 2019)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from attncli.backbones.segmenters.detection import Detections, DetectionSegmenter
from attncli.backbones.segmenters.detector_weights import load_exactly, read_detector
from attncli.backbones.segmenters.frames import check_classes
from attncli.config.segment import SegmentConfig
from attncli.errors import MissingDependencyError, UsageError
from attncli.files.downloads import published_file

DEFAULT_MODEL = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"


def detectron2_segmenter(
    config: SegmentConfig, *, batch_size: int, device: torch.device
) -> DetectionSegmenter:
    """Return the detector that `config` asks for, ready on `device`.

    Raises:
        MissingDependencyError: detectron2 is not installed.
        UsageError: There is no such model or class.
        AttncliError: The weights cannot be had, or are of another model.
    """
    try:
        from detectron2.data import MetadataCatalog
        from detectron2.data.transforms import ResizeShortestEdge
        from detectron2.model_zoo import get_checkpoint_url
        from detectron2.modeling import build_model
    except ImportError as error:
        raise MissingDependencyError(
            f"detectron2 cannot be imported ({error})",
            where="--backend detectron2",
            remedy="build it from github.com/facebookresearch/detectron2, "
            "or use --backend torchvision",
        ) from error
    name = config.model or DEFAULT_MODEL
    settings = _settings(name, config, device)
    categories = tuple(MetadataCatalog.get(settings.DATASETS.TRAIN[0]).thing_classes)
    check_classes(config.classes, categories)
    path = config.weights or published_file(get_checkpoint_url(name))
    model = build_model(settings)
    load_exactly(model, read_detector(path), where=str(path))
    model.eval()
    sides = [settings.INPUT.MIN_SIZE_TEST] * 2
    resize = ResizeShortestEdge(sides, settings.INPUT.MAX_SIZE_TEST)

    def detect(images: Sequence[UInt8[np.ndarray, "h w 3"]]) -> list[Detections]:
        answers = model([_input(image, resize, settings.INPUT.FORMAT) for image in images])
        found = [answer["instances"] for answer in answers]
        return [Detections(one.pred_classes, one.scores, one.pred_masks) for one in found]

    return DetectionSegmenter(detect, categories, config, batch_size)


def _settings(name: str, config: SegmentConfig, device: torch.device) -> Any:
    """Return the zoo's configuration; what scores too little is dropped before masks are pasted."""
    from detectron2.config import get_cfg
    from detectron2.model_zoo import get_config_file

    settings = get_cfg()
    try:
        settings.merge_from_file(get_config_file(name))
    except (RuntimeError, AssertionError, KeyError) as error:
        raise UsageError(
            f"no such model: {name!r} in detectron2's model zoo",
            where="--model",
            remedy=f"name a configuration such as {DEFAULT_MODEL}",
        ) from error
    if not settings.MODEL.MASK_ON:
        raise UsageError(
            f"{name} finds no masks", where="--model", remedy=f"use one such as {DEFAULT_MODEL}"
        )
    settings.MODEL.DEVICE = str(device)
    settings.MODEL.ROI_HEADS.SCORE_THRESH_TEST = config.score_threshold
    if config.short_side_px is not None:
        settings.INPUT.MIN_SIZE_TEST = config.short_side_px
    return settings


def _input(image: UInt8[np.ndarray, "h w 3"], resize: Any, channels: str) -> dict[str, Any]:
    """Return what the model takes: the resized image, and the size its masks are to have."""
    height, width = image.shape[:2]
    ordered = image if channels == "RGB" else image[:, :, ::-1]
    resized = resize.get_transform(ordered).apply_image(ordered)
    pixels = torch.as_tensor(np.ascontiguousarray(resized.transpose(2, 0, 1))).float()
    return {"image": pixels, "height": height, "width": width}
