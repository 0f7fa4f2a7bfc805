from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision.models import detection

from attncli.backbones.segmenters.backends import open_segmenter
from attncli.backbones.segmenters.detection import Detections
from attncli.backbones.segmenters.frames import SourceFrame
from attncli.backbones.segmenters.torchvision_masks import PUBLISHED
from attncli.config.segment import SegmentConfig
from attncli.errors import AttncliError, UsageError

MODELS = tuple(PUBLISHED)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random weights of both models, as their published files are: one state-dict each."""
    torch.manual_seed(0)
    paths = {name: tmp_path_factory.mktemp("weights") / f"{name}.pth" for name in MODELS}
    for name, path in paths.items():
        model = getattr(detection, name)(weights=None, weights_backbone=None)
        torch.save(model.state_dict(), path)
    return paths


def open_model(weights: dict[str, Path], name: str, **options):
    config = SegmentConfig(
        model=name, weights=weights[name], score_threshold=0.0, short_side_px=32, **options
    )
    return open_segmenter(config, batch_size=2, device=CPU)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_saved_weights_segment_frames_at_their_own_size(weights, name):
    segmenter = open_model(weights, name)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (2, 48, 60, 3), dtype=np.uint8)
    frames = [SourceFrame(i, frame, is_wanted=True) for i, frame in enumerate(pixels)]
    answers = list(segmenter.segment(frames))
    assert [answer.frame for answer in answers] == [0, 1]
    for answer in answers:
        assert answer.size_hw == (48, 60)
        assert answer.union().shape == (48, 60)
        for instance in answer.instances:
            assert 0 <= instance.score <= 1
            assert instance.category in PUBLISHED[name].meta["categories"]


@pytest.mark.slow
def test_answers_are_those_of_the_stock_model(weights):
    # The oracle is torchvision's model called as its documentation says.
    name = "maskrcnn_resnet50_fpn_v2"
    stock = getattr(detection, name)(
        weights=None, weights_backbone=None, min_size=32, box_score_thresh=0.0
    )
    stock.load_state_dict(torch.load(weights[name], weights_only=True))
    stock.eval()
    image = np.random.default_rng(1).integers(0, 255, (48, 60, 3), dtype=np.uint8)
    with torch.inference_mode():
        (theirs,) = stock([torch.from_numpy(image).permute(2, 0, 1) / 255])
        (ours,) = open_model(weights, name).detect([image])
    assert isinstance(ours, Detections)
    torch.testing.assert_close(ours.scores, theirs["scores"])
    assert torch.equal(ours.labels, theirs["labels"])
    assert torch.equal(ours.masks, theirs["masks"][:, 0] > 0.5)


def test_weights_of_the_other_model_are_refused(weights):
    swapped = {MODELS[0]: weights[MODELS[1]]}
    with pytest.raises(AttncliError, match=r"\.pth: the weights are of another model .*--model"):
        open_model(swapped, MODELS[0])


def test_the_published_weights_of_the_first_version_load_without_counters(weights, tmp_path):
    # The published file was saved with frozen normalisation, which keeps no counters.
    name = "maskrcnn_resnet50_fpn"
    state = torch.load(weights[name], weights_only=True)
    frozen = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    torch.save(frozen, tmp_path / "frozen.pth")
    open_model({name: tmp_path / "frozen.pth"}, name)


def test_without_a_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(AttncliError, match=r"maskrcnn.*cannot be downloaded.*pass --weights FILE"):
        open_segmenter(SegmentConfig(), batch_size=1, device=CPU)


def test_unknown_models_and_classes_are_wrong_usage():
    with pytest.raises(UsageError, match="--model: no such model of torchvision: 'r50'"):
        open_segmenter(SegmentConfig(model="r50"), batch_size=1, device=CPU)
    with pytest.raises(UsageError, match=r"no such class: 'persn'; did you mean 'person'"):
        open_segmenter(SegmentConfig(classes=("persn",)), batch_size=1, device=CPU)
