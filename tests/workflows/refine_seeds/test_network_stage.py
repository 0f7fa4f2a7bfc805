from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.files.runs import Run, RunDirectory
from attncli.training.distributed import World
from attncli.workflows.refine_seeds import network_stage
from attncli.workflows.refine_seeds.network_stage import NetworkStage
from attncli.workflows.refine_seeds.refinement import Stage

CPU = torch.device("cpu")


class Noting(NetworkStage):
    """Notes what it is asked to write; nothing can be made of image `b`."""

    name = "noting"

    def write(self, network, sample, out, device) -> None:
        if sample.id == "b":
            raise AttncliError("is no seed", where=sample.path)
        (out / sample.id).write_text(f"{network} {device}")


@pytest.fixture
def stage(tmp_path: Path) -> Noting:
    (tmp_path / "w").write_bytes(b"weights")
    run = Run(RunDirectory(tmp_path), "psa", SimpleNamespace(), ())
    return Noting(None, {}, run, tmp_path / "w")


def test_images_are_taken_one_by_one_and_what_fails_is_named(
    stage: Noting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_stage, "open_network", lambda run, weights, device: "network")
    samples = [ImageSample(name, Path(f"{name}.jpg"), None) for name in "abc"]
    done = stage.refine(samples, tmp_path, workers=3, world=World(0, 1, CPU))
    assert next(done) is None
    assert (tmp_path / "a").read_text() == "network cpu"
    assert not (tmp_path / "c").exists()
    failed, last = done
    assert (failed.id, failed.path, failed.error, last) == (
        "b",
        "b.jpg",
        "b.jpg: is no seed",
        None,
    )


def test_it_is_a_stage_that_names_its_weights(stage: Noting) -> None:
    assert isinstance(stage, Stage)
    # printf weights | sha256sum
    assert stage.parents["weights"].startswith("9a129038")
