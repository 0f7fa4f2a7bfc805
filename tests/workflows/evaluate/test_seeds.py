import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.config.evaluate import EvaluateCall
from attncli.errors import AttncliError, UsageError
from attncli.files.failures import read_failures
from attncli.files.label_maps import write_label_map
from attncli.files.metrics import read_metrics
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import write_description, write_seed
from attncli.metrics.segmentation import mean_iou_percent, pixel_confusion
from attncli.reporting import Outcome, Silent
from attncli.training.distributed import World
from attncli.workflows.evaluate.seeds import evaluate_seeds, is_of_seeds
from tests.support.runs import begin_run

CLASSES = ("cat", "dog")
IDS = ("a", "b", "deep/c", "d")
SIZE_HW = (6, 9)


def truth_of(id_: str) -> np.ndarray:
    """Background above, one class below it, and a line that counts for nothing."""
    number = IDS.index(id_)
    labels = np.zeros(SIZE_HW, np.uint8)
    labels[3:] = 1 + number % 2
    labels[2, :number] = 255
    return labels


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Images in a manifest; nobody knows the labels of the pixels of the last one."""
    root = tmp_path / "images"
    (root / "deep").mkdir(parents=True)
    lines = ["id,path,label,split,label_map"]
    for number, id_ in enumerate(IDS):
        Image.fromarray(np.full((*SIZE_HW, 3), 40 * number, np.uint8)).save(root / f"{id_}.png")
        write_label_map(root / "maps" / f"{id_}.png", truth_of(id_))
        label_map = "" if id_ == "d" else f"maps/{id_}.png"
        lines.append(f"{id_},{id_}.png,{CLASSES[number % 2]},train,{label_map}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def describe(path: Path, stage: str, classes: tuple[str, ...] = CLASSES) -> Path:
    write_description(path, stage=stage, parameters={}, classes=classes, ids=IDS, parents={})
    return path


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """Seeds one row too high, with a pixel of no class."""
    path = tmp_path / "seeds" / "psa"
    for id_ in IDS:
        labels = np.roll(np.where(truth_of(id_) == 255, 0, truth_of(id_)), -1, axis=0)
        labels[5] = labels[4]
        labels[0, 0] = 255
        classes = np.array([0, labels.max(where=labels < 255, initial=0)])
        scores = (labels == classes[:, None, None]).astype(np.float32)
        write_seed(path, id_, labels.astype(np.uint8), classes, scores)
    return describe(path, "psa")


@pytest.fixture
def cams(tmp_path: Path) -> Path:
    """Class activation maps that are right where they are above 0.3."""
    path = tmp_path / "cams"
    rng = np.random.default_rng(0)
    for id_ in IDS:
        is_class = truth_of(id_) % 255 > 0
        scores = np.where(is_class, rng.uniform(0.35, 1, SIZE_HW), rng.uniform(0, 0.25, SIZE_HW))
        write_score_maps(path, id_, np.array([1 + IDS.index(id_) % 2]), scores[None])
    return describe(path, "cam")


def evaluate(*paths: Path, **options: Any) -> Outcome:
    ways = {name: options.pop(name) for name in ("dry_run", "world") if name in options}
    call = EvaluateCall(runs=paths, **{"split": "train", "device": "cpu", "workers": 1} | options)
    return evaluate_seeds(call, paths, **ways, reporter=Silent())


def counted(labels: dict[str, np.ndarray]) -> np.ndarray:
    pairs = [(truth_of(id_), labels[id_]) for id_ in IDS if id_ != "d"]
    return sum(pixel_confusion(t, g.astype(np.uint8), n_labels=3) for t, g in pairs)


def shown(path: Path) -> dict[str, np.ndarray]:
    return {id_: np.array(Image.open(path / f"{id_}.png")) for id_ in IDS}


def test_the_figures_are_those_of_one_table_of_all_pixels(seeds: Path, data: Path) -> None:
    outcome = evaluate(seeds, data=data)
    expected = counted(shown(seeds))
    (row,) = outcome.rows
    assert row == {
        "run": str(seeds),
        "method": "psa",
        "split": "train",
        "images": 4,
        "failed": 0,
        "unlabelled": 1,
        "miou": pytest.approx(mean_iou_percent(expected)),
        "undefined": 3,
        "pixel_accuracy": pytest.approx(100 * expected.trace() / expected.sum()),
        "classes": 3,
    }
    assert outcome.failures == []
    out = seeds / "eval" / "train"
    assert read_metrics(out / "metrics.json") == row
    assert sorted(path.name for path in out.iterdir()) == [
        "classes.csv",
        "confusion.csv",
        "metrics.json",
    ]
    with (out / "confusion.csv").open() as table:
        header, *lines = csv.reader(table)
    assert header == ["class", "background", *CLASSES, "undefined"]
    assert [list(map(int, line[1:])) for line in lines] == expected.tolist()


def test_seeds_that_cannot_be_used_are_named_and_the_rest_is_scored(
    seeds: Path, data: Path, tmp_path: Path
) -> None:
    alone = evaluate(seeds, data=data).rows[0]
    others = shutil.copytree(seeds, tmp_path / "others")
    (others / "a.png").unlink()
    (others / "a.npz").unlink()
    content = (others / "b.png").read_bytes()
    (others / "b.png").write_bytes(content[: len(content) // 2])
    write_label_map(others / "d.png", np.zeros((6, 8), np.uint8))
    outcome = evaluate(others, data=data)
    (row,) = outcome.rows
    assert (row["images"], row["failed"], row["unlabelled"]) == (1, 3, 0)
    assert row["miou"] != alone["miou"]
    named = {failure.id: failure for failure in outcome.failures}
    assert sorted(named) == ["a", "b", "d"]
    assert "no seed" in named["a"].error
    assert named["b"].path == str(others / "b.png")
    assert "8x6" in named["d"].error
    assert read_failures(others / "eval" / "train" / "failures.jsonl") == sorted(
        outcome.failures, key=lambda failure: failure.id
    )


def test_images_and_true_label_maps_that_cannot_be_read_are_named(seeds: Path, data: Path) -> None:
    (data / "maps" / "a.png").write_bytes(b"nothing")
    (data / "b.png").unlink()
    outcome = evaluate(seeds, data=data)
    assert {failure.path for failure in outcome.failures} == {
        str(data / "maps" / "a.png"),
        str(data / "b.png"),
    }
    assert (outcome.rows[0]["images"], outcome.rows[0]["failed"]) == (2, 2)


def test_where_nothing_can_be_scored_there_is_a_row_without_a_figure(
    seeds: Path, data: Path
) -> None:
    for path in seeds.rglob("*.png"):
        path.write_bytes(b"nothing")
    (row,) = evaluate(seeds, data=data).rows
    assert (row["images"], row["failed"], row["miou"], row["classes"]) == (0, 4, None, 0)


def test_activation_maps_are_scored_beside_a_power_by_default(cams: Path, data: Path) -> None:
    (row,) = evaluate(cams, data=data).rows
    assert (row["method"], row["background"]) == ("cam", "power 16")
    (other,) = evaluate(cams, data=data, background_power=2.0).rows
    assert (other["background"], other["miou"]) != ("power 16", row["miou"])


def test_a_constant_background_is_found_by_the_truth(cams: Path, data: Path) -> None:
    (row,) = evaluate(cams, data=data, background_oracle=True).rows
    assert row["miou"] == pytest.approx(100)
    assert isinstance(row["background"], str)
    kind, constant = row["background"].split()
    assert kind == "oracle"
    (same,) = evaluate(cams, data=data, background_score=float(constant)).rows
    assert (same["background"], same["miou"]) == (f"score {float(constant):g}", 100)
    (worse,) = evaluate(cams, data=data, background_score=0.8).rows
    assert worse["miou"] < 100


def test_seeds_that_know_their_background_take_no_other(seeds: Path, data: Path) -> None:
    for way in ({"background_oracle": True}, {"background_score": 0.5}):
        with pytest.raises(UsageError, match="says itself where the background is"):
            evaluate(seeds, data=data, **way)


def test_the_activation_maps_of_a_run_are_scored_on_its_own_data(
    cams: Path, data: Path, tmp_path: Path
) -> None:
    run = begin_run(tmp_path / "run", "cam", data, CLASSES)
    with pytest.raises(AttncliError, match="no class activation maps of split 'train'"):
        evaluate(run, background_oracle=True)
    shutil.copytree(cams, run / "eval" / "train" / "score_maps")
    (row,) = evaluate(run, background_oracle=True).rows
    assert (row["run"], row["method"], row["miou"]) == (str(run), "cam", 100)


def test_seeds_are_told_from_runs(seeds: Path, data: Path, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", "cam", data, CLASSES)
    plain = EvaluateCall(runs=(run,))
    assert (is_of_seeds(seeds, plain), is_of_seeds(run, plain)) == (True, False)
    assert is_of_seeds(run, EvaluateCall(runs=(run,), background_score=0.2))


def test_figures_of_processes_add_up(
    seeds: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(seeds, data=data).rows
    tallies: list[Any] = []

    def gather(self: World, item: Any) -> list[Any]:
        tallies.append(item)
        return tallies

    monkeypatch.setattr(World, "gather", gather)
    monkeypatch.setattr(World, "wait", lambda self: None)
    for rank in (1, 0):
        outcome = evaluate(seeds, data=data, world=World(rank, 2, torch.device("cpu")))
        assert outcome.rows == ([] if rank else whole)


def test_a_dry_run_touches_nothing(seeds: Path, data: Path) -> None:
    (row,) = evaluate(seeds, data=data, dry_run=True).rows
    assert (row["images"], row["out"]) == (4, str(seeds / "eval" / "train"))
    assert not (seeds / "eval").exists()


def test_seeds_of_other_classes_are_refused(seeds: Path, data: Path) -> None:
    describe(seeds, "psa", ("cat", "cow"))
    with pytest.raises(AttncliError, match="class 2 is cow here and dog there"):
        evaluate(seeds, data=data)


@pytest.mark.parametrize(
    ("flag", "options"),
    [
        ("--data", {}),
        ("--split", {"split": "test"}),
        ("--frames", {"frames": 4}),
        ("--scales", {"scales": (1.0,)}),
        ("--crf", {"crf": True}),
        ("--checkpoint", {"checkpoint": "best"}),
        ("--temporal-edits", {"temporal_edits": Path("e.csv")}),
    ],
)
def test_what_seeds_do_not_answer_is_refused(
    seeds: Path, flag: str, options: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=f"^{flag}"):
        evaluate(seeds, **options)


def test_the_command_scores_several_directories_in_their_order(
    seeds: Path, cams: Path, data: Path, run_cli: Any
) -> None:
    words = ("--data", data, "--split", "train", "--json", "-j", "1", "--device", "cpu")
    answer = run_cli("eval", cams, seeds, *words)
    assert answer.exit_code == 0, answer.stderr
    assert [row["method"] for row in json.loads(answer.stdout)] == ["cam", "psa"]
    (seeds / "a.png").write_bytes(b"")
    answer = run_cli("eval", seeds, *words)
    assert (answer.exit_code, json.loads(answer.stdout)[0]["failed"]) == (3, 1)
    assert "1 could not be used" in answer.stderr
