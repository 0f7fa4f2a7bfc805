import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from attncli.visualization.clips import ClipAttention, ShownClip
from attncli.visualization.page.lettering import typesetting


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


@pytest.fixture
def misplaced():
    """Return what lists the texts of a figure that overlap anything, or leave the page.

    Texts in `over_pictures` may stand on a picture.
    """

    def find(figure, over_pictures=()):
        canvas = FigureCanvasAgg(figure)
        with typesetting():
            canvas.draw()
            texts = [text for text in figure.findobj(Text) if text.get_text()]
            items = [*texts, *figure.axes[0].images]
            boxes = [item.get_window_extent(canvas.get_renderer()).extents for item in items]
        words = [text.get_text() for text in texts] + [""] * len(figure.axes[0].images)
        size = np.array(canvas.get_width_height())
        found = [
            word
            for word, box in zip(words, boxes, strict=True)
            if (box < -1).any() or (box[2:] > size + 1).any()
        ]
        for i, one in enumerate(boxes):
            for j in range(i + 1, len(boxes)):
                allowed = words[i] in over_pictures and words[j] == ""
                shared = np.minimum(one[2:], boxes[j][2:]) - np.maximum(one[:2], boxes[j][:2])
                if (shared > 1).all() and not allowed:
                    found.append(f"{words[i]} / {words[j]}")
        return found

    return find
