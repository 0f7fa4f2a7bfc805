import numpy as np
import pytest
import torch

from attncli.methods.ssdd.difference_network import DifferenceNetwork, one_hot

LABELS = 4


def network(width: int = 6) -> DifferenceNetwork:
    torch.manual_seed(0)
    return DifferenceNetwork(5, 3, n_labels=LABELS, width=width)


def features(size_hw: tuple[int, int] = (7, 9)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(2, c, *size_hw, generator=generator) for c in (5, 3))


def mask(size_hw: tuple[int, int] = (7, 9)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(LABELS, (2, *size_hw), dtype=torch.uint8, generator=generator)


def naive(net: DifferenceNetwork, hidden, low, labels) -> np.ndarray:
    """Return the answer in evaluation, cell by cell, as the paper's network is described."""
    state = {key: value.double().numpy() for key, value in net.state_dict().items()}

    def norm(y, name):
        root = np.sqrt(state[f"{name}.running_var"] + 1e-3)
        scaled = (y - state[f"{name}.running_mean"]) / root
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def point(y, name):
        return y @ state[f"{name}.weight"][:, :, 0, 0].T

    def look(y, name):
        padded = np.pad(y, ((1, 1), (1, 1), (0, 0)), mode="reflect")
        out = 0
        for row in range(3):
            for column in range(3):
                tap = state[f"{name}.weight"][:, :, row, column]
                out = out + padded[row : row + len(y), column : column + y.shape[1]] @ tap.T
        return out

    def rectified(y):
        return np.maximum(y, 0)

    answers = []
    for high, edges, label in zip(hidden.numpy(), low.numpy(), labels.numpy(), strict=True):
        x = np.moveaxis(np.concatenate((high, edges)).astype(np.float64), 0, -1)
        image = rectified(norm(look(x, "see_image.conv"), "see_image.norm"))
        binary = np.stack([label == c for c in range(LABELS)], -1).astype(np.float64)
        seen = rectified(norm(point(binary, "see_mask.conv"), "see_mask.norm"))
        both = np.concatenate((image, seen), -1)
        y = rectified(norm(point(both, "compare.narrow.conv"), "compare.narrow.norm"))
        y = rectified(norm(look(y, "compare.look.conv"), "compare.look.norm"))
        y = norm(point(y, "compare.widen"), "compare.widen_norm")
        y = rectified(y + norm(point(both, "compare.project"), "compare.project_norm"))
        answers.append(point(y, "answer")[..., 0])
    return np.stack(answers)


def test_it_answers_as_described_layer_by_layer():
    net = network()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_()
    hidden, low = features()
    labels = mask()
    labels[0, :3] = 255
    with torch.no_grad():
        got = net.eval()(net.image_part(hidden, low), labels)
    np.testing.assert_allclose(got.numpy(), naive(net, hidden, low, labels), rtol=1e-4, atol=1e-5)


def test_it_learns_and_the_features_do_not():
    net = network()
    hidden, low = (value.requires_grad_() for value in features())
    net(net.image_part(hidden, low), mask()).square().mean().backward()
    assert hidden.grad is None
    assert low.grad is None
    for name, weight in net.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.any(), name


def test_the_image_part_serves_both_masks():
    net = network().eval()
    shared = net.image_part(*features())
    one, other = mask(), mask().flip(0)
    with torch.no_grad():
        for labels in (one, other):
            torch.testing.assert_close(
                net(shared, labels), net(net.image_part(*features()), labels)
            )
    assert not torch.equal(net(shared, one), net(shared, other))


def test_a_mask_is_one_channel_a_label_and_none_where_it_is_ignored():
    labels = torch.tensor([[[0, 3, 255, 1]]], dtype=torch.uint8)
    expected = [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert one_hot(labels, 4)[0, :, 0].T.tolist() == expected


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 5), (112, 2)])
def test_grids_of_any_size_are_answered(size_hw):
    net = network().eval()
    assert net(net.image_part(*features(size_hw)), mask(size_hw)).shape == (2, *size_hw)


def test_channels_are_the_papers_unless_others_are_asked_for():
    with torch.device("meta"):
        net = DifferenceNetwork(512, 128, n_labels=21)
    shapes = {name: tuple(weight.shape) for name, weight in net.named_parameters()}
    assert shapes["see_image.conv.weight"] == (256, 640, 3, 3)
    assert shapes["see_mask.conv.weight"] == (256, 21, 1, 1)
    assert shapes["compare.narrow.conv.weight"] == (256, 512, 1, 1)
    assert shapes["compare.project.weight"] == (256, 512, 1, 1)
    assert shapes["answer.weight"] == (1, 256, 1, 1)
    assert not any(name.endswith("bias") and "norm" not in name for name in shapes)


def test_layers_start_as_rectified_ones_should():
    torch.manual_seed(0)
    net = DifferenceNetwork(24, 8, n_labels=21, width=64)
    for layer, fan_in in ((net.see_image.conv, 32 * 9), (net.compare.look.conv, 64 * 9)):
        assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)


def test_frozen_norms_stay_frozen_in_training():
    net = network()
    net.freeze_norms()
    net.train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net(net.image_part(*features()), mask())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
