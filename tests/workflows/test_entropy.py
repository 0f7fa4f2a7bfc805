import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attncli.config.entropy import Measure
from attncli.config.toml import dump
from attncli.errors import AttncliError
from attncli.files.attention import AttentionWriter, ClipRecord
from attncli.files.failures import read_failures
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.metrics import write_metrics
from attncli.metrics.entropy import map_entropy
from attncli.metrics.value_range import Range
from attncli.reporting import Silent
from attncli.workflows.entropy import measure_entropy
from tests.support.runs import begin_run
from tests.support.settings import tiny

CLASSES = ("Run", "Run", "Walk")


def write_run(run: Path, maps: np.ndarray, *, first_frame: int = 0) -> Path:
    evaluation = run / "eval" / "val"
    records = [
        ClipRecord(
            row=row,
            id=f"{label}/{row}",
            label=label,
            predicted="Run",
            frames=tuple(range(first_frame, first_frame + maps.shape[1])),
            crop=(2.0, 0.0, 10.0, 8.0),
            flip=row == 1,
        )
        for row, label in enumerate(CLASSES)
    ]
    with AttentionWriter(evaluation / "attention") as writer:
        writer.append(records, spatial=maps)
    write_metrics(evaluation / "metrics.json", {"run": "x", "method": "abn", "split": "val"})
    return run


def write_masks(root: Path, box_xyxy: tuple[int, int, int, int], frames: int = 2) -> Path:
    left, top, right, bottom = box_xyxy
    pixels = np.zeros((8, 12), dtype=np.bool_)
    pixels[top:bottom, left:right] = True
    instance = Instance.of(pixels, category="object", score=1.0)
    for row, label in enumerate(CLASSES):
        with MaskWriter(root, f"{label}/{row}") as writer:
            for frame in range(frames):
                writer.write(FrameMasks(frame=frame, size_hw=(8, 12), instances=(instance,)))
    return root


@pytest.fixture
def maps() -> np.ndarray:
    maps = np.random.default_rng(0).random((3, 2, 4, 4), dtype=np.float32)
    maps[2, 1] = 0.5
    return maps


def test_a_run_gets_a_row_with_mean_and_spread_over_its_clips(
    tmp_path: Path, maps: np.ndarray
) -> None:
    run = write_run(tmp_path / "abn", maps)
    outcome = measure_entropy([run], Measure(), reporter=Silent())
    bits = map_entropy(maps).clip_bits
    assert outcome.rows == [
        {
            "run": str(run),
            "method": "abn",
            "split": "val",
            "clips": 3,
            "entropy": pytest.approx(bits.mean()),
            "entropy_std": pytest.approx(bits.std(ddof=1)),
            "flat": 1,
        }
    ]
    assert outcome.failures == []


def test_bins_and_range_are_those_asked_for(tmp_path: Path, maps: np.ndarray) -> None:
    run = write_run(tmp_path / "abn", maps * 0.5)
    (row,) = measure_entropy([run], Measure(bins=4, value_range="none"), reporter=Silent()).rows
    bits = map_entropy(maps * 0.5, bins=4, value_range="none").clip_bits
    assert row["entropy"] == pytest.approx(bits.mean())


def test_tables_lie_beside_the_maps_by_clip_and_by_class(tmp_path: Path, maps: np.ndarray) -> None:
    run = write_run(tmp_path / "abn", maps)
    measure_entropy([run], Measure(), reporter=Silent())
    clips = pd.read_csv(run / "eval" / "val" / "entropy.csv")
    classes = pd.read_csv(run / "eval" / "val" / "entropy_by_class.csv")
    bits = map_entropy(maps).clip_bits
    assert clips.columns.tolist() == ["id", "label", "entropy", "flat"]
    assert clips["id"].tolist() == ["Run/0", "Run/1", "Walk/2"]
    assert clips["entropy"].to_numpy() == pytest.approx(bits)
    assert classes.columns.tolist() == ["label", "clips", "entropy", "entropy_std", "flat"]
    assert classes["clips"].tolist() == [2, 1]
    assert classes["entropy"].to_numpy() == pytest.approx([bits[:2].mean(), bits[2]])
    assert classes["flat"].tolist() == [0, 1]
    assert math.isnan(classes["entropy_std"][1])  # one clip has no spread


