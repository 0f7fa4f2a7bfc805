from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.active_intervals import ActiveInterval, write_active_intervals
from attncli.files.attention import AttentionWriter, ClipRecord
from attncli.reporting import Silent
from attncli.workflows.edit.temporal.compare import compare_with_truth

FRAMES = (0, 3, 6, 9)


def attention(directory: Path, clips: dict[str, list[float]], *, temporal: bool = True) -> Path:
    """Write the temporal attention of some clips, by id, as an evaluation does."""
    records = [
        ClipRecord(row, id_, "class", "class", FRAMES, (0.0, 0.0, 4.0, 4.0), flip=False)
        for row, id_ in enumerate(clips)
    ]
    values = np.array(list(clips.values()), dtype=np.float32)
    with AttentionWriter(directory) as writer:
        maps = np.zeros((len(clips), len(FRAMES), 2, 2), dtype=np.float32)
        writer.append(records, spatial=maps, temporal=values if temporal else None)
    return directory


def truth(path: Path, **intervals: tuple[int, int]) -> Path:
    write_active_intervals(
        path, {id_: ActiveInterval(a, b, a, b) for id_, (a, b) in intervals.items()}
    )
    return path


def test_means_are_over_the_frames_of_a_clip_then_over_clips(tmp_path):
    run = attention(tmp_path / "a", {"x": [0.2, 0.8, 0.6, 0.1], "y": [0.5, 0.5, 0.5, 0.9]})
    active = truth(tmp_path / "active.csv", x=(2, 6), y=(0, 5))
    (row,) = compare_with_truth([run], truth=active, reporter=Silent()).rows
    # x: frames 3 and 6 are inside, so 0.7 against 0.15; y: 0 and 3, so 0.5 against 0.7
    assert row["inside"] == pytest.approx((0.7 + 0.5) / 2)
    assert row["outside"] == pytest.approx((0.15 + 0.7) / 2)
    assert (row["clips"], row["inside_higher_percent"]) == (2, 50.0)


def test_clips_that_are_all_action_are_left_out(tmp_path):
    run = attention(tmp_path / "a", {"x": [0.2, 0.8, 0.6, 0.1], "y": [1.0, 1.0, 1.0, 1.0]})
    active = truth(tmp_path / "active.csv", x=(2, 6), y=(0, 9))
    (row,) = compare_with_truth([run], truth=active, reporter=Silent()).rows
    assert (row["clips"], row["inside"]) == (1, pytest.approx(0.7))
    active = truth(tmp_path / "active.csv", x=(0, 9), y=(0, 9))
    with pytest.raises(AttncliError, match="no clip has frames inside and outside"):
        compare_with_truth([run], truth=active, reporter=Silent())


def test_a_clip_without_truth_and_a_run_without_temporal_attention_are_named(tmp_path):
    run = attention(tmp_path / "a", {"x": [0.2, 0.8, 0.6, 0.1]})
    active = truth(tmp_path / "active.csv", y=(2, 6))
    with pytest.raises(AttncliError, match=r"active\.csv: no such clip: 'x'"):
        compare_with_truth([run], truth=active, reporter=Silent())
    run = attention(tmp_path / "b", {"y": [0.2, 0.8, 0.6, 0.1]}, temporal=False)
    with pytest.raises(AttncliError, match="holds no temporal attention"):
        compare_with_truth([run], truth=active, reporter=Silent())
