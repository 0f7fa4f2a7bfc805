import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.config.refine_seeds import SsddSeedsCall, SsddSeedsConfig
from attncli.data.images.label_maps import read_label_map
from attncli.data.layouts.voc2012 import CLASSES
from attncli.errors import AttncliError, UsageError
from attncli.files.differences import read_differences
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import open_seeds
from attncli.reporting import Outcome, Silent
from attncli.workflows.refine_seeds.ssdd import refine_by_ssdd
from tests.support.runs import make_run
from tests.support.seeds import (
    DOG,
    SIZES,
    contents,
    describe_seeds,
    truth_of,
    write_list,
    write_seeds,
    write_voc,
)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "VOC2012")


@pytest.fixture
def run(tmp_path: Path, voc: Path) -> Path:
    """A network nobody trained, and the two seeds it is asked about."""
    pair = {"knowledge": tmp_path / "knowledge", "advice": tmp_path / "advice"}
    write_seeds(pair["knowledge"], shift=2)
    write_seeds(pair["advice"], seed=1)
    return make_run(tmp_path / "run", "ssdd", voc, CLASSES, exclude="any", **pair)


def refine(run: Path, out: Path, **changes: Any) -> Outcome:
    ways = {"dry_run": False, "overwrite": False, "resume": False}
    ways |= {name: changes.pop(name) for name in list(changes) if name in ways}
    place = run.parent
    of_images = {name: changes.pop(name) for name in ("split", "labels") if name in changes}
    data = changes.pop("data", place / "VOC2012")
    pair = {"knowledge": place / "knowledge", "advice": place / "advice"}
    config = SsddSeedsConfig(run=run, **{**pair, **changes})
    call = SsddSeedsCall(data=data, out=out, device="cpu", **of_images)
    return refine_by_ssdd(config, call, **ways, reporter=Silent())


def labels(folder: Path, image_id: str) -> np.ndarray:
    return read_label_map(folder / f"{image_id}.png", n_classes=20)


def test_where_seeds_agree_nothing_changes_and_elsewhere_one_of_them_is_taken(
    run: Path, tmp_path: Path
) -> None:
    outcome = refine(run, tmp_path / "out")
    assert (outcome.rows[0]["images"], outcome.failures) == (len(SIZES), [])
    for image_id, size_hw in SIZES.items():
        made = labels(tmp_path / "out", image_id)
        k, a = (labels(tmp_path / name, image_id) for name in ("knowledge", "advice"))
        assert ((made == k) | (made == a)).all()
        assert read_differences(tmp_path / "out", image_id).knowledge.shape == size_hw
    parents = open_seeds(tmp_path / "out").parents
    assert sorted(parents) == ["advice", "knowledge", "weights"]


@pytest.mark.parametrize(("bias", "taken"), [(9.0, "advice"), (-9.0, "knowledge")])
def test_a_bias_decides_where_it_is_large(
    run: Path, tmp_path: Path, bias: float, taken: str
) -> None:
    outcome = refine(run, tmp_path / "out", advice_bias=bias, class_bias=0.0)
    for image_id in SIZES:
        own, other = (labels(tmp_path / name, image_id) for name in ("out", taken))
        np.testing.assert_array_equal(own, other)
    assert outcome.rows[0]["advice_taken"] == (100 if taken == "advice" else 0)
    assert outcome.rows[0]["refined_miou"] == outcome.rows[0][f"{taken}_miou"]


def test_knowledge_that_is_the_advice_stays_what_it_is(run: Path, tmp_path: Path) -> None:
    outcome = refine(run, tmp_path / "out", advice=tmp_path / "knowledge")
    row = outcome.rows[0]
    assert (row["changed"], row["advice_taken"], row["advice_right"]) == (0, None, None)
    for image_id in SIZES:
        np.testing.assert_array_equal(
            labels(tmp_path / "out", image_id), labels(tmp_path / "knowledge", image_id)
        )


