import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from attncli.backbones.segmenters.backends import open_segmenter
from attncli.backbones.segmenters.frames import SourceFrame
from attncli.config.segment import SegmentConfig
from attncli.errors import AttncliError, MissingDependencyError, UsageError

CPU = torch.device("cpu")
# detectron2 and fvcore import and call what newer releases of others deprecate.
pytestmark = pytest.mark.filterwarnings("ignore")


def needs_detectron2() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("detectron2.modeling", exc_type=ImportError)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the default model, as detectron2 saves them."""
    needs_detectron2()
    from detectron2.model_zoo import get_config
    from detectron2.modeling import build_model

    from attncli.backbones.segmenters.detectron2_masks import DEFAULT_MODEL

    settings = get_config(DEFAULT_MODEL)
    settings.MODEL.DEVICE = "cpu"
    path = tmp_path_factory.mktemp("weights") / "model_final.pth"
    torch.save({"model": build_model(settings).state_dict(), "iteration": 3}, path)
    return path


def test_saved_weights_segment_frames_at_their_own_size(weights):
    config = SegmentConfig(
        backend="detectron2", weights=weights, score_threshold=0.0, short_side_px=32
    )
    segmenter = open_segmenter(config, batch_size=2, device=CPU)
    pixels = np.random.default_rng(0).integers(0, 255, (3, 48, 60, 3), dtype=np.uint8)
    answers = list(segmenter.segment(SourceFrame(i, f, True) for i, f in enumerate(pixels)))
    assert [answer.frame for answer in answers] == [0, 1, 2]
    assert all(answer.union().shape == (48, 60) for answer in answers)
    assert any(answer.instances for answer in answers)


def test_weights_of_another_model_are_refused(weights, tmp_path):
    torch.save({"model": {"weight": torch.zeros(1)}}, tmp_path / "w.pth")
    config = SegmentConfig(backend="detectron2", weights=tmp_path / "w.pth")
    with pytest.raises(AttncliError, match=r"w\.pth: the weights are of another model"):
        open_segmenter(config, batch_size=1, device=CPU)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("mask_rcnn", "no such model: 'mask_rcnn'"),
        ("COCO-Detection/faster_rcnn_R_50_FPN_3x.yaml", "finds no masks"),
    ],
)
def test_models_without_masks_are_wrong_usage(model, message):
    needs_detectron2()
    with pytest.raises(UsageError, match=f"--model: .*{message}"):
        open_segmenter(SegmentConfig(backend="detectron2", model=model), batch_size=1, device=CPU)


def test_an_unknown_class_is_wrong_usage():
    needs_detectron2()
    config = SegmentConfig(backend="detectron2", classes=("persn",))
    with pytest.raises(UsageError, match="did you mean 'person'"):
        open_segmenter(config, batch_size=1, device=CPU)


def test_without_detectron2_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "detectron2.data", None)
    with pytest.raises(MissingDependencyError, match="use --backend torchvision"):
        open_segmenter(SegmentConfig(backend="detectron2"), batch_size=1, device=CPU)
