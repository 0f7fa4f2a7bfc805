import pytest
import torch
from torch import nn

from attncli.layers.recomputation import recomputed
from attncli.layers.synchronized_norm import SynchronizedBatchNorm


def layers(norm: type[nn.BatchNorm3d] = nn.BatchNorm3d, **options) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(3, 4, 1), norm(4, **options), nn.ReLU(), nn.Conv3d(4, 2, 1))


def answer_and_gradients(model: nn.Module, *, recompute: bool) -> list[torch.Tensor]:
    x = torch.randn((2, 3, 2, 4, 4), generator=torch.Generator().manual_seed(1), requires_grad=True)
    for _ in range(2):
        y = recomputed(model, x, layer=model) if recompute else model(x)
        y.square().sum().backward()
    return [y, x.grad, *(parameter.grad for parameter in model.parameters())]


@pytest.mark.parametrize("norm", [nn.BatchNorm3d, SynchronizedBatchNorm])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", [{}, {"momentum": None}, {"track_running_stats": False}])
def test_training_is_the_same_bit_for_bit(norm, training, options):
    kept, twice = (layers(norm, **options).train(training) for _ in range(2))
    expected = answer_and_gradients(kept, recompute=False)
    for got, value in zip(answer_and_gradients(twice, recompute=True), expected, strict=True):
        assert torch.equal(got, value)
    for key, value in kept.state_dict().items():
        assert torch.equal(twice.state_dict()[key], value)


def test_the_layer_has_its_own_statistics_afterwards():
    model = layers()
    before = dict(model.named_buffers())
    answer_and_gradients(model, recompute=True)
    assert all(buffer is before[name] for name, buffer in model.named_buffers())


def test_an_error_in_the_second_pass_leaves_the_statistics_in_their_place():
    model, passes = layers(), []
    before = dict(model.named_buffers())

    def fails_later(x: torch.Tensor) -> torch.Tensor:
        passes.append(x)
        if len(passes) > 1:
            raise ValueError
        return model(x)

    with pytest.raises(ValueError):
        recomputed(fails_later, torch.zeros(2, 3, 2, 4, 4), layer=model).sum().backward()
    assert all(buffer is before[name] for name, buffer in model.named_buffers())


def test_only_what_goes_in_is_kept():
    model, x = layers(), torch.randn(2, 3, 2, 4, 4)
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        recomputed(model, x, layer=model)
    assert sum(tensor.numel() for tensor in kept) <= x.numel()


def test_without_gradients_it_is_the_computation_alone():
    model, x = layers(), torch.randn(2, 3, 2, 4, 4)
    with torch.no_grad():
        y = recomputed(model, x, layer=model)
    assert y.grad_fn is None
    assert model[1].num_batches_tracked == 1