def test_the_order_of_the_list_and_an_interruption_change_no_file(
    run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = refine(run, out)
    whole = contents(out)
    assert {"report.csv", "images.csv", "classes.csv"} <= whole.keys()
    for name in ("b.c.png", "one.png", "one.difference.npz", "report.csv"):
        (out / name).unlink()
    write_list(tmp_path / "VOC2012", list(SIZES)[::-1])
    again = refine(run, out, resume=True)
    assert contents(out) == whole
    assert again.rows == first.rows


def test_images_that_cannot_be_used_are_named_and_left_out_of_the_report(
    run: Path, tmp_path: Path
) -> None:
    advice = tmp_path / "advice"
    (advice / "b.c.npz").unlink()
    (advice / "b.c.png").unlink()
    scores = np.full((2, 9, 30), np.nan, np.float16)
    np.savez(advice / "deep" / "ü.npz", classes=np.array([0, DOG]), scores=scores)
    write_score_maps(advice, "one", np.array([0, DOG]), np.ones((2, 1, 1), np.float32))
    outcome = refine(run, tmp_path / "out")
    problems = {failure.id: failure.error for failure in outcome.failures}
    assert list(problems) == ["b.c", "deep/ü", "one"]
    assert problems["b.c"] == f"{advice} has no seed of this image"
    assert "is not finite" in problems["deep/ü"]
    assert "one.npz: holds dog, which the image does not show" in problems["one"]
    assert (outcome.rows[0]["images"], outcome.rows[0]["failed"]) == (2, 3)
    with (tmp_path / "out" / "images.csv").open(encoding="utf-8") as file:
        assert [line["id"] for line in csv.DictReader(file)] == ["a", "plain"]


def test_an_image_without_labels_is_named(run: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id,label\na,cat;dog\nb.c,cat\ndeep/ü,dog\none,cat\n")
    outcome = refine(run, tmp_path / "out", labels=str(table))
    assert [failure.id for failure in outcome.failures] == ["plain"]
    assert "image plain has no labels" in outcome.failures[0].error


def test_a_pixel_that_is_ignored_stays_so(run: Path, tmp_path: Path) -> None:
    for name in ("knowledge", "advice"):
        place = describe_seeds(tmp_path / f"{name}_maps", "label-maps")
        for image_id in SIZES:
            drawn = truth_of(image_id)
            if name == "knowledge":
                drawn[0] = 255
            write_label_map(place / f"{image_id}.png", drawn)
    pair = {name: tmp_path / f"{name}_maps" for name in ("knowledge", "advice")}
    refine(run, tmp_path / "out", **pair)
    again = tmp_path / "again"  # the scores written say so too
    refine(run, again, knowledge=tmp_path / "out", advice=tmp_path / "out")
    for image_id in SIZES:
        expected = truth_of(image_id)
        expected[0] = 255
        np.testing.assert_array_equal(labels(tmp_path / "out", image_id), expected)
        np.testing.assert_array_equal(labels(again, image_id), expected)


def test_images_that_would_share_a_file_are_refused(run: Path, tmp_path: Path) -> None:
    images = tmp_path / "VOC2012" / "JPEGImages"
    (images / "a.difference.png").write_bytes((images / "a.png").read_bytes())
    write_list(tmp_path / "VOC2012", ["a", "a.difference"])
    (tmp_path / "labels.csv").write_text("id,label\na,cat\na.difference,cat\n")
    with pytest.raises(AttncliError, match=r"images a and a\.difference would share a file"):
        refine(run, tmp_path / "out", labels=str(tmp_path / "labels.csv"))
    assert not (tmp_path / "out").exists()


def test_other_classes_and_splits_without_labels_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--split val: has no image labels"):
        refine(run, tmp_path / "out", split="val")
    two = tmp_path / "two"
    two.mkdir()
    (two / "manifest.csv").write_text(
        "id,path,label,split\na,../VOC2012/JPEGImages/a.png,u,train\n"
    )
    with pytest.raises(AttncliError, match=r"two: class 1 is 'u' here and 'aeroplane' in .*run"):
        refine(run, tmp_path / "out", data=two)
    assert not (tmp_path / "out").exists()
