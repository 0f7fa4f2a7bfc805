from pathlib import Path

import numpy as np

from attncli.data.video.reading import write_video
from attncli.workflows.predict.clips import OwnClips
from tests.support.settings import tiny


def test_clips_of_a_whole_video_show_every_frame(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (23, 34, 48, 3), dtype=np.uint8)
    write_video(tmp_path / "a.mp4", iter(pixels), 10)
    own = OwnClips(tiny("abn", frame_stride=2), ("A",), ("spatial",))
    batches = list(own.passes(tmp_path / "a.mp4"))
    shown = {int(index) for batch in batches for index in batch.frame_indices.flatten()}
    assert shown == set(range(23))
    assert all(len(batch.rows) <= 3 for batch in batches)
