from pathlib import Path

import numpy as np
import pytest

from attncli.data.video.reading import write_video
from attncli.errors import UsageError
from attncli.reporting import Silent
from attncli.workflows.predict.model import load
from attncli.workflows.predict.overlays import require_drawable, watched
from tests.support.runs import make_run


def test_frames_in_several_clips_have_the_mean(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 33, 47, 3), dtype=np.uint8)
    write_video(tmp_path / "a.mp4", iter(pixels), 10)
    run = make_run(tmp_path / "run", "abn", tmp_path / "data.csv", frame_stride=1)
    model = load(run, device="cpu")
    (batch,) = model.passes(tmp_path / "a.mp4")
    assert batch.frame_indices.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5]]
    maps = model.ask(batch).spatial
    with watched(model, tmp_path / "a.mp4", reporter=Silent()) as seen:
        assert seen.times.tolist() == [1, 1, 2, 2, 1, 1]
        np.testing.assert_allclose(seen.spatial[0], maps[0, 0], atol=1e-6)
        np.testing.assert_allclose(seen.spatial[2], (maps[0, 2] + maps[1, 0]) / 2, atol=1e-6)
        assert seen.temporal is None


def test_suffixes_follow_from_what_is_shown() -> None:
    given = {"attention": ("spatial",), "run": Path("r")}
    require_drawable(Path("a.webm"), of_images=False, **given)
    require_drawable(Path("a.pdf"), of_images=True, **given)
    with pytest.raises(UsageError, match="cannot be a picture"):
        require_drawable(Path("a.mp4"), of_images=True, **given)
