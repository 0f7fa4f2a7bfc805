"""Networks that learn from seeds, from the command line to their evaluation."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.data.images.label_maps import read_label_map
from attncli.files.failures import read_failures
from attncli.files.score_maps import write_score_maps
from tests.support.seeds import (
    CAT,
    SIZES,
    contents,
    describe_seeds,
    write_list,
    write_seeds,
    write_voc,
)

Run = Callable[..., Any]
TINY = (
    *("--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--workers", "0"),
    *("--crop-px", "32", "--long-side-min-px", "32", "--long-side-max-px", "40"),
    *("--epochs", "1", "--batch-size", "4", "--device", "cpu", "--json"),
)
SEGMENTER = ("--width", "8", "--dilation", "1", "--eval-scales", "1", "--no-eval-crf")
DIFFERENCES = (*SEGMENTER, "--difference-width", "8", "--exclude", "none")


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Images with class activation maps, knowledge and advice."""
    write_seeds(tmp_path / "cams", background=False)
    write_seeds(tmp_path / "knowledge", shift=2)
    write_seeds(tmp_path / "advice", seed=1)
    return write_voc(tmp_path / "VOC2012", val=("a", "plain"))


def words_of(method: str, voc: Path) -> tuple[object, ...]:
    place = voc.parent
    own = {
        "psa": ("--cams", place / "cams", "--crf-iterations", "1", "--radius", "2"),
        "segmentation": ("--seeds", place / "knowledge", *SEGMENTER),
        "ssdd": ("--knowledge", place / "knowledge", "--advice", place / "advice", *DIFFERENCES),
        "ssdd-dynamic": ("--seeds", place / "knowledge", *DIFFERENCES, "--crf-iterations", "1"),
    }[method]
    return ("train", method, "--data", voc, *own, "-o", place / "run", *TINY)


def losses(run: Path) -> dict[str, float]:
    """Return the losses of the last epoch by name."""
    with (run / "log.csv").open(encoding="utf-8") as file:
        line = list(csv.DictReader(file))[-1]
    return {name: float(value) for name, value in line.items() if "loss" in name and value}


def assert_finite(losses: dict[str, float]) -> None:
    assert losses
    assert all(math.isfinite(loss) for loss in losses.values())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["psa", "segmentation", "ssdd", "ssdd-dynamic"])
def test_a_network_learns_from_seeds_and_is_evaluated(
    method: str, voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    answer = run_cli(*words_of(method, voc))
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["method"], row["images"], row["failed"]) == (method, 2, 0)
    assert ("pairs_right" if method == "psa" else "miou") in row
    assert_finite(losses(tmp_path / "run"))
    if method == "psa":
        assert "pairs of cells to learn from: foreground cells" in answer.stderr
    else:
        label_map = tmp_path / "run" / "eval" / "val" / "label_maps" / "a.png"
        assert read_label_map(label_map, n_classes=20).shape == SIZES["a"]
    again = run_cli(*words_of(method, voc), "--resume")
    assert (again.exit_code, "this run is complete; nothing to do" in again.stderr) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["psa", "ssdd"])
def test_images_without_a_seed_are_named_and_the_others_are_learnt_from(
    method: str, voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    for name in ("cams", "advice"):
        for path in (tmp_path / name).glob("b.c.*"):
            path.unlink()
    scores = np.full((1, 1, 1), np.nan, np.float16)
    for name in ("cams", "advice"):
        np.savez(tmp_path / name / "one.npz", classes=np.array([CAT]), scores=scores)
    answer = run_cli(*words_of(method, voc))
    assert answer.exit_code == 3, answer.stderr
    failures = read_failures(tmp_path / "run" / "failures.jsonl")
    assert {failure.id for failure in failures} == {"b.c", "one"}
    assert any("one.npz: row 0: a value is not finite" in failure.error for failure in failures)
    assert_finite(losses(tmp_path / "run"))


@pytest.mark.parametrize("method", ["psa", "segmentation", "ssdd", "ssdd-dynamic"])
def test_seeds_of_something_else_are_refused_before_anything_is_written(
    method: str, voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    for name in ("cams", "knowledge"):
        for path in [*(tmp_path / name).rglob("*.np?"), *(tmp_path / name).rglob("*.png")]:
            path.unlink()
        for image_id in SIZES:
            other = np.zeros((1, 3, 5), np.float32)
            write_score_maps(tmp_path / name, image_id, np.array([0]), other)
    before = contents(tmp_path)
    answer = run_cli(*words_of(method, voc))
    assert (answer.exit_code, len(answer.stderr.strip().splitlines())) == (1, 1)
    assert "was made for images of other sizes: the seed of a is 5x3" in answer.stderr
    for name in ("cams", "knowledge"):
        describe_seeds(tmp_path / name, "psa", ("cat", "dog"))
    answer = run_cli(*words_of(method, voc), "--dry-run")
    assert (answer.exit_code, "was made for 2 classes" in answer.stderr) == (1, True)
    for name in ("cams", "knowledge"):
        describe_seeds(tmp_path / name, "cam" if name == "cams" else "psa")
        for image_id in SIZES:
            (tmp_path / name / f"{image_id}.npz").unlink()
    answer = run_cli(*words_of(method, voc))
    assert (answer.exit_code, "no seed of any of the 5 images" in answer.stderr) == (1, True)
    assert contents(tmp_path).keys() <= before.keys()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["psa", "ssdd", "ssdd-dynamic"])
@pytest.mark.parametrize("image_id", ["one", "plain"])
def test_one_image_is_enough_even_without_foreground(
    method: str, image_id: str, voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    write_list(voc, [image_id])
    answer = run_cli(*words_of(method, voc))
    assert answer.exit_code == 0, answer.stderr
    assert_finite(losses(tmp_path / "run"))


@pytest.mark.slow
def test_knowledge_that_is_the_advice_can_be_learnt_from(
    voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    answer = run_cli(*words_of("ssdd", voc), "--advice", tmp_path / "knowledge")
    assert answer.exit_code == 0, answer.stderr
    assert_finite(losses(tmp_path / "run"))


def test_an_image_without_a_label_is_refused(voc: Path, tmp_path: Path, run_cli: Run) -> None:
    (tmp_path / "labels.csv").write_text("id,label\na,cat;dog\nb.c,cat\ndeep/ü,dog\none,cat\n")
    answer = run_cli(*words_of("ssdd", voc), "--labels", tmp_path / "labels.csv")
    assert (answer.exit_code, (tmp_path / "run").exists()) == (1, False)
    assert "1 images of split 'train' have no label, such as plain" in answer.stderr
