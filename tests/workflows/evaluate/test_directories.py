"""Runs and seeds of the native layout of VOC2012, by the command."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.config.evaluate import EvaluateCall
from attncli.data.layouts.voc2012 import CLASSES
from attncli.errors import AttncliError, UsageError
from attncli.files.label_maps import write_label_map
from attncli.files.seeds import write_description
from attncli.reporting import Silent
from attncli.workflows.evaluate import directories
from attncli.workflows.evaluate.directories import evaluate
from tests.support.features import make_people
from tests.support.people import make_people_images
from tests.support.runs import begin_run, make_run

Run = Callable[..., Any]
IDS = {"train": ("a", "b"), "val": ("v1", "v2"), "test": ("t1", "t2")}
SIZE_HW = (24, 32)
ONE_LOOK = {"eval_scales": (1.0,), "eval_flip": False, "eval_crf": False}


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Images of all splits; the true label maps of test images are broken, as nobody reads them."""
    root = tmp_path / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, ids in IDS.items():
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(ids) + "\n")
        for id_ in ids:
            pixels = rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)
            Image.fromarray(pixels).save(root / "JPEGImages" / f"{id_}.jpg")
            truth = np.zeros(SIZE_HW, np.uint8)
            truth[:, 16:] = 8
            write_label_map(root / "SegmentationClass" / f"{id_}.png", truth)
    for id_ in IDS["test"]:
        (root / "SegmentationClass" / f"{id_}.png").write_bytes(b"nothing")
    return root


@pytest.fixture
def run(tmp_path: Path, voc: Path) -> Path:
    return make_run(tmp_path / "seg", "segmentation", voc, CLASSES, seeds=tmp_path, **ONE_LOOK)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    path = tmp_path / "seeds"
    for id_ in IDS["val"]:
        write_label_map(path / f"{id_}.png", np.zeros(SIZE_HW, np.uint8))
    ids = IDS["val"]
    write_description(path, stage="psa", parameters={}, classes=CLASSES, ids=ids, parents={})
    return path


def test_runs_and_seeds_are_scored_by_one_rule_in_their_order(
    run: Path, seeds: Path, voc: Path, run_cli: Run
) -> None:
    words = ("--data", voc, "--split", "val", "--device", "cpu", "-j", "0", "--json")
    answer = run_cli("eval", seeds, run, *words)
    assert answer.exit_code == 0, answer.stderr
    of_seeds, of_run = json.loads(answer.stdout)
    assert (of_seeds["method"], of_seeds["miou"], of_seeds["classes"]) == ("psa", 25, 2)
    assert (of_run["method"], of_run["images"], of_run["unlabelled"]) == ("segmentation", 2, 0)
    # What a run wrote is a seed directory itself, and has the same figures.
    again = run_cli("eval", run / "eval" / "val" / "label_maps", *words)
    (same,) = json.loads(again.stdout)
    figures = ("images", "miou", "pixel_accuracy", "undefined", "classes")
    assert [same[name] for name in figures] == [of_run[name] for name in figures]


def test_more_looks_are_said_to_be_otherwise_than_the_run(run: Path, run_cli: Run) -> None:
    words = ("--device", "cpu", "-j", "0", "--json", "--scales", "0.5,1", "--crf", "--flip")
    answer = run_cli("eval", run, *words)
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["scales"], row["crf"], row["flip"]) == ("0.5,1", "yes", "yes")


def test_test_images_are_packed_and_nothing_is_known_of_them(
    run: Path, tmp_path: Path, run_cli: Run
) -> None:
    archive = tmp_path / "out.tgz"
    words = ("--split", "test", "--pack", archive, "--device", "cpu", "-j", "0", "--json")
    answer = run_cli("eval", run, *words)
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["split"], row["images"], row["unlabelled"], row["miou"]) == ("test", 2, 2, None)
    with tarfile.open(archive) as tar:
        assert [Path(name).name for name in tar.getnames()] == ["t1.png", "t2.png"]


