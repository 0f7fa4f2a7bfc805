from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from attncli.errors import AttncliError
from attncli.methods.svd_fc import tensor_sketch
from attncli.methods.svd_fc.tensor_sketch import TensorSketch


def rows_of(seed: int, shape: tuple[int, ...] = (2, 4, 6)) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reference_sketch(rows: Tensor, sketch: TensorSketch) -> np.ndarray:
    """The sketch of Y'Y as its definition has it: each product goes to the sum of two places."""
    z = np.zeros(sketch.dim)
    for y in rows.numpy():
        for i, j in product(range(len(y)), repeat=2):
            place = (sketch.hashes[0, i] + sketch.hashes[1, j]) % sketch.dim
            z[place] += int(sketch.signs[0, i]) * int(sketch.signs[1, j]) * y[i] * y[j]
    return z


@pytest.mark.parametrize("dim", [1, 2, 8, 11, 50])
def test_every_product_goes_to_the_sum_of_its_channels_places(dim):
    rows, sketch = rows_of(0), TensorSketch.draw(6, dim, seed=1)
    expected = np.stack([reference_sketch(each, sketch) for each in rows])
    assert sketch(rows).numpy() == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    # y y' = [[4, 6], [6, 9]]; to places 0+1, 0+2; 2+1 = 0, 2+2 = 1 of 3; signs +-, --.
    sketch = TensorSketch(np.array([[0, 2], [1, 2]]), np.array([[1, -1], [-1, -1]], np.int8), 3)
    z = sketch(torch.tensor([[[2.0, 3.0]]]))
    assert z[0].tolist() == pytest.approx([6.0, -4.0 + 9.0, -6.0])


def test_summing_in_fourier_space_is_summing_sketches():
    rows, sketch = rows_of(2), TensorSketch.draw(6, 20, seed=0)
    each = torch.stack([sketch(rows[:, [i]]) for i in range(rows.shape[1])])
    torch.testing.assert_close(sketch(rows), each.sum(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("at_once", [1, 40, 100, 10_000])
def test_blocks_of_any_size_give_the_same(at_once, monkeypatch):
    rows, sketch = rows_of(3, (5, 7, 6)), TensorSketch.draw(6, 20, seed=0)
    expected = sketch(rows)
    monkeypatch.setattr(tensor_sketch, "VALUES_AT_ONCE", at_once)
    torch.testing.assert_close(sketch(rows), expected, rtol=0, atol=1e-12)


def test_an_orthogonal_mixture_of_rows_has_the_same_sketch():
    rows, sketch = rows_of(4), TensorSketch.draw(6, 20, seed=0)
    mixture = torch.linalg.qr(rows_of(5, (4, 4))).Q
    torch.testing.assert_close(sketch(mixture @ rows), sketch(rows), rtol=0, atol=1e-12)


def test_a_draw_is_its_seed_and_leaves_the_seeds_of_others_alone():
    torch.manual_seed(0)
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (TensorSketch.draw(300, 50, seed=seed) for seed in (7, 7, 8))
    assert (first.hashes == again.hashes).all()
    assert (first.signs == again.signs).all()
    assert (first.hashes != other.hashes).any()
    assert torch.equal(state[0], torch.get_rng_state())
    assert (state[1] == np.random.get_state()[1]).all()  # noqa: NPY002


def test_a_draw_is_uniform_and_its_two_hashes_are_independent():
    sketch = TensorSketch.draw(20_000, 10, seed=0)
    assert sketch.channels == 20_000
    counts = np.zeros((10, 10))
    np.add.at(counts, (sketch.hashes[0], sketch.hashes[1]), 1)
    assert np.abs(counts - 200).max() < 5 * 200**0.5
    assert set(np.unique(sketch.signs)) == {-1, 1}
    assert np.abs(sketch.signs.mean(axis=1)).max() < 5 / 20_000**0.5
    assert abs((sketch.signs[0] * sketch.signs[1]).mean()) < 5 / 20_000**0.5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_narrow_numbers_are_widened_before_they_are_added(dtype):
    rows, sketch = rows_of(6, (1, 200, 6)).to(dtype), TensorSketch.draw(6, 5, seed=0)
    assert torch.equal(sketch(rows), sketch(rows.double()))


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_spoils_its_own_image_visibly(value):
    rows, sketch = rows_of(7, (3, 4, 6)), TensorSketch.draw(6, 20, seed=0)
    expected = sketch(rows)
    rows[1, 2, 3] = value
    z = sketch(rows)
    assert z[1].isnan().all()
    assert torch.equal(z[[0, 2]], expected[[0, 2]])


def test_no_image_gives_no_sketch():
    assert TensorSketch.draw(6, 20, seed=0)(rows_of(0)[:0]).shape == (0, 20)


def test_another_number_of_channels_is_told():
    with pytest.raises(AttncliError, match="for 5 channels, these features have 6; use"):
        TensorSketch.draw(5, 20, seed=0)(rows_of(0))


@pytest.mark.parametrize(
    ("hashes", "signs", "dim", "told"),
    [
        ([[0], [3]], [[1], [1]], 3, "hashes of the sketch are not all from 0 to 2"),
        ([[0], [-1]], [[1], [1]], 3, "hashes of the sketch are not all from 0 to 2"),
        ([[0], [1]], [[1], [0]], 3, "signs of the sketch are not all -1 or 1"),
        ([[0], [0]], [[1], [1]], 0, "a sketch needs at least 1 dimension, not 0"),
    ],
)
def test_a_damaged_sketch_is_told(hashes, signs, dim, told):
    with pytest.raises(AttncliError, match=told):
        TensorSketch(np.array(hashes), np.array(signs, np.int8), dim)
