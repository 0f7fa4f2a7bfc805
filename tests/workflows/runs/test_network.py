from pathlib import Path

import pytest
import torch

from attncli.errors import AttncliError
from attncli.files.checkpoints import write_weights
from attncli.files.runs import Run, RunDirectory, load
from attncli.workflows.runs.network import open_network, require_attention, require_same_classes
from tests.support.batches import clip_batch
from tests.support.networks import build
from tests.support.runs import begin_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return load(begin_run(tmp_path / "abn", "abn", tmp_path, ("Hop", "Run")))


def test_the_network_answers_as_the_one_that_was_saved(run: Run, tmp_path: Path) -> None:
    frames = clip_batch(1, shape=(4, 32, 32)).frames
    for seed, weights in ((0, None), (1, tmp_path / "other.safetensors")):
        saved = build(run.method, run.config, len(run.classes), seed=seed).model.eval()
        write_weights(weights or run.directory.weights_path, saved, {})
        opened = open_network(run, weights=weights, device=torch.device("cpu"))
        assert not opened.training
        with torch.inference_mode():
            torch.testing.assert_close(opened(frames).scores, saved(frames).scores)


def test_a_run_without_weights_says_so(run: Run) -> None:
    with pytest.raises(AttncliError, match=r"model\.safetensors: no such weights"):
        open_network(run, device=torch.device("cpu"))


def test_a_network_with_spatial_attention_alone_is_not_taken_for_one_with_both(run: Run) -> None:
    require_attention(run, "spatial")
    with pytest.raises(AttncliError, match="abn has no temporal attention; name a run of st-abn"):
        require_attention(run, "temporal")


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        (("a", "c"), "class 2 is 'c' here and 'b' in run"),
        (("a",), "class 2 is missing here and 'b' in run"),
        (("a", "b", "c"), "class 3 is 'c' here and missing in run"),
    ],
)
def test_data_of_other_classes_are_refused_by_the_first_one(classes, what):
    run = Run(RunDirectory(Path("run")), "cam", None, ("a", "b"))
    require_same_classes(run, ("a", "b"), Path("data"))
    require_same_classes(run, (), Path("data"))
    with pytest.raises(AttncliError, match=f"data: {what}; use data"):
        require_same_classes(run, classes, Path("data"))