def test_a_bare_attention_directory_is_enough(tmp_path: Path, maps: np.ndarray) -> None:
    attention = write_run(tmp_path / "abn", maps) / "eval" / "val" / "attention"
    moved = tmp_path / "elsewhere" / "maps"
    moved.parent.mkdir()
    attention.rename(moved)
    (row,) = measure_entropy([moved], Measure(), reporter=Silent()).rows
    assert (row["method"], row["split"], row["clips"]) == (None, None, 3)
    assert (moved.parent / "entropy.csv").exists()


def test_one_directory_takes_the_tables_of_all_runs(tmp_path: Path, maps: np.ndarray) -> None:
    runs = [write_run(tmp_path / name, maps) for name in ("abn", "object_abn")]
    out = tmp_path / "tables"
    measure_entropy(runs, Measure(), out=out, reporter=Silent())
    clips = pd.read_csv(out / "entropy.csv")
    assert clips.columns.tolist() == ["run", "id", "label", "entropy", "flat"]
    assert clips["run"].tolist() == [str(run) for run in runs for _ in range(3)]
    assert len(pd.read_csv(out / "entropy_by_class.csv")) == 4
    assert not (runs[0] / "eval" / "val" / "entropy.csv").exists()
    with pytest.raises(AttncliError, match="exists already"):
        measure_entropy(runs, Measure(), out=out, reporter=Silent())
    measure_entropy(runs, Measure(), out=out, overwrite=True, reporter=Silent())


def test_maps_on_the_masks_agree_with_them_through_crop_and_flip(tmp_path: Path) -> None:
    # The clip shows columns 2 to 10 of 12, so a mask over columns 2 to 6 is its left half,
    # and the right half where the clip is flipped.
    maps = np.full((3, 2, 4, 4), 0.1, dtype=np.float32)
    maps[..., :2] = 0.9
    maps[1] = maps[1, :, :, ::-1]
    run = write_run(tmp_path / "abn", maps)
    masks = write_masks(tmp_path / "masks", (2, 0, 6, 8))
    (row,) = measure_entropy([run], Measure(masks=masks), reporter=Silent()).rows
    assert row["mask_iou"] == pytest.approx(100)
    assert row["inside_percent"] == pytest.approx(100)
    assert row["pointing_percent"] == pytest.approx(100)
    assert row["empty_frames"] == 0
    clips = pd.read_csv(run / "eval" / "val" / "entropy.csv")
    assert clips["mask_iou"].tolist() == pytest.approx([100, 100, 100])


@pytest.mark.parametrize(
    ("value_range", "threshold", "iou"),
    [("none", 0.05, 50), ("none", 0.85, 100), ("none", 0.95, 0), ("frame", 0.95, 100)],
)
def test_the_threshold_is_of_maps_stretched_as_asked(
    tmp_path: Path, value_range: Range, threshold: float, iou: float
) -> None:
    maps = np.full((3, 2, 4, 4), 0.1, dtype=np.float32)
    maps[..., :2] = 0.9
    maps[1] = maps[1, :, :, ::-1]
    run = write_run(tmp_path / "abn", maps)
    masks = write_masks(tmp_path / "masks", (2, 0, 6, 8))
    measure = Measure(masks=masks, value_range=value_range, threshold=threshold)
    (row,) = measure_entropy([run], measure, reporter=Silent()).rows
    assert row["mask_iou"] == pytest.approx(iou)


def test_masks_are_those_of_the_frames_the_clip_shows(tmp_path: Path, maps: np.ndarray) -> None:
    run = write_run(tmp_path / "abn", maps, first_frame=2)
    masks = write_masks(tmp_path / "masks", (2, 0, 6, 8), frames=3)  # frames 0 to 2
    outcome = measure_entropy([run], Measure(masks=masks), reporter=Silent())
    assert ["no masks for frame 3" in failure.error for failure in outcome.failures] == [True] * 3


def test_clips_without_an_object_have_entropy_but_no_agreement(
    tmp_path: Path, maps: np.ndarray
) -> None:
    run = write_run(tmp_path / "abn", maps)
    masks = write_masks(tmp_path / "masks", (10, 0, 12, 8))  # right of what the clip shows
    (row,) = measure_entropy([run], Measure(masks=masks), reporter=Silent()).rows
    assert row["mask_iou"] is None
    assert row["empty_frames"] == 6
    assert row["entropy"] is not None


