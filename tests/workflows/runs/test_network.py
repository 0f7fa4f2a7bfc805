from pathlib import Path

import pytest
import torch

from attncli import catalog
from attncli.config.object_abn import AbnConfig
from attncli.errors import AttncliError
from attncli.files.checkpoints import write_weights
from attncli.files.runs import Run, create
from attncli.workflows.runs.network import (
    open_network,
    require_attention,
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    sizes = {"width_factor": 0.5, "depth_factor": 0.3, "frames": 2}
    config = AbnConfig(data=tmp_path, weights="none", **sizes)
    return create(tmp_path / "abn", config, "abn", ["Hop", "Run"], {})


def network(run: Run, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    model = catalog.load(catalog.method(run.method).build)(run.config, len(run.classes)).model
    return model.eval()


def test_the_network_answers_as_the_one_that_was_saved(run: Run, tmp_path: Path) -> None:
    frames = torch.randint(0, 256, (1, 3, 2, 32, 32), dtype=torch.uint8)
    for seed, weights in ((0, None), (1, tmp_path / "other.safetensors")):
        saved = network(run, seed)
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
