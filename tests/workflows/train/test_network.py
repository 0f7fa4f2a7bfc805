import csv
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from attncli.config.object_abn import X3DConfig
from attncli.data.clips.guides import ClipGuidance
from attncli.data.clips.source import VideoSource
from attncli.data.layouts import open_dataset
from attncli.data.video.reading import write_video
from attncli.files.checkpoints import read_checkpoint
from attncli.files.failures import read_failures
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.runs import Run, RunDirectory
from attncli.reporting import Silent
from attncli.training.distributed import World
from attncli.workflows.train.network import _training_samples, _validation

CLASSES = ("Left", "Right", "Up")
FRAMES, HEIGHT, WIDTH, SQUARE = 12, 48, 64, 10
TINY = (
    *("--weights", "none", "--width-factor", "0.5", "--depth-factor", "0.3"),
    *("--frames", "4", "--frame-stride", "2", "--crop-px", "32", "--short-side-val-px", "32"),
    *("--short-side-min-px", "32", "--short-side-max-px", "40"),
    *("--batch-size", "4", "--workers", "0", "--device", "cpu", "--lr", "1e-3"),
)
EPOCHS = ("--epochs", "3")
TIMINGS = ("clips_per_sec", "wait_percent", "seconds")

Launch = Any
"""`launch` of this directory's fixtures."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in UCF101's layout: 11 training and 6 validation videos of 3 classes."""
    root = tmp_path_factory.mktemp("data") / "ucf101"
    generator = np.random.default_rng(0)
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for number, name in enumerate(CLASSES):
        for group in range(1, 7):
            if (name, group) != ("Up", 1):  # 11 clips leave an uneven last batch
                video = f"{name}/v_{name}_g{group:02}_c01.avi"
                write_video(root / "UCF-101" / video, moving_square(number, generator), 25.0)
                split, label = ("train", f" {number + 1}") if group <= 4 else ("test", "")
                lists[split].append(video + label)
    folder = root / "ucfTrainTestlist"
    folder.mkdir()
    index = "".join(f"{number + 1} {name}\n" for number, name in enumerate(CLASSES))
    (folder / "classInd.txt").write_text(index)
    for split, lines in lists.items():
        (folder / f"{split}list01.txt").write_text("".join(f"{line}\n" for line in lines))
    return root


