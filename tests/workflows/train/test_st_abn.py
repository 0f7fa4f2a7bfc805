"""Fine-tuning on edits, end to end on a dataset of a few small videos."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attncli.config.edit_spatial import SelectSpatialConfig
from attncli.config.toml import dump
from attncli.data.video.reading import write_video
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory
from attncli.files.temporal_edits import write_temporal_edits

CLASSES = ("Grow", "Move", "Shrink")
FRAMES, SIDE = 10, 40
TINY = (
    *("--weights", "none", "--depth", "18", "--width-factor", "0.125", "--frames", "4"),
    *("--crop-px", "32", "--short-side-val-px", "32", "--schedule", "constant"),
    *("--batch-size", "4", "--workers", "0", "--device", "cpu", "--dropout", "0"),
)
TIMINGS = ("clips_per_sec", "wait_percent", "seconds")
EXTRACTOR = tuple(f"backbone.blocks.{i}." for i in range(4))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of nine training and three validation videos."""
    root = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    rows = ["id,path,label,split"]
    for number in range(12):
        label = number % 3
        frames = generator.integers(0, 60, (FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
        for t, frame in enumerate(frames):
            size, x = ((4 + 2 * t, 10), (10, 3 * t), (24 - 2 * t, 10))[label]
            frame[10 : 10 + size, x : x + size] = 220
        write_video(root / f"{number}.avi", frames, 25.0)
        split = "train" if number < 9 else "val"
        rows.append(f"{number},{number}.avi,{CLASSES[label]},{split}")
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    return root / "manifest.csv"


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three edited training clips, and one that was left blank."""
    path = tmp_path_factory.mktemp("edits") / "edits.csv"
    late = np.repeat([0, 1], FRAMES // 2).astype(np.float32)
    blank = np.full(FRAMES, np.nan, dtype=np.float32)
    write_temporal_edits(path, {"0": late, "3": late, "7": late, "8": blank})
    return path


@pytest.fixture(scope="module")
def base(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of st-abn to tune."""
    from attncli.cli import run

    out = tmp_path_factory.mktemp("runs") / "base"
    words = ("train", "st-abn", "--data", data, *TINY, "--epochs", "1", "-o", out)
    assert run([str(word) for word in words]) == 0
    return out


@pytest.fixture
def tune(data: Path, base: Path, edits: Path) -> tuple[object, ...]:
    """The words that fine-tune the run."""
    return (
        *("train", "st-abn", "--data", data, *TINY, "--init", base),
        *("--temporal-edits", edits, "--optimizer", "adam", "--lr", "0.05"),
    )


def log(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in TIMINGS} for row in rows]


def test_tuning_moves_attention_towards_edits_and_leaves_the_extractor(
    tune: tuple[object, ...], base: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "tuned"
    answer = run_cli(*tune, "--epochs", "6", "-o", out, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)[0]["clips"] == 3
    assert "3 training clips have edited temporal attention" in answer.stderr
    assert "1 without any score count as not edited" in answer.stderr
    losses = [float(row["loss_temp"]) for row in log(out)]
    assert losses[-1] < 0.7 * losses[0]
    before, after = (load_file(run / "model.safetensors") for run in (base, out))
    for key, value in after.items():
        assert torch.equal(value, before[key]) == key.startswith(EXTRACTOR), key


def test_a_start_from_clips_that_were_cut_otherwise_is_noted(
    tune: tuple[object, ...], base: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    words = (*tune, "--epochs", "1", "--sampling", "dense", "-o", tmp_path / "tuned")
    answer = run_cli(*words)
    assert answer.exit_code == 0, answer.stderr
    assert f"{base} was trained with --sampling uniform, not dense as now" in answer.stderr


def test_a_tuning_that_is_resumed_ends_with_the_same_bytes(
    tune: tuple[object, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run_cli(*tune, "--epochs", "2", "-o", whole).exit_code == 0
    for epochs in ("1", "2"):
        assert run_cli(*tune, "--epochs", epochs, "-o", parts, "--resume").exit_code == 0
    assert log(whole) == log(parts)
    assert (whole / "model.safetensors").read_bytes() == (parts / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_two_processes_tune_like_one(tune: tuple[object, ...], launch: Any, tmp_path: Path) -> None:
    # Of the last batch's single clip the second process has none.
    words = (*tune, "--epochs", "2", "--batch-size", "4", "-o")
    assert launch(*words, tmp_path / "one") == 0
    assert [code for code, _ in launch.together(*words, tmp_path / "two")] == [0, 0]
    for alone, shared in zip(log(tmp_path / "one"), log(tmp_path / "two"), strict=True):
        for name, value in alone.items():
            assert float(shared[name]) == pytest.approx(float(value), rel=1e-3), name


def test_a_plan_says_what_is_tuned_and_on_how_many_clips(
    tune: tuple[object, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "tuned"
    answer = run_cli(*tune, "-o", out, "--dry-run", "--json")
    plan = json.loads(answer.stdout)[0]
    assert (plan["train_clips"], plan["edited_clips"]) == (9, 3)
    assert 0 < plan["trained_parameters"] < plan["parameters"]
    assert not out.exists()


def test_edits_that_cannot_be_used_are_named_before_anything_is_written(
    tune: tuple[object, ...], edits: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    blank, unknown, out = tmp_path / "blank.csv", tmp_path / "unknown.csv", tmp_path / "tuned"
    rows = edits.read_text().splitlines()
    blank.write_text("\n".join([rows[0], *(row for row in rows if row.startswith("8,"))]) + "\n")
    unknown.write_text("\n".join([*rows, "11,0,1"]) + "\n")  # of the validation split
    messages = {
        tmp_path / "gone.csv": "gone.csv: no such file",
        blank: "blank.csv: holds no edits of the training clips; give each frame of a clip a score",
        unknown: "unknown.csv, line 42: no such clip: '11'",
    }
    for path, message in messages.items():
        answer = run_cli(*tune, "--temporal-edits", path, "-o", out)
        assert answer.exit_code == 1
        assert message in answer.stderr
        assert not out.exists()


def test_clips_with_more_or_fewer_frames_than_were_edited_are_left_out_and_named(
    tune: tuple[object, ...], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    edits = tmp_path / "edits.csv"
    scores = {"0": np.ones(FRAMES), "1": np.ones(FRAMES - 4), "2": np.ones(FRAMES + 1)}
    write_temporal_edits(edits, {id_: vector.astype(np.float32) for id_, vector in scores.items()})
    words = ("--temporal-edits", edits, "--epochs", "1", "-o", tmp_path / "tuned")
    answer = run_cli(*tune, *words)
    assert answer.exit_code == 3
    lines = (tmp_path / "tuned" / "failures.jsonl").read_text().splitlines()
    for line, (id_, edited) in zip(lines, {"1": 6, "2": 11}.items(), strict=True):
        assert json.loads(line)["id"] == id_
        assert f"has scores for {edited} frames, but its video has 10;" in json.loads(line)["error"]


def test_a_run_of_another_clip_length_cannot_be_tuned(
    tune: tuple[object, ...], base: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    answer = run_cli(*tune, "--frames", "6", "-o", tmp_path / "tuned")
    assert answer.exit_code == 1
    expected = (
        f"{base}: the weights are for clips of 4 frames, the network for 6; use weights of"
        " --frames 6, or train with --frames 4"
    )
    assert expected in answer.stderr
    assert not (tmp_path / "tuned" / "config.toml").exists()


def test_a_checkpoint_of_another_clip_length_is_not_evaluated(
    data: Path, base: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    other = tmp_path / "six"
    words = ("train", "st-abn", "--data", data, *TINY, "--frames", "6", "--epochs", "1")
    assert run_cli(*words, "-o", other).exit_code == 0
    answer = run_cli("eval", base, "--checkpoint", other / "model.safetensors")
    assert answer.exit_code == 1
    assert "the weights are for clips of 6 frames, the network for 4" in answer.stderr


def test_st_abn_may_learn_from_masks_too(
    data: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    masks, out = tmp_path / "masks", tmp_path / "run"
    pixels = np.zeros((SIDE, SIDE), dtype=np.bool_)
    pixels[10:20, 10:20] = True
    for number in range(9):
        with MaskWriter(masks, str(number)) as writer:
            for frame in range(FRAMES):
                instance = Instance.of(pixels, category="square", score=1.0)
                writer.write(FrameMasks(frame, (SIDE, SIDE), (instance,)))
    words = ("train", "st-abn", "--data", data, *TINY, "--masks", masks, "--epochs", "1")
    assert run_cli(*words, "-o", out).exit_code == 0
    assert 0 < float(log(out)[0]["loss_mask"]) < 1


def test_classes_that_name_a_side_are_noted_as_never_mirrored(
    data: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    header, *rows = data.read_text().replace("Move", "Left").replace("Grow", "Right").splitlines()
    manifest = tmp_path / "manifest.csv"
    rows = [row.replace(",", f",{data.parent}/", 1) for row in rows]
    manifest.write_text("\n".join([header, *rows]) + "\n")
    words = ("train", "resnet3d", "--data", manifest, *TINY, "--epochs", "1", "-o", tmp_path / "r")
    answer = run_cli(*words)
    assert answer.exit_code == 0
    assert "no clip is mirrored" in answer.stderr


@pytest.fixture(scope="module")
def spatial(tmp_path_factory: pytest.TempPathFactory) -> SpatialEditDirectory:
    """Training clips 0 to 3, of which 0 and 3 are edited: attention belongs everywhere."""
    directory = SpatialEditDirectory(tmp_path_factory.mktemp("spatial"))
    directory.config_path.write_text(dump(SelectSpatialConfig(run=directory.path)))
    clips = (SpatialClip(str(i), "Grow", "Move", FRAMES, 25.0, SIDE, SIDE) for i in range(4))
    directory.write_clips(clips)
    pixels = np.ones((SIDE, SIDE), dtype=np.bool_)
    where = (Instance.of(pixels, category="attention", score=1.0),)
    for id_ in ("0", "3"):
        frames = (FrameMasks(frame, (SIDE, SIDE), where) for frame in range(FRAMES))
        directory.write_frames(id_, {masks.frame: masks for masks in frames})
    return directory


def test_tuning_moves_spatial_attention_towards_edits_and_leaves_the_extractor(
    tune: tuple[object, ...],
    spatial: SpatialEditDirectory,
    base: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    out = tmp_path / "tuned"
    words = ("--spatial-edits", spatial.path, "--gamma-s", "30")
    answer = run_cli(*tune, *words, "--epochs", "6", "-o", out)
    assert answer.exit_code == 0, answer.stderr
    assert "3 training clips have edited temporal attention" in answer.stderr
    assert "2 training clips have edited spatial attention" in answer.stderr
    losses = [float(row["loss_spat"]) for row in log(out)]
    assert losses[-1] < 0.7 * losses[0]
    assert "loss_temp" in log(out)[0]
    before, after = (load_file(run / "model.safetensors") for run in (base, out))
    for key, value in after.items():
        assert torch.equal(value, before[key]) == key.startswith(EXTRACTOR), key


def test_spatial_edits_alone_tune_at_the_same_low_rate(
    data: Path,
    spatial: SpatialEditDirectory,
    base: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    words = ("train", "st-abn", "--data", data, *TINY, "--spatial-edits", spatial.path)
    refused = run_cli(*words, "--dry-run")
    assert (refused.exit_code, refused.stderr.count("--init: is needed")) == (2, 1)
    answer = run_cli(*words, "--init", base, "--dry-run", "--json")
    plan = json.loads(answer.stdout)[0]
    assert (plan["spatially_edited_clips"], plan["lr"]) == (2, 1e-4)
    assert 0 < plan["trained_parameters"] < plan["parameters"]
    assert "edited_clips" not in plan


def test_spatial_edits_that_cannot_be_used_are_named_before_anything_is_written(
    data: Path,
    spatial: SpatialEditDirectory,
    base: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    def answer(directory: SpatialEditDirectory) -> str:
        out = tmp_path / "tuned"
        words = ("train", "st-abn", "--data", data, *TINY, "--init", base, "-o", out)
        code, _, stderr = run_cli(*words, "--spatial-edits", directory.path)
        assert code == 1 and not out.exists()
        return stderr

    copies = [SpatialEditDirectory(tmp_path / name) for name in ("blank", "val", "broken")]
    for copy in copies:
        shutil.copytree(spatial.path, copy.path)
    blank, val, broken = copies
    shutil.rmtree(blank.edits.root)
    assert "holds no edits of the training clips; paint some frames" in answer(blank)
    val.write_clips([SpatialClip("11", "Grow", "Move", FRAMES, 25.0, SIDE, SIDE)])
    shutil.rmtree(val.edits.root)
    val.write_frames("11", spatial.read_frames(spatial.read_clips()["0"]))
    assert "11.jsonl: no such clip: '11'" in answer(val)
    broken.edits.path("3").write_text("{}\n")
    assert "3.jsonl:1: not a line of masks" in answer(broken)
    assert "no such edit directory" in answer(SpatialEditDirectory(tmp_path / "gone"))


def test_a_clip_whose_video_has_another_size_than_its_edit_is_left_out_and_named(
    tune: tuple[object, ...],
    spatial: SpatialEditDirectory,
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    other = SpatialEditDirectory(tmp_path / "other")
    shutil.copytree(spatial.path, other.path)
    other.write_clips([SpatialClip("0", "Grow", "Move", FRAMES, 25.0, 4, 2)])
    shutil.rmtree(other.edits.root)
    other.write_frames("0", {0: FrameMasks(0, (2, 4), ())})
    words = ("--spatial-edits", other.path, "--epochs", "1", "-o", tmp_path / "tuned")
    assert run_cli(*tune, *words).exit_code == 3
    (line,) = (tmp_path / "tuned" / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["id"] == "0"
    assert "masks are 4x2, the video is 40x40" in json.loads(line)["error"]
