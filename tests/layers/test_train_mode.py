import pytest
from torch import nn

from attncli.layers.train_mode import train_mode


def network() -> nn.Sequential:
    """Return layers in training, but for one norm within a block that is frozen."""
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.BatchNorm1d(2), nn.Dropout()))
    model[1][0].eval()
    return model


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


@pytest.mark.parametrize("training", [True, False])
def test_all_layers_are_in_the_mode_asked_for_and_then_each_in_its_own(training):
    model = network()
    before = modes(model)
    with train_mode(model, training=training):
        assert modes(model) == [training] * len(before)
    assert modes(model) == before == [True, True, True, False, True]


def test_modes_come_back_after_an_error():
    model = network()
    before = modes(model)
    with pytest.raises(RuntimeError, match="no memory"), train_mode(model, training=False):
        raise RuntimeError("no memory")
    assert modes(model) == before


def test_a_network_in_evaluation_is_in_evaluation_again_after_training():
    model = network().eval()
    with train_mode(model, training=True):
        assert all(modes(model))
    assert not any(modes(model))


def test_layers_within_one_another_and_used_twice_come_back():
    layer = nn.Dropout()
    model = nn.ModuleDict({"a": layer, "b": nn.Sequential(layer)})
    layer.eval()
    with train_mode(model, training=True), train_mode(model, training=False):
        assert not layer.training
    assert (model.training, layer.training) == (True, False)


def test_a_layer_put_in_meanwhile_keeps_the_mode_it_has():
    model = network()
    with train_mode(model, training=False):
        model.append(nn.Dropout().eval())
    assert modes(model) == [True, True, True, False, True, False]