def moving_square(motion: int, generator: np.random.Generator) -> np.ndarray:
    """Return a bright square that moves left, right or up over noise."""
    frames = generator.integers(0, 60, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    for t, frame in enumerate(frames):
        x = (50 - 4 * t, 4 * t, 30)[motion]
        y = (20, 20, 36 - 3 * t)[motion]
        frame[max(y, 0) : y + SQUARE, max(x, 0) : x + SQUARE] = 220
    return frames


@pytest.fixture(scope="module")
def trained(data: Path, launch: Launch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs that nothing interrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert launch("train", "x3d", "--data", data, *TINY, *EPOCHS, "-o", out) == 0
    return out


@pytest.fixture(scope="module")
def seconds(trained: Path) -> float:
    """How long that run took after its settings were written."""
    written = (trained / "config.toml").stat().st_mtime
    return (trained / "model.safetensors").stat().st_mtime - written


def log_without_timings(directory: Path) -> list[dict[str, str]]:
    with (directory / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in TIMINGS} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "seed"),
    [((), 0), (("--checkpoint-every", "1"), 1), (("--checkpoint-every", "2", "--workers", "2"), 2)],
)
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(
    data: Path,
    trained: Path,
    seconds: float,
    launch: Launch,
    tmp_path: Path,
    options: tuple[str, ...],
    seed: int,
) -> None:
    out = tmp_path / "run"
    words = ("train", "x3d", "--data", data, *TINY, *EPOCHS, *options, "-o", out, "--resume")
    shares = np.random.default_rng(seed).uniform((0.1, 0.2, 0.4), (0.2, 0.4, 0.6))
    endings = [launch(*words, seconds=share * seconds) for share in shares]
    assert -signal.SIGKILL in endings
    assert launch(*words) == 0
    assert (out / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    assert log_without_timings(out) == log_without_timings(trained)


@pytest.mark.slow
def test_two_processes_learn_like_one(data: Path, launch: Launch, tmp_path: Path) -> None:
    # Of the last batch's single clip the second process has none.
    words = ["train", "abn", "--data", data, *TINY, *EPOCHS, "--batch-size", "5", "--json", "-o"]
    assert launch(*words, tmp_path / "one") == 0
    (first, said), second = launch.together(*words, tmp_path / "two")
    assert (first, *second) == (0, 0, "")  # one process alone prints
    assert len(json.loads(said)) == 1
    one, two = (log_without_timings(tmp_path / name) for name in ("one", "two"))
    assert len(one) == len(two) == 3
    for alone, shared in zip(one, two, strict=True):
        assert alone.keys() == shared.keys()
        for name, value in alone.items():
            assert float(shared[name]) == pytest.approx(float(value), rel=1e-3), name


def test_a_finished_run_is_left_alone(
    data: Path, trained: Path, run_cli: Callable[..., Any]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*.pt")}
    answer = run_cli(
        "train", "x3d", "--data", data, *TINY, *EPOCHS, "-o", trained, "--resume", "--json"
    )
    assert answer.exit_code == 0
    assert "this run is complete; nothing to do" in answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["run"], row["method"], row["clips"]) == (str(trained), "x3d", 6)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*.pt")} == before


@pytest.mark.slow
def test_a_run_can_be_given_more_epochs(
    data: Path, trained: Path, launch: Launch, tmp_path: Path
) -> None:
    words = ("train", "x3d", "--data", data, *TINY, "-o", tmp_path / "run", "--resume")
    assert launch(*words, "--epochs", "1") == 0
    assert launch(*words, *EPOCHS) == 0
    weights = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert weights == (trained / "model.safetensors").read_bytes()
    assert log_without_timings(tmp_path / "run") == log_without_timings(trained)


def test_other_settings_than_it_was_begun_with_are_refused(
    data: Path, trained: Path, run_cli: Callable[..., Any]
) -> None:
    words = ("train", "x3d", "--data", data, *TINY, *EPOCHS, "-o", trained, "--resume")
    answer = run_cli(*words, "--seed", "5", "--flip", "none", "--workers", "1")
    assert answer.exit_code == 2
    assert "begun with other settings: --flip, --seed" in answer.stderr
    assert "--workers" not in answer.stderr


def test_a_dry_run_counts_and_touches_nothing(
    data: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("train", "abn", "--data", data, *TINY, "-o", tmp_path / "run", "--dry-run", "--json")
    plan = json.loads(run_cli(*words).stdout)[0]
    assert (plan["train_clips"], plan["val_clips"], plan["classes"]) == (11, 6, 3)
    assert plan["parameters"] > 10_000
    assert (plan["epochs"], plan["out"]) == (50, str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--init", "gone.safetensors"), 1, "gone.safetensors: no such"),
        (("--weights", "gone.pth"), 1, "gone.pth: no such"),
        (("--device", "cuda:99"), 4, "--device: "),
        (("--overwrite", "--resume"), 2, "--overwrite and --resume"),
    ],
)
def test_a_dry_run_refuses_what_training_would(
    data: Path,
    run_cli: Callable[..., Any],
    tmp_path: Path,
    options: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    words = ("train", "x3d", "--data", data, *TINY, "-o", tmp_path / "run", "--dry-run")
    answer = run_cli(*words, *options)
    assert answer.exit_code == code
    assert message in answer.stderr
    assert not (tmp_path / "run").exists()


def test_a_dry_run_refuses_weights_of_another_network(
    data: Path, trained: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("train", "x3d", "--data", data, *TINY, "-o", tmp_path / "run", "--dry-run")
    assert run_cli(*words, "--init", trained).exit_code == 0
    answer = run_cli(*words, "--width-factor", "1.0", "--init", trained)
    assert answer.exit_code == 1
    assert "another architecture" in answer.stderr


def test_a_dry_run_looks_at_the_run_that_is_there(
    data: Path, trained: Path, run_cli: Callable[..., Any]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    words = ("train", "x3d", "--data", data, *TINY, *EPOCHS, "-o", trained, "--dry-run", "--json")
    assert "exists already" in run_cli(*words).stderr
    (plan,) = json.loads(run_cli(*words, "--resume").stdout)
    assert (plan["epochs_done"], plan["epochs"]) == (3, 3)
    answer = run_cli(*words, "--resume", "--seed", "5")
    assert answer.exit_code == 2
    assert "begun with other settings: --seed" in answer.stderr
    (plan,) = json.loads(run_cli(*words, "--overwrite").stdout)
    assert "epochs_done" not in plan
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


@pytest.fixture
def damaged(data: Path, tmp_path: Path) -> Path:
    """The dataset with one training and one validation video cut to nothing."""
    copy = tmp_path / "damaged"
    shutil.copytree(data, copy)
    for name in ("Left/v_Left_g01_c01.avi", "Up/v_Up_g06_c01.avi"):
        (copy / "UCF-101" / name).write_bytes(b"no video")
    return copy


def test_unreadable_videos_are_named_and_the_rest_is_done(
    damaged: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    answer = run_cli("train", "x3d", "--data", damaged, *TINY, "--epochs", "1", "-o", out)
    assert answer.exit_code == 3
    failed = [failure.id for failure in read_failures(out / "failures.jsonl")]
    assert failed == ["Left/v_Left_g01_c01", "Up/v_Up_g06_c01"]
    assert (out / "model.safetensors").exists()


def test_training_begins_with_the_weights_of_another_run(
    data: Path, trained: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("train", "x3d", "--data", data, *TINY, "--epochs", "1", "--lr", "1e-12", "-o", out)
    assert run_cli(*words, "--init", trained).exit_code == 0
    first, second = (load_file(path / "model.safetensors") for path in (trained, out))
    name = "blocks.5.proj.weight"
    torch.testing.assert_close(first[name], second[name])


def test_weights_of_another_architecture_are_refused(
    data: Path, trained: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    answer = run_cli("train", "abn", "--data", data, *TINY, "--init", trained, "-o", out)
    assert answer.exit_code == 1
    assert "the weights are of another architecture (missing: " in answer.stderr


def test_a_checkpoint_of_another_architecture_is_not_taken_up(
    data: Path, trained: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    state = read_checkpoint(out / "checkpoints" / "last.pt")
    state["model"]["blocks.5.proj.weight"] = torch.zeros(5, 5)
    torch.save(state, out / "checkpoints" / "last.pt")
    (out / "model.safetensors").unlink()
    answer = run_cli("train", "x3d", "--data", data, *TINY, *EPOCHS, "-o", out, "--resume")
    assert answer.exit_code == 1
    assert "of another shape: blocks.5.proj.weight" in answer.stderr


def test_a_loss_that_is_no_number_ends_in_one_line(
    data: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("train", "x3d", "--data", data, *TINY, *EPOCHS, "--optimizer", "sgd", "-o", out)
    answer = run_cli(*words, "--lr", "1e35", "--checkpoint-every", "1")
    assert answer.exit_code == 1
    assert "the loss is no longer finite in epoch 1, step" in answer.stderr
    assert not (out / "model.safetensors").exists()


def test_masks_that_are_nowhere_are_missed_before_anything_is_written(
    data: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    masks, out = tmp_path / "masks", tmp_path / "run"
    answer = run_cli("train", "object-abn", "--data", data, "--masks", masks, *TINY, "-o", out)
    assert answer.exit_code == 1
    assert "masks: no such directory of masks; make it: attncli segment" in answer.stderr
    assert not out.exists()


def test_object_abn_learns_from_masks_and_names_clips_without(
    data: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    masks, out = tmp_path / "masks", tmp_path / "run"
    pixels = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    pixels[20:30, 20:40] = True
    videos = sorted((data / "UCF-101").glob("*/*.avi"))
    for video in videos[1:]:
        with MaskWriter(masks, f"{video.parent.name}/{video.stem}") as writer:
            for frame in range(FRAMES):
                instance = Instance.of(pixels, category="square", score=1.0)
                writer.write(FrameMasks(frame, (HEIGHT, WIDTH), (instance,)))
    words = ("train", "object-abn", "--data", data, "--masks", masks, *TINY, "--epochs", "2")
    assert run_cli(*words, "-o", out).exit_code == 3
    assert [failure.id for failure in read_failures(out / "failures.jsonl")] == [
        f"{videos[0].parent.name}/{videos[0].stem}"
    ]
    assert all(0 < float(row["loss_mask"]) < 1 for row in log_without_timings(out))


def test_training_clips_are_augmented_and_validation_clips_are_not(data, tmp_path):
    config = X3DConfig(
        data=data,
        weights="none",
        frames=4,
        frame_stride=2,
        crop_px=32,
        short_side_min_px=32,
        short_side_max_px=40,
        short_side_val_px=32,
        batch_size=4,
        workers=0,
    )
    dataset = open_dataset(data, split="train")
    world = World(rank=0, size=1, device=torch.device("cpu"))

    def crops(loader):
        batches = list(loader)
        order = torch.cat([batch.rows for batch in batches]).argsort()
        return torch.cat([batch.crops for batch in batches])[order]

    source = VideoSource(config)
    training = _training_samples(source, dataset, ClipGuidance(), config, world)
    training.order.begin(0, 0)
    assert len(crops(training.loader).unique(dim=0)) > 1
    run = Run(RunDirectory(tmp_path), "x3d", config, dataset.classes)
    validation = crops(_validation(run, source, dataset, config, world, Silent()).batches)
    assert len(validation.unique(dim=0)) == 1  # all videos have one size, so one centre square
