import numpy as np
import pytest

from attncli.visualization.clips import ClipAttention, ShownClip


@pytest.fixture
def make_clip():
    """Return what makes a clip of noise, with its runs' attention; temporal for some of them."""

    def make(
        runs=2,
        *,
        t=6,
        size_hw=(24, 24),
        grid_hw=(4, 4),
        predicted="Archery",
        true_class="Archery",
        masks=False,
        video_id="Archery/v_Archery_g01_c03",
        temporal=(),
        edited=False,
    ):
        rng = np.random.default_rng(0)
        correct = None if true_class is None else predicted == true_class
        return ShownClip(
            id=video_id,
            true_class=true_class,
            frame_indices=tuple(range(10, 10 + 4 * t, 4)),
            frames=rng.integers(0, 256, (t, *size_hw, 3), dtype=np.uint8),
            runs=tuple(
                ClipAttention(
                    *(predicted, correct, 3.064, rng.random((t, *grid_hw), np.float32)),
                    temporal=rng.random(t, np.float32) if run in temporal else None,
                )
                for run in range(runs)
            ),
            masks=rng.random((t, *size_hw)) < 0.5 if masks else None,
            edited=rng.random(t, np.float32) if edited else None,
        )

    return make
