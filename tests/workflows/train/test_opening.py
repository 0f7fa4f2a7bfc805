from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from attncli.files.runs import load
from attncli.training.distributed import World
from attncli.training.loop import Progress
from attncli.workflows.train.opening import device_name, going_on, opening, particulars
from tests.support.runs import begin_run

CPU = torch.device("cpu")


@pytest.fixture
def run(tmp_path):
    """Return a run of 50 epochs with batches of 32 that was begun."""
    path = begin_run(tmp_path / "run", "abn", tmp_path / "data", epochs=50, batch_size=32)
    return load(path)


def splits(train, val, unit="clips"):
    """Return what stands for two splits of so many samples."""
    about = {
        "unit": unit,
        "origin_unit": "videos",
        "layout": "ucf101",
        "root": Path("data"),
        "classes": ("A", "B"),
        "notes": (),
    }
    sizes = {"train": train, "val": val}
    return {name: SimpleNamespace(**about, samples=range(n)) for name, n in sizes.items()}


def world(size=1, device=CPU):
    return World(rank=0, size=size, device=device)


def with_settings(run, **changes):
    return replace(run, config=replace(run.config, **changes))


def test_one_line_says_device_arithmetic_amounts_and_epochs(run, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert opening(with_settings(run, precision="bf16"), splits(9537, 3783), world()) == (
        "training abn on cpu (2 threads), bf16: 9,537 clips, 3,783 to validate,"
        " batches of 32, 50 epochs"
    )


def test_a_gpu_is_called_by_its_name(run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    gpu = torch.device("cuda:1")
    assert device_name(gpu) == "cuda:1 (NVIDIA H200)"
    said = opening(run, splits(1, 0, "images"), world(4, gpu))
    assert "on 4 processes, the first on cuda:1 (NVIDIA H200), fp32: 1 image, 0 to" in said


def test_parts_of_batches_are_said_where_there_are_some(run):
    said = opening(with_settings(run, accumulate=4, epochs=1), splits(2, 2), world())
    assert said.endswith("batches of 32 in 4 parts, 1 epoch")


@pytest.mark.parametrize(
    ("epoch", "step", "said"),
    [
        (13, 0, "going on with epoch 14 of 50"),
        (0, 3, "going on with epoch 1 of 50, after step 3"),
        (50, 0, "all 50 epochs are done"),
    ],
)
def test_it_is_said_where_a_training_goes_on(epoch, step, said):
    assert going_on(Progress(epoch=epoch, step=step), 50) == said


def test_particulars_are_all_settings_and_where_data_and_weights_come_from(run, tmp_path):
    data, weights, *settings = particulars(run, splits(2, 2))
    assert data == f"data: {tmp_path / 'data'}, layout ucf101"
    assert weights.startswith("weights: new; published ones in ")
    assert "setting: epochs = 50" in settings
    init = with_settings(run, init=tmp_path / "earlier")
    assert particulars(init, splits(2, 2))[1].startswith(f"weights: {tmp_path / 'earlier'};")
    run.directory.last_checkpoint_path.parent.mkdir()
    run.directory.last_checkpoint_path.touch()
    begun = particulars(init, splits(2, 2))[1]
    assert begun.startswith(f"weights: {run.directory.last_checkpoint_path};")
