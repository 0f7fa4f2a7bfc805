import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from attncli.errors import AttncliError
from attncli.methods.svd_fc import mpn_cbp as module
from attncli.methods.svd_fc.mpn_cbp import fuse_maps, mpn_cbp, power_rows
from attncli.methods.svd_fc.tensor_sketch import TensorSketch

WIDE, SQUARE, TALL = (5, 12), (8, 8), (12, 5)
"""Fewer positions than channels, as many, and more."""


def random(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Values as after a ReLU."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).relu()


def bilinear_power(features: Tensor, power: float) -> np.ndarray:
    """(A'A)^p from the c x c matrix, as one would write it down."""
    x = features.double().numpy()
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    values[values < 1e-12 * values.max()] = 0  # nothing but rounding
    return (vectors * values**power) @ vectors.T


@pytest.mark.parametrize("size", [WIDE, SQUARE, TALL])
@pytest.mark.parametrize("power", [0.25, 0.5, 0.8, 1.0])
def test_bilinear_feature_of_rows_is_the_power_of_that_of_the_map(size, power):
    features = random(0, (3, *size))
    for x, y in zip(features, power_rows(features, power=power), strict=True):
        assert (y.T @ y).numpy() == pytest.approx(bilinear_power(x, power), abs=1e-10)


@pytest.mark.parametrize("size", [WIDE, SQUARE, TALL])
def test_square_root_times_itself_is_the_plain_bilinear_feature(size):
    features = random(1, (1, *size))
    y = power_rows(features)[0]
    root = y.T @ y
    a = features[0].double() / size[0] ** 0.5
    torch.testing.assert_close(root @ root, a.T @ a, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [WIDE, TALL])
def test_rows_are_those_of_the_singular_value_decomposition(size):
    features = random(2, (1, *size))
    u, s, vt = np.linalg.svd(features[0].double().numpy() / size[0] ** 0.5, full_matrices=False)
    assert power_rows(features)[0].numpy() == pytest.approx((u * s**0.5) @ vt, abs=1e-7)


def test_power_one_is_plain_bilinear_pooling():
    features = random(3, (1, *WIDE))
    torch.testing.assert_close(power_rows(features, power=1.0), features.double() / 5**0.5)


def test_both_eigenproblems_agree():
    # Channels of zeros make a tall map wide, and change no product of the others.
    features = random(4, (1, *TALL))
    wide = power_rows(functional.pad(features, (0, 20)))
    torch.testing.assert_close(wide[:, :, :5], power_rows(features), rtol=0, atol=1e-7)
    assert wide[:, :, 5:].abs().max() == 0


@pytest.mark.parametrize("size", [WIDE, SQUARE, TALL])
def test_rows_to_sketch_are_the_fewest_of_the_same_bilinear_feature(size):
    features = random(5, (2, *size))
    rows, fewest = power_rows(features), module._fewest_rows(features, 0.5)
    assert fewest.shape[1] == min(size)
    torch.testing.assert_close(fewest.mT @ fewest, rows.mT @ rows, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [WIDE, SQUARE, TALL])
def test_equal_and_empty_positions_are_finite(size):
    first = random(6, (1, 1, size[1])) + 0.1
    features = first.repeat(1, size[0], 1)  # of rank 1
    y = power_rows(features)[0]
    x = first[0, 0].double()
    expected = x[:, None] * x / x.norm()  # (x x')^(1/2)
    torch.testing.assert_close(y.T @ y, expected, rtol=0, atol=1e-7)
    assert (power_rows(torch.zeros_like(features)) == 0).all()
    sketch = TensorSketch.draw(size[1], 40, seed=0)
    assert (mpn_cbp(torch.zeros(1, size[1], 2, 3), sketch) == 0).all()


def test_one_position_is_a_scaling_that_the_length_takes_back():
    x = torch.randn(4, 9, generator=torch.Generator().manual_seed(7))
    rows = power_rows(x[:, None])[:, 0]
    expected = x.double() / x.double().norm(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(rows, expected)
    sketch = TensorSketch.draw(9, 40, seed=0)
    half, one = (mpn_cbp(x, sketch, power=power) for power in (0.5, 1.0))
    torch.testing.assert_close(half, one)
    torch.testing.assert_close(mpn_cbp(x[:, :, None, None], sketch), half, rtol=0, atol=0)


def test_by_hand_of_one_position():
    # y = (3, 4) / sqrt 5; y y' = [[9, 12], [12, 16]] / 5, to places 0, 1; 1, 2 of 3, signs + -.
    sketch = TensorSketch(np.array([[0, 1], [0, 1]]), np.array([[1, 1], [1, -1]], np.int8), 3)
    plain = mpn_cbp(torch.tensor([[3.0, 4.0]]), sketch, normalize=False)
    assert plain[0].tolist() == pytest.approx([9 / 5, (12 - 12) / 5, -16 / 5], abs=1e-6)
    normalized = mpn_cbp(torch.tensor([[3.0, 4.0]]), sketch)
    assert normalized[0].tolist() == pytest.approx([3 / 5, 0, -4 / 5], abs=1e-6)


def test_normalization_is_signed_roots_of_length_one():
    maps, sketch = random(8, (3, 30, 4, 4)), TensorSketch.draw(30, 100, seed=0)
    plain, normalized = (mpn_cbp(maps, sketch, normalize=each) for each in (False, True))
    expected = plain.sign() * plain.abs().sqrt()
    expected /= expected.norm(dim=1, keepdim=True)
    torch.testing.assert_close(normalized, expected, rtol=1e-5, atol=1e-7)
    assert (normalized < 0).any()
    for factor in (1e-12, 1e6):
        torch.testing.assert_close(mpn_cbp(maps * factor, sketch), normalized, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [(200, 5, 5), (20, 6, 6)])
def test_inner_products_estimate_those_of_exact_features(size):
    # Two images that share half of what they show.
    common = random(9, (1, *size))
    maps = torch.cat([common + random(seed, (1, *size)) for seed in (10, 11)])
    first, second = (bilinear_power(each.flatten(1).T, 0.5) for each in maps)
    exact, spread = (first * second).sum(), {}
    for dim in (1000, 16_000):
        estimates = []
        for seed in range(20):
            sketch = TensorSketch.draw(size[0], dim, seed=seed)
            z = mpn_cbp(maps, sketch, normalize=False).double()
            estimates.append(float(z[0] @ z[1]))
        spread[dim] = np.std(estimates, ddof=1)
        assert abs(np.mean(estimates) - exact) < 2 * spread[dim] / 20**0.5
    assert spread[1000] >= 3 * spread[16_000]


@pytest.mark.parametrize("size", [(60, 4, 4), (10, 5, 5)])
@pytest.mark.parametrize("at_once", [1, 2**18])
def test_batches_of_any_size_give_the_same(size, at_once, monkeypatch):
    monkeypatch.setattr(module, "VALUES_AT_ONCE", at_once)
    maps, sketch = random(12, (7, *size)), TensorSketch.draw(size[0], 500, seed=0)
    one_by_one = torch.cat([mpn_cbp(each[None], sketch) for each in maps])
    torch.testing.assert_close(mpn_cbp(maps, sketch), one_by_one, rtol=0, atol=1e-5)
    memory = maps.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(mpn_cbp(memory, sketch), one_by_one, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_numbers_are_widened_first(dtype):
    maps, sketch = random(13, (2, 30, 4, 4)).to(dtype), TensorSketch.draw(30, 100, seed=0)
    pooled = mpn_cbp(maps, sketch)
    assert pooled.dtype == torch.float32
    assert torch.equal(pooled, mpn_cbp(maps.double(), sketch))
    fused = fuse_maps([maps, maps[:, :, :2, :2]], [1.0, 2.0])
    assert torch.equal(fused, fuse_maps([maps.float(), maps[:, :, :2, :2].float()], [1.0, 2.0]))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("size", [(30, 4, 4), (10, 5, 5), (10,)])
@pytest.mark.parametrize("normalize", [False, True])
def test_what_is_not_finite_spoils_its_own_image_visibly(value, size, normalize):
    maps, sketch = random(14, (3, *size)), TensorSketch.draw(size[0], 100, seed=0)
    expected = mpn_cbp(maps, sketch, normalize=normalize)
    maps[1, 3] = value
    pooled = mpn_cbp(maps, sketch, normalize=normalize)
    assert pooled[1].isnan().all()
    torch.testing.assert_close(pooled[[0, 2]], expected[[0, 2]], rtol=0, atol=1e-6)


def test_no_image_gives_no_feature():
    sketch = TensorSketch.draw(6, 20, seed=0)
    assert mpn_cbp(torch.zeros(0, 6, 2, 2), sketch).shape == (0, 20)


def test_another_number_of_channels_is_told():
    with pytest.raises(AttncliError, match="for 5 channels, these features have 6"):
        mpn_cbp(torch.ones(1, 6, 2, 2), TensorSketch.draw(5, 20, seed=0))


def test_maps_of_one_grid_are_scaled_and_stand_one_after_another():
    maps = [random(15, (2, 3, 4, 5)), random(16, (2, 1, 4, 5)), random(17, (2, 2, 4, 5))]
    fused = fuse_maps(maps, [1.0, 2.0, 0.5])
    assert torch.equal(fused, torch.cat([maps[0], 2 * maps[1], maps[2] / 2], dim=1))


def test_maps_of_other_grids_are_interpolated_to_the_most_rows_and_columns():
    coarse = torch.tensor([[[[0.0, 4.0]]]])  # 1 x 2, to 2 x 4: at -0.25, 0.25, 0.75, 1.25
    fused = fuse_maps([coarse, torch.ones(1, 2, 2, 4)], [0.5, 1.0])
    assert fused.shape == (1, 3, 2, 4)
    assert fused[0, 0].tolist() == [[0.0, 0.5, 1.5, 2.0]] * 2
    assert (fused[0, 1:] == 1).all()
    crossed = fuse_maps([torch.ones(1, 1, 3, 2), torch.ones(1, 1, 2, 5)], [1.0, 3.0])
    assert crossed.shape == (1, 2, 3, 5)
    assert crossed.unique().tolist() == [1.0, 3.0]


def test_a_scale_is_needed_for_every_map():
    with pytest.raises(ValueError, match="shorter"):
        fuse_maps([torch.ones(1, 1, 2, 2)] * 2, [1.0])
