import numpy as np

from attncli.files.attention import ClipRecord
from attncli.workflows.visualize.attention import lack_temporal
from tests.support.runs import write_attention

RECORD = ClipRecord(0, "v0", "A", "A", (0, 1), (0.0, 0.0, 8.0, 8.0), False)
MAPS = np.ones((1, 2, 3, 3), np.float32)


def test_runs_lack_temporal_attention_or_not(tmp_path):
    spatial, both = tmp_path / "spatial", tmp_path / "both"
    write_attention(spatial, [RECORD], spatial=MAPS)
    write_attention(both, [RECORD], spatial=MAPS, temporal=MAPS[..., 0, 0])
    assert lack_temporal([spatial], "val")
    assert not lack_temporal([spatial, both], "val")
    assert not lack_temporal([spatial], "train")  # not evaluated
