from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from attncli.backbones.weights import load_state, read_state
from attncli.errors import AttncliError


class Classifier(nn.Module):
    def __init__(self, n_classes: int = 3) -> None:
        super().__init__()
        self.features = nn.Linear(4, 5)
        self.proj = nn.Linear(5, n_classes)


def state(n_classes: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return Classifier(n_classes).state_dict()


def load(model: Classifier, weights: dict[str, torch.Tensor]) -> tuple[str, ...]:
    return load_state(model, weights, where=Path("a.pt"), classifier="proj.")


def test_every_key_is_loaded():
    model = Classifier()
    assert load(model, state()) == ()
    for key, value in state().items():
        torch.testing.assert_close(model.state_dict()[key], value)


def test_a_classifier_of_other_classes_stays_and_is_named():
    model = Classifier(7)
    before = model.proj.weight.clone()
    assert load(model, state()) == ("proj.bias", "proj.weight")
    torch.testing.assert_close(model.proj.weight, before)
    torch.testing.assert_close(model.features.weight, state()["features.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("features.bias"), r"missing: features\.bias"),
        (lambda s: s.update(extra=torch.zeros(1)), "unexpected: extra"),
        (lambda s: s.update({"features.bias": torch.zeros(2)}), r"another shape: features\.bias"),
        (lambda s: s.update({f"x{i}": torch.zeros(1) for i in range(5)}), "x0, x1, x2 and 2 more"),
        (lambda s: s.pop("proj.bias"), r"missing: proj\.bias"),
    ],
)
def test_foreign_weights_are_refused_and_the_first_keys_named(change, message):
    weights = dict(state())
    change(weights)
    model = Classifier()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(AttncliError, match=f"a.pt: .*{message}"):
        load(model, weights)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"model_state": s}])
def test_a_state_dict_is_found_bare_or_as_published(tmp_path, wrap):
    path = tmp_path / "weights.pyth"
    torch.save(wrap(state()), path)
    assert read_state(path).keys() == state().keys()


def test_safetensors_are_read(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(state(), path)
    assert read_state(path).keys() == state().keys()


def test_counters_of_batches_may_be_missing():
    model = nn.BatchNorm1d(3)
    weights = {key: value for key, value in model.state_dict().items() if value.ndim}
    assert load_state(model, weights, where=Path("a.pt"), classifier="proj.") == ()
    assert model.num_batches_tracked == 0
    del weights["running_var"]
    with pytest.raises(AttncliError, match=r"\(missing: running_var\)"):
        load_state(model, weights, where=Path("a.pt"), classifier="proj.")


@pytest.mark.parametrize("content", [{"model": [1]}, [torch.ones(1)], {}, {"model": {"w": 1}}])
def test_anything_but_tensors_by_name_is_no_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(AttncliError, match="holds no state-dict"):
        read_state(tmp_path / "weights.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AttncliError, match=r"none\.pt: no such file; give --weights"):
        read_state(tmp_path / "none.pt")
