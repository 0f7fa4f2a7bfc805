import csv

import numpy as np
import pytest
from PIL import Image

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.differences import Differences, write_differences
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import write_description, write_seed
from attncli.reporting import Silent
from attncli.visualization.label_maps import Errors, Heat, Labels
from attncli.workflows.visualize import label_maps
from attncli.workflows.visualize.kinds import kind_of
from tests.support.runs import begin_run

CLASSES = ("cat", "dog")
IDS = ("a", "b", "c")
SIZE_HW = (12, 16)


def truth_of(id_):
    labels = np.zeros(SIZE_HW, np.uint8)
    labels[6:] = 1 + IDS.index(id_) % 2
    return labels


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "images"
    root.mkdir()
    lines = ["id,path,label,split,label_map"]
    for number, id_ in enumerate(IDS):
        Image.fromarray(np.full((*SIZE_HW, 3), 40 * number, np.uint8)).save(root / f"{id_}.png")
        write_label_map(root / f"{id_}_map.png", truth_of(id_))
        lines.append(f"{id_},{id_}.png,{CLASSES[number % 2]},train,{id_}_map.png")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def seeds(tmp_path):
    """Return what writes seeds that are right but for their upper rows."""

    def make(name, rows=3, *, differences=False):
        path = tmp_path / name
        for id_ in IDS:
            labels = truth_of(id_)
            labels[:rows] = 2
            classes = np.unique(labels).astype(np.int64)
            scores = (labels == classes[:, None, None]).astype(np.float32)
            write_seed(path, id_, labels, classes, scores)
            if differences:
                half = np.full(SIZE_HW, 0.5)
                write_differences(path, id_, Differences(half, half / 2, labels))
        describe(path, "ssdd" if differences else "psa")
        return path

    return make


def describe(path, stage):
    write_description(path, stage=stage, parameters={}, classes=CLASSES, ids=IDS, parents={})


@pytest.fixture
def cams(tmp_path):
    path = tmp_path / "cams"
    for id_ in IDS:
        scores = np.stack([np.full(SIZE_HW, 0.25), np.full(SIZE_HW, 0.75)])
        write_score_maps(path, id_, np.array([1, 2]), scores)
    describe(path, "cam")
    return path


@pytest.fixture
def drawn(monkeypatch):
    """Return what was given to be drawn."""
    calls = {}
    draw = label_maps.draw_label_maps

    def record(images, titles, classes, **looks):
        calls.update(images=images, titles=titles, classes=classes)
        return draw(images, titles, classes, **looks)

    monkeypatch.setattr(label_maps, "draw_label_maps", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(*runs, name="maps.png", overwrite=False, dry_run=False, **looks):
        given = {"split": "train", "order": None if "ids" in looks else "first"} | looks
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=50, **given)
        assert kind_of(config, runs) is label_maps.draw
        return label_maps.draw(
            config, runs, overwrite=overwrite, dry_run=dry_run, reporter=Silent()
        )

    return draw


def test_directories_are_columns_between_the_image_and_the_truth(
    cams, seeds, data, draw, drawn, tmp_path
):
    psa, ssdd = seeds("psa"), seeds("ssdd", 0, differences=True)
    outcome = draw(cams, psa, ssdd, data=data, clips=2)
    assert drawn["titles"] == [
        "cams",
        "psa",
        "knowledge likely wrong, ssdd",
        "advice likely wrong, ssdd",
        "ssdd",
        "truth",
    ]
    assert drawn["classes"] == ("background", *CLASSES)
    first = drawn["images"][0]
    assert (first.name, list(first.panels)) == ("a", drawn["titles"])
    cam, psa_map, knowledge, advice, _, truth = first.panels.values()
    assert isinstance(cam, Heat)
    assert (cam.scores == 0.75).all()
    assert (knowledge.scores.max(), advice.scores.max()) == (0.5, 0.25)
    assert isinstance(psa_map, Labels)
    assert (psa_map.labels[:3] == 2).all()
    assert (truth.labels == truth_of("a")).all()
    # psa: 3 of 6 rows of background, all of cat, and dog where there is none.
    expected = [("a", psa, "cat;dog", (50 + 100 + 0) / 3), ("a", ssdd, "cat", 100)]
    assert [tuple(row.values()) for row in outcome.rows[:2]] == [
        (id_, str(path), names, pytest.approx(miou)) for id_, path, names, miou in expected
    ]
    with (tmp_path / "out" / "maps.csv").open() as table:
        assert [line["id"] for line in csv.DictReader(table)] == ["a", "a", "b", "b"]


def test_errors_stand_beside_each_label_map(seeds, data, draw, drawn):
    draw(seeds("psa"), data=data, errors=True, ids=("b",))
    assert drawn["titles"] == ["psa", "errors of psa", "truth"]
    (shown,) = drawn["images"]
    assert isinstance(shown.panels["errors of psa"], Errors)


def test_a_contact_sheet_shows_all_images_of_one_directory(seeds, data, draw, tmp_path):
    psa = seeds("psa")
    outcome = draw(psa, data=data, contact_sheet=True)
    assert [row["id"] for row in outcome.rows] == list(IDS)
    with Image.open(tmp_path / "out" / "maps.png") as figure:
        assert figure.width > 100
    with pytest.raises(UsageError, match="--contact-sheet: shows one directory"):
        draw(psa, seeds("other"), data=data, contact_sheet=True)


def test_runs_show_the_label_maps_of_their_evaluation(seeds, data, draw, drawn, tmp_path):
    run = begin_run(tmp_path / "run", "cam", data, CLASSES)
    (run / "eval" / "train").mkdir(parents=True)
    seeds("made").rename(run / "eval" / "train" / "label_maps")
    draw(run, seeds("psa"))
    assert drawn["titles"] == ["run", "psa", "truth"]


def test_what_cannot_be_read_is_named_and_the_rest_is_drawn(seeds, data, draw, drawn, tmp_path):
    psa = seeds("psa")
    write_label_map(psa / "a.png", np.zeros((4, 4), np.uint8))
    outcome = draw(psa, data=data)
    assert [failure.id for failure in outcome.failures] == ["a"]
    assert [shown.name for shown in drawn["images"]] == ["b", "c"]
    assert (tmp_path / "out" / "maps.failures.jsonl").is_file()


def test_images_are_chosen_by_class_and_order(seeds, data, draw):
    psa = seeds("psa")
    ids = [row["id"] for row in draw(psa, data=data, classes=("cat",), dry_run=True).rows]
    assert ids == ["a", "c"]
    with pytest.raises(UsageError, match="--class: no such name: 'cow'"):
        draw(psa, data=data, classes=("cow",))
    with pytest.raises(UsageError, match="--id: no such name: 'z'"):
        draw(psa, data=data, ids=("z",))


@pytest.mark.parametrize(
    ("flag", "looks"),
    [("--data", {}), ("--order", {"order": "sharpest"}), ("--range", {"value_range": "clip"})],
)
def test_what_no_label_map_answers_is_refused(seeds, draw, flag, looks):
    with pytest.raises(UsageError, match=f"^{flag}|{flag}:"):
        draw(seeds("psa"), **looks)


def test_directories_without_an_image_in_common_are_refused(seeds, data, draw):
    one, other = seeds("one"), seeds("other")
    for id_ in IDS:
        (other / f"{id_}.png").unlink()
        (other / f"{id_}.npz").unlink()
    with pytest.raises(AttncliError, match="no such image of which every directory"):
        draw(one, other, data=data)