def test_a_missing_or_ill_fitting_mask_file_is_named_and_the_rest_measured(
    tmp_path: Path, maps: np.ndarray
) -> None:
    run = write_run(tmp_path / "abn", maps)
    masks = write_masks(tmp_path / "masks", (2, 0, 6, 8))
    (masks / "Run" / "0.jsonl").unlink()
    small = Instance.of(np.ones((4, 4), dtype=np.bool_), category="object", score=1.0)
    with MaskWriter(masks, "Run/1") as writer:
        for frame in range(2):
            writer.write(FrameMasks(frame=frame, size_hw=(4, 4), instances=(small,)))
    outcome = measure_entropy([run], Measure(masks=masks), reporter=Silent())
    assert [failure.id for failure in outcome.failures] == ["Run/0", "Run/1"]
    assert "smaller than the part of the video" in outcome.failures[1].error
    assert read_failures(run / "eval" / "val" / "entropy_failures.jsonl") == outcome.failures
    assert outcome.rows[0]["mask_iou"] is not None
    clips = pd.read_csv(run / "eval" / "val" / "entropy.csv")
    assert clips["mask_iou"].isna().tolist() == [True, True, False]


def test_a_dry_run_touches_nothing(tmp_path: Path, maps: np.ndarray) -> None:
    run = write_run(tmp_path / "abn", maps)
    outcome = measure_entropy([run], Measure(), dry_run=True, reporter=Silent())
    assert outcome.rows[0]["clips"] == 3
    assert not (run / "eval" / "val" / "entropy.csv").exists()


def test_values_that_cannot_be_measured_are_named_by_file_and_row(
    tmp_path: Path, maps: np.ndarray
) -> None:
    maps[1, 0, 0, 0] = np.nan
    run = write_run(tmp_path / "abn", maps)
    with pytest.raises(AttncliError, match=r"spatial\.npy: row 1: a value is not finite"):
        measure_entropy([run], Measure(), reporter=Silent())
    assert not (run / "eval" / "val" / "entropy.csv").exists()


def test_runs_without_maps_and_missing_masks_are_errors(tmp_path: Path, maps: np.ndarray) -> None:
    run = write_run(tmp_path / "abn", maps)
    (tmp_path / "x3d" / "eval" / "val").mkdir(parents=True)
    with pytest.raises(AttncliError, match="holds no attention maps"):
        measure_entropy([run, tmp_path / "x3d"], Measure(), reporter=Silent())
    with pytest.raises(AttncliError, match="no such directory; check --masks"):
        measure_entropy([run], Measure(masks=tmp_path / "none"), reporter=Silent())
    assert not (run / "eval" / "val" / "entropy.csv").exists()


def test_runs_of_several_seeds_are_measured_one_by_one(tmp_path: Path, maps: np.ndarray) -> None:
    several = tmp_path / "abn"
    for seed in (0, 1):
        write_run(begin_run(several / f"seed{seed}", "abn", tmp_path, seed=seed), maps * (1 - seed))
    text = dump(tiny("abn", data=tmp_path), method="abn", several=2)
    (several / "config.toml").write_text(text)
    alone = write_run(tmp_path / "alone", maps)
    rows = measure_entropy([several, alone], Measure(), reporter=Silent()).rows
    assert [row["run"] for row in rows] == [
        str(path) for path in (several / "seed0", several / "seed1", several, alone)
    ]
    first, second = rows[0]["entropy"], rows[1]["entropy"]
    assert rows[2]["seeds"] == 2
    assert rows[2]["entropy"] == pytest.approx((first + second) / 2)
    assert rows[2]["entropy_std"] == pytest.approx(abs(first - second) / 2**0.5)
    assert (several / "seed1" / "eval" / "val" / "entropy.csv").is_file()


def test_a_seed_that_was_not_trained_is_named(tmp_path: Path) -> None:
    several = tmp_path / "abn"
    begin_run(several / "seed0", "abn", tmp_path)
    text = dump(tiny("abn", data=tmp_path), method="abn", several=2)
    (several / "config.toml").write_text(text)
    with pytest.raises(AttncliError, match=r"1 of 2 runs .*, such as seed1"):
        measure_entropy([several], Measure(), reporter=Silent())
