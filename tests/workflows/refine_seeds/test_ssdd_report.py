"""The figures of two images of 2x4 pixels, counted by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest

from attncli.data.samples import ImageSample
from attncli.files.differences import Differences, write_differences
from attncli.files.label_maps import write_label_map
from attncli.files.seeds import SeedDirectory, open_seeds, write_description
from attncli.workflows.refine_seeds.ssdd_report import write_report
from tests.support.reporters import Told
from tests.support.settings import tiny

CLASSES = ("cat", "dog")
MAPS = {
    # Six pixels differ; the truth is known of five of them.
    "x": {
        "truth": [[1, 1, 0, 0], [1, 2, 255, 0]],
        "knowledge": [[1, 0, 1, 2], [0, 0, 0, 0]],
        "advice": [[1, 1, 0, 1], [1, 1, 1, 0]],
        "refined": [[1, 1, 1, 2], [1, 0, 1, 0]],
        "segmented": [[1, 1, 1, 1], [1, 1, 1, 1]],
    },
    # Dog shrinks from four pixels to one; an ignored pixel does not differ.
    "y": {
        "truth": None,
        "knowledge": [[2, 2, 2, 2], [255, 0, 0, 0]],
        "advice": [[2, 0, 0, 0], [1, 0, 0, 0]],
        "refined": [[2, 0, 2, 2], [255, 0, 0, 0]],
        "segmented": [[0, 0, 0, 0], [0, 0, 0, 0]],
    },
}
SHOWN = {"x": frozenset({0}), "y": frozenset({1})}


@pytest.fixture
def samples(tmp_path: Path) -> list[ImageSample]:
    truth = tmp_path / "truth" / "x.png"
    write_label_map(truth, np.array(MAPS["x"]["truth"], np.uint8))
    return [
        ImageSample("y", tmp_path / "y.jpg", SHOWN["y"]),
        ImageSample("x", tmp_path / "x.jpg", SHOWN["x"], truth),
    ]


@pytest.fixture
def seeds(tmp_path: Path) -> dict[str, SeedDirectory]:
    for name in ("knowledge", "advice", "refined"):
        about = {"stage": name, "parameters": {}, "ids": list(MAPS), "parents": {}}
        write_description(tmp_path / name, classes=CLASSES, **about)
        for image_id, maps in MAPS.items():
            label_map = np.array(maps[name], np.uint8)
            write_label_map(tmp_path / name / f"{image_id}.png", label_map)
    for image_id, maps in MAPS.items():
        segmented, none = np.array(maps["segmented"], np.uint8), np.zeros((2, 4), np.float32)
        write_differences(tmp_path / "refined", image_id, Differences(none, none, segmented))
    return {name: open_seeds(tmp_path / name) for name in ("knowledge", "advice", "refined")}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_figures_are_those_counted_by_hand(
    samples: list[ImageSample], seeds: dict[str, SeedDirectory]
) -> None:
    row = write_report(samples, seeds, tiny("ssdd", exclude="any"), Told())
    # 6 of 8 pixels differ in x and 3 of 8 in y; the advice is taken at 3 and 1 of them.
    assert row["changed"] == pytest.approx(100 * 9 / 16)
    assert row["advice_taken"] == pytest.approx(100 * 4 / 9)
    assert row["excluded"] == 1
    # Of the 5 whose truth is known 3 are right in the advice, none in the knowledge.
    assert row["advice_right"] == pytest.approx(60)
    assert row["knowledge_right"] == 0
    assert row["neither_right"] == pytest.approx(40)
    # x, background: true at 3 pixels, known at 1 of 4; cat: 1 of 4; dog: 0 of 2.
    assert row["knowledge_miou"] == pytest.approx(100 * (1 / 6 + 1 / 4 + 0) / 3)
    # Background: 2 of 3; cat: 3 of 5; dog: 0 of 1.
    assert row["advice_miou"] == pytest.approx(100 * (2 / 3 + 3 / 5 + 0) / 3)
    # The oracle takes cat, cat, background, and elsewhere the knowledge.
    assert row["oracle_miou"] == pytest.approx(100 * (2 / 4 + 3 / 3 + 0 / 2) / 3)
    assert row["refined_miou"] == pytest.approx(100 * (1 / 4 + 3 / 4 + 0 / 2) / 3)
    assert row["segmentation_miou"] == pytest.approx(100 * (0 + 3 / 7 + 0) / 3)


def test_tables_are_in_the_order_of_ids(
    samples: list[ImageSample], seeds: dict[str, SeedDirectory]
) -> None:
    row = write_report(samples, seeds, tiny("ssdd", exclude="any"), Told())
    place = seeds["refined"].path
    (line,) = table(place / "report.csv")
    assert line.keys() == row.keys()
    assert float(line["changed"]) == row["changed"]
    x, y = table(place / "images.csv")
    assert (x["id"], x["pixels"], x["changed"], x["advice_taken"]) == ("x", "8", "6", "3")
    assert (x["advice_right"], x["knowledge_right"], x["excluded"]) == ("3", "0", "False")
    assert (y["id"], y["changed"], y["advice_taken"], y["advice_right"]) == ("y", "3", "1", "")
    assert y["excluded"] == "True"
    by_label = {line["label"]: line for line in table(place / "classes.csv")}
    # Advice that differs: background once in x and three times in y, cat five times in x.
    assert by_label["background"]["advised_pixels"] == "4"
    assert by_label["background"]["taken_percent"] == "25.0"
    assert (by_label["cat"]["advised_pixels"], by_label["cat"]["taken_pixels"]) == ("5", "3")
    assert by_label["dog"]["taken_percent"] == ""


def test_images_are_excluded_as_the_run_was_told(
    samples: list[ImageSample], seeds: dict[str, SeedDirectory]
) -> None:
    for changes in ({"exclude": "none"}, {"exclude": "any", "shrink_below": 0.25}):
        assert write_report(samples, seeds, tiny("ssdd", **changes), Told())["excluded"] == 0


def test_without_true_labels_nothing_is_said_of_who_is_right(
    samples: list[ImageSample], seeds: dict[str, SeedDirectory]
) -> None:
    row = write_report(samples[:1], seeds, tiny("ssdd"), Told())
    assert list(row) == ["changed", "advice_taken", "excluded"]
    assert write_report([], seeds, tiny("ssdd"), Told())["changed"] is None


@pytest.mark.parametrize("size_hw", [(3, 4), (2, 5)])
def test_true_labels_that_cannot_be_used_are_warned_of(
    samples: list[ImageSample], seeds: dict[str, SeedDirectory], size_hw: tuple[int, int]
) -> None:
    write_label_map(samples[1].label_map, np.zeros(size_hw, np.uint8))
    told = Told()
    row = write_report(samples, seeds, tiny("ssdd"), told)
    assert "oracle_miou" not in row
    assert [text[:44] for text in told.warnings] == [
        "left out of the figures on true labels: " + str(samples[1].label_map)[:4]
    ]


def test_an_image_whose_files_cannot_be_read_is_warned_of(
    samples: list[ImageSample], seeds: dict[str, SeedDirectory]
) -> None:
    (seeds["refined"].path / "y.difference.npz").write_bytes(b"PK")
    told = Told()
    row = write_report(samples, seeds, tiny("ssdd"), told)
    assert row["changed"] == pytest.approx(100 * 6 / 8)
    (warning,) = told.warnings
    assert warning.startswith("left out of the report: ")
    assert "y.difference.npz" in warning