def test_an_image_that_cannot_be_read_is_named_and_not_packed(
    run: Path, voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    (voc / "JPEGImages" / "t1.jpg").write_bytes(b"nothing")
    words = ("--split", "test", "--device", "cpu", "-j", "0", "--json")
    answer = run_cli("eval", run, *words)
    assert (answer.exit_code, json.loads(answer.stdout)[0]["failed"]) == (3, 1)
    answer = run_cli("eval", run, "--pack", tmp_path / "out.tgz", *words)
    assert answer.exit_code == 1
    assert "holds no label map of t1" in answer.stderr


def test_a_missing_run_is_told_before_seeds_are_scored(
    seeds: Path, voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "evaluate_seeds", lambda *_, **__: pytest.fail("too early"))
    call = EvaluateCall(runs=(seeds, tmp_path / "absent"), data=voc, device="cpu")
    with pytest.raises(AttncliError, match="no such run"):
        evaluate(call, reporter=Silent())


def test_a_training_list_is_for_seeds(tmp_path: Path, voc: Path) -> None:
    run = begin_run(tmp_path / "cam", "cam", voc, CLASSES)
    with pytest.raises(UsageError, match=r"^--train-list: .* has its own"):
        evaluate(EvaluateCall(runs=(run,), train_list="train"), reporter=Silent())


def test_features_and_networks_are_scored_in_their_order(run: Path, tmp_path: Path) -> None:
    features = make_people(tmp_path / "f")
    call = EvaluateCall(runs=(features, run), device="cpu", workers=0)
    rows = evaluate(call, reporter=Silent()).rows
    assert [row["method"] for row in rows] == ["features", "segmentation"]


def test_how_people_are_ranked_is_told_to_what_looks_for_people_alone(
    run: Path, seeds: Path, voc: Path, tmp_path: Path
) -> None:
    features = make_people(tmp_path / "f")
    for runs, data in (((features, run), None), ((seeds,), voc)):
        call = EvaluateCall(runs=runs, data=data, unmatched="zero", device="cpu")
        with pytest.raises(UsageError, match=r"^--unmatched: is about people, whom"):
            evaluate(call, reporter=Silent())
    call = EvaluateCall(runs=(run,), multi_query=True, device="cpu")
    with pytest.raises(UsageError, match=r"^--multi-query: .*, whom .*seg does not look"):
        evaluate(call, reporter=Silent())


def test_networks_of_people_are_told_how_people_are_ranked(tmp_path: Path) -> None:
    data = make_people_images(tmp_path / "people")
    lines = (data / "manifest.csv").read_text().replace(",8,2,gallery", ",,2,gallery")
    (data / "manifest.csv").write_text(lines + "more/7,gallery_7.png,,val,7,1,multi-query\n")
    run = make_run(tmp_path / "pcb", "pcb", data, ("7", "8"))

    def ask(**ways: Any) -> Any:
        call = EvaluateCall(runs=(run,), device="cpu", workers=0, **ways)
        (row,) = evaluate(call, reporter=Silent()).rows
        return row

    skip, zero = ask(), ask(unmatched="zero")
    assert skip["queries_without_match"] == zero["queries_without_match"] == 1
    assert (skip["rank20"], zero["rank20"], zero["unmatched"]) == (100, 50, "zero")
    with pytest.raises(AttncliError, match="no image is a query together with query/8"):
        ask(multi_query=True)
    with (data / "manifest.csv").open("a") as file:
        file.write("more/8,gallery_8.png,,val,8,1,multi-query\n")
    several = ask(multi_query=True)
    assert (several["images"], several["queries"], several["multi_query"]) == (6, 2, "yes")


def test_a_dry_run_says_what_would_be_done(run: Path, seeds: Path, voc: Path) -> None:
    call = EvaluateCall(runs=(run, seeds), data=voc, device="cpu")
    rows = evaluate(call, dry_run=True, reporter=Silent()).rows
    assert [(row["run"], row["images"]) for row in rows] == [(str(run), 2), (str(seeds), 2)]
    assert not (run / "eval").exists()
