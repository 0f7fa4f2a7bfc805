import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attncli.errors import AttncliError, UsageError
from attncli.metrics.entropy import largest_entropy, map_entropy


def entropy_as_in_the_paper(clip: np.ndarray, bins: int, span: str = "frame") -> float:
    """Equations 9 and 10 of one clip, frame by frame with numpy's histogram."""
    total = 0.0
    for frame in clip:
        source = {"frame": frame, "clip": clip}.get(span, np.array([0, 1], clip.dtype))
        if frame.min() == frame.max():
            total += math.log2(bins)
            continue
        values = (frame - source.min()) / (source.max() - source.min())
        hist, _ = np.histogram(values, bins=bins, range=(0, 1))
        for count in hist:
            p = count / hist.sum()
            total -= p * math.log2(p) if p > 0 else 0
    return total / len(clip)


def test_eq9_and_eq10_of_a_map_counted_by_hand() -> None:
    # Ten bins: 0 and 0.05 in the first, 0.3 in the fourth, 1 in the last: p = 1/2, 1/4, 1/4.
    maps = np.array([[[[0.0, 0.05], [0.3, 1.0]]]], dtype=np.float64)
    assert map_entropy(maps).clip_bits == pytest.approx([1.5])


def test_eq11_a_map_that_fills_all_bins_evenly_has_log2_of_10_bits() -> None:
    maps = np.repeat(np.linspace(0, 1, 10), 7).reshape(1, 1, 7, 10)
    assert map_entropy(maps).clip_bits == pytest.approx([math.log2(10)])
    assert largest_entropy(10) == pytest.approx(3.3219, abs=1e-4)  # 3.332 in the paper


def test_half_the_cells_lit_is_one_bit() -> None:
    maps = np.zeros((1, 2, 4, 4), dtype=np.float32)
    maps[..., 2:] = 0.3
    assert map_entropy(maps).clip_bits == pytest.approx([1.0])


def test_a_flat_map_is_never_sharp_and_is_counted() -> None:
    maps = np.full((2, 3, 4, 4), 0.2, dtype=np.float32)
    maps[0, 0, 0, :] = 0.7  # a quarter of the first frame: 0.811 bits
    for value_range in ("frame", "clip", "none"):
        result = map_entropy(maps, value_range=value_range)
        assert result.flat_frames.tolist() == [2, 3]
        assert result.clip_bits == pytest.approx(
            [(0.811278 + 2 * math.log2(10)) / 3, math.log2(10)], abs=1e-5
        )


def test_a_clip_counts_as_the_mean_over_its_frames() -> None:
    maps = np.random.default_rng(0).random((1, 5, 6, 6))
    alone = [map_entropy(maps[:, t : t + 1]).clip_bits[0] for t in range(5)]
    assert map_entropy(maps).clip_bits == pytest.approx([np.mean(alone)])


@settings(max_examples=150, deadline=None)
@given(
    maps=arrays.arrays(
        dtype=st.sampled_from([np.float32, np.float64]),
        shape=st.tuples(*(st.integers(1, size) for size in (3, 3, 5, 5))),
        # Multiples of a tenth lie on the bins' edges, where rounding decides.
        elements=st.one_of(
            st.sampled_from([k / 10 for k in range(11)]).map(lambda v: float(np.float32(v))),
            st.floats(0, 1, width=32),
        ),
    ),
    bins=st.integers(2, 40),
    value_range=st.sampled_from(["frame", "clip", "none"]),
)
def test_bins_are_those_of_numpys_histogram(maps: np.ndarray, bins: int, value_range: str) -> None:
    expected = [entropy_as_in_the_paper(clip, bins, value_range) for clip in maps]
    result = map_entropy(maps, bins=bins, value_range=value_range)
    np.testing.assert_allclose(result.clip_bits, expected, atol=1e-12)
    assert (result.clip_bits <= math.log2(bins) + 1e-12).all()
    assert (result.clip_bits >= 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bins", [2, 3, 7, 10, 49, 100])
def test_values_next_to_an_edge_fall_where_numpy_puts_them(dtype: type, bins: int) -> None:
    edges = np.linspace(0, 1, bins + 1, dtype=dtype)
    near = np.concatenate(
        [edges, np.nextafter(edges[:-1], dtype(2)), np.nextafter(edges[1:], dtype(-1))]
    )
    maps = near.reshape(1, 1, 1, -1)
    expected = entropy_as_in_the_paper(maps[0], bins, "none")
    assert map_entropy(maps, bins=bins, value_range="none").clip_bits == pytest.approx([expected])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.25, 0.5, 2.0, 8.0]),  # powers of two do not round
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 9), st.integers(2, 9)),
)
def test_scale_and_order_of_cells_do_not_matter(
    seed: int, scale: float, shape: tuple[int, ...]
) -> None:
    generator = np.random.default_rng(seed)
    maps = generator.random(shape)
    shuffled = generator.permutation(maps.reshape(*shape[:2], -1), axis=2).reshape(shape)
    bits = map_entropy(maps).clip_bits
    np.testing.assert_array_equal(map_entropy(maps * scale).clip_bits, bits)
    np.testing.assert_array_equal(map_entropy(shuffled).clip_bits, bits)


def test_maps_of_more_cells_than_a_byte_counts_are_counted_right() -> None:
    maps = np.random.default_rng(1).random((2, 1, 20, 300)).astype(np.float32)
    expected = [entropy_as_in_the_paper(clip, 10) for clip in maps]
    assert map_entropy(maps).clip_bits == pytest.approx(expected)


def test_reading_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = np.random.default_rng(2).random((50, 4, 5, 5)).astype(np.float32)
    whole = map_entropy(maps, value_range="clip")
    monkeypatch.setattr("attncli.metrics.entropy.FRAMES_AT_ONCE", 12)
    parts = map_entropy(maps, value_range="clip")
    np.testing.assert_array_equal(whole.clip_bits, parts.clip_bits)


def test_a_memory_map_is_measured_and_its_bad_row_named(tmp_path: Path) -> None:
    maps = np.random.default_rng(3).random((700, 4, 3, 3)).astype(np.float32)
    maps[650, 2, 1, 1] = np.nan
    np.save(tmp_path / "maps.npy", maps)
    mapped = np.load(tmp_path / "maps.npy", mmap_mode="r")
    assert map_entropy(mapped[:650]).clip_bits.shape == (650,)
    with pytest.raises(AttncliError, match="row 650: a value is not finite"):
        map_entropy(mapped)


def test_half_precision_is_measured_in_single_precision() -> None:
    maps = np.random.default_rng(4).random((2, 2, 4, 4)).astype(np.float16)
    assert map_entropy(maps).clip_bits == pytest.approx(
        map_entropy(maps.astype(np.float32)).clip_bits
    )


def test_one_bin_is_refused() -> None:
    with pytest.raises(UsageError, match="--bins: must be at least 2"):
        map_entropy(np.zeros((1, 1, 2, 2)), bins=1)


def test_it_needs_no_torch() -> None:
    modules = "attncli.metrics.entropy, attncli.metrics.agreement, attncli.files.attention"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
