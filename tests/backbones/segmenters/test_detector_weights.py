import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from attncli.backbones.segmenters.detector_weights import load_exactly, read_detector
from attncli.errors import AttncliError


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_checkpoint_is_read(tmp_path, wrapped):
    state = model().state_dict()
    torch.save({"model": state} if wrapped else state, tmp_path / "w.pth")
    assert read_detector(tmp_path / "w.pth").keys() == state.keys()


def test_a_pickle_of_arrays_is_read(tmp_path):
    state = {key: value.numpy() for key, value in model().state_dict().items()}
    content = {"model": state, "__author__": "someone"}
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(content))
    read = read_detector(tmp_path / "w.pkl")
    for key, value in state.items():
        np.testing.assert_array_equal(read[key].numpy(), value)


@pytest.mark.parametrize("name", ["w.pkl", "w.pth"])
def test_a_pickle_with_code_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps({"model": {"weight": Trap()}}, protocol=2))
    with pytest.raises(AttncliError, match=rf"{name}: refused"):
        read_detector(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x04", pickle.dumps([1]), pickle.dumps({"a": 1})])
def test_what_is_no_pickle_of_arrays_is_named(tmp_path, content):
    (tmp_path / "w.pkl").write_bytes(content)
    with pytest.raises(AttncliError, match=r"w\.pkl: "):
        read_detector(tmp_path / "w.pkl")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AttncliError, match=r"none\.pkl: no such file"):
        read_detector(tmp_path / "none.pkl")


def test_all_keys_must_be_there_but_for_those_never_learned():
    state = {k: v + 1 for k, v in model().state_dict().items() if "num_batches" not in k}
    loaded = model()
    load_exactly(loaded, state | {"pixel_mean": torch.zeros(3)}, where="w")
    assert torch.equal(loaded[0].weight, state["0.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("0.bias"), "missing: 0.bias"),
        (lambda state: state.update({"2.bias": torch.zeros(3)}), "unexpected: 2.bias"),
        (lambda state: state.update({"0.bias": torch.zeros(4)}), "size mismatch for 0.bias"),
    ],
)
def test_weights_of_another_model_are_refused_by_key(change, message):
    state = dict(model().state_dict())
    change(state)
    with pytest.raises(AttncliError, match=f"w: the weights are of another model .*{message}"):
        load_exactly(model(), state, where="w")
