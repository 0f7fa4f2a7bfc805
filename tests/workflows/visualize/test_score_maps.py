import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.predictions import Predictions, write_predictions
from attncli.files.score_maps import write_score_maps
from attncli.reporting import Silent
from attncli.workflows.visualize import score_maps
from tests.support.runs import begin_run

CLASSES = ("cat", "dog")
SHOWN = {"a": "cat", "b": "dog", "c": "cat;dog", "d": "", "e": "cat"}
"""Classes of each image; nobody knows those of d."""
SEEN = {"a": (1,), "b": (2,), "c": (1, 2), "d": (2,), "e": (1,)}
"""Classes that there are maps of, as label maps number them."""
SIZE_HW = (12, 16)


def grey(id_):
    return 40 * (1 + "abcde".index(id_))


@pytest.fixture
def data(tmp_path):
    """Images of one grey each."""
    root = tmp_path / "images"
    root.mkdir()
    for id_ in SHOWN:
        Image.fromarray(np.full((*SIZE_HW, 3), grey(id_), np.uint8)).save(root / f"{id_}.png")
    lines = ["id,path,label,split", *(f"{id_},{id_}.png,{SHOWN[id_]},val" for id_ in SHOWN)]
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def evaluated(tmp_path, data):
    """Return what writes a run; the map of class k is k / 8, but `high` in its first pixel."""

    def make(name="cam", *, ids=tuple(SHOWN), high=1.0, sizes=None):
        run = begin_run(tmp_path / "runs" / name, "cam", data, CLASSES)
        evaluation = run / "eval" / "val"
        for id_ in ids:
            maps = np.empty((len(SEEN[id_]), *(sizes or {}).get(id_, SIZE_HW)))
            maps[:] = np.array(SEEN[id_])[:, None, None] / 8
            maps[:, 0, 0] = high
            write_score_maps(evaluation / "score_maps", id_, np.array(SEEN[id_]), maps)
        labels = [SHOWN[id_] for id_ in ids]
        chances = np.zeros((len(ids), 2), np.float32)
        answers = Predictions(ids, labels, ["dog"] * len(ids), CLASSES, chances)
        write_predictions(evaluation / "predictions.csv", answers)
        return run

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return what was given to be drawn: images, names and looks."""
    calls = {}
    draw = score_maps.draw_score_maps

    def record(images, names, **looks):
        calls.update(images=images, names=names, **looks)
        return draw(images, names, **looks)

    monkeypatch.setattr(score_maps, "draw_score_maps", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    """Return what draws runs to a file of the given name."""

    def draw(runs, name="cams.png", *, overwrite=False, dry_run=False, **looks):
        order = {} if "ids" in looks else {"order": "first"}
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=50, **{**order, **looks})
        return score_maps.draw(
            config, runs, overwrite=overwrite, dry_run=dry_run, reporter=Silent()
        )

    return draw


def written(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").glob("*"))


def ids_of(outcome):
    return list(dict.fromkeys(row["id"] for row in outcome.rows))


def test_each_class_of_an_image_is_a_row_with_its_mean_and_its_maximum(
    evaluated, draw, drawn, tmp_path
):
    run = evaluated(high=0.875)
    outcome = draw([run], ids=("c", "b"))
    pixels = SIZE_HW[0] * SIZE_HW[1]
    expected = [("c", "cat, dog", "cat", 1), ("c", "cat, dog", "dog", 2), ("b", "dog", "dog", 2)]
    assert outcome.rows == [
        {
            "id": id_,
            "label": label,
            "run": str(run),
            "class": name,
            "mean": pytest.approx(number / 8 + (0.875 - number / 8) / pixels),
            "max": 0.875,
        }
        for id_, label, name, number in expected
    ]
    assert written(tmp_path) == ["cams.csv", "cams.png"]
    with (tmp_path / "out" / "cams.csv").open() as table:
        lines = list(csv.DictReader(table))
    assert [line["class"] for line in lines] == ["cat", "dog", "dog"]
    assert [float(line["mean"]) for line in lines] == [row["mean"] for row in outcome.rows]
    first, second = drawn["images"]
    assert (first.name, first.label, second.name) == ("c", "cat, dog", "b")
    assert (first.image == grey("c")).all()
    assert (first.runs[0][1].scores[1:] == 0.25).all()


def test_an_image_of_unknown_label_has_the_classes_the_network_saw(evaluated, draw, drawn):
    (row,) = draw([evaluated()], ids=("d",)).rows
    assert (row["label"], row["class"]) == (None, "dog")
    assert drawn["images"][0].label == ""


def test_an_image_that_shows_no_class_is_drawn_alone(evaluated, draw, drawn):
    run = evaluated()
    nothing = np.empty((0, *SIZE_HW))
    empty = np.empty(0, np.int64)
    write_score_maps(run / "eval" / "val" / "score_maps", "d", empty, nothing)
    outcome = draw([run], ids=("d", "a"))
    assert ids_of(outcome) == ["a"]
    assert [len(shown.runs[0]) for shown in drawn["images"]] == [0, 1]


def test_images_come_in_the_order_of_the_list_or_as_the_seed_says(evaluated, draw):
    run = evaluated()
    assert ids_of(draw([run], clips=3, dry_run=True)) == ["a", "b", "c"]
    for seed, order in ((0, "random"), (5, "random"), (5, None)):
        shuffled = np.random.default_rng(seed).permutation(5)
        outcome = draw([run], clips=5, order=order, seed=seed, dry_run=True)
        assert ids_of(outcome) == [list(SHOWN)[number] for number in shuffled]


def test_four_images_are_shown_unless_more_are_asked_for(evaluated, draw):
    run = evaluated()
    assert ids_of(draw([run], dry_run=True)) == ["a", "b", "c", "d"]
    assert ids_of(draw([run], clips=9, dry_run=True)) == list(SHOWN)


def test_images_of_a_class_may_show_others_as_well(evaluated, draw):
    run = evaluated()
    assert ids_of(draw([run], classes=("dog",), dry_run=True)) == ["b", "c"]
    assert ids_of(draw([run], classes=("cat",), clips=2, dry_run=True)) == ["a", "c"]
    assert ids_of(draw([run], classes=("dog", "cat"), dry_run=True)) == ["a", "b", "c", "e"]
    with pytest.raises(UsageError, match=r"--class: no such name: 'dogs' .*; there is dog"):
        draw([run], classes=("dog", "dogs"))


def test_an_image_that_no_run_has_is_refused(evaluated, draw, tmp_path):
    with pytest.raises(UsageError, match="--id: no such name: 'z' in the runs; there is a, b"):
        draw([evaluated()], ids=("a", "z"))
    assert written(tmp_path) == []


def test_only_images_that_all_runs_have_are_drawn_a_row_a_run(evaluated, draw, drawn):
    runs = [evaluated("one"), evaluated("two", ids=("e", "c", "a"), high=0.5)]
    outcome = draw(runs, clips=2)
    assert [(row["id"], row["run"], row["max"]) for row in outcome.rows] == [
        ("a", str(runs[0]), 1.0),
        ("a", str(runs[1]), 0.5),
        *[("c", str(runs[0]), 1.0)] * 2,
        *[("c", str(runs[1]), 0.5)] * 2,
    ]
    assert drawn["names"] == ["one", "two"]
    with pytest.raises(UsageError, match="--id: no such name: 'b'"):
        draw(runs, "other.png", ids=("b",))


def test_runs_without_an_image_in_common_are_refused(evaluated, draw):
    runs = [evaluated("one", ids=("a",)), evaluated("two", ids=("b",))]
    with pytest.raises(AttncliError) as refused:
        draw(runs)
    assert str(refused.value) == "the runs have no image in common; evaluate them on one split"


def test_a_run_without_score_maps_says_how_to_make_them(evaluated, draw):
    run = evaluated()
    with pytest.raises(AttncliError) as refused:
        draw([run], split="train")
    assert str(refused.value) == (
        f"{run}: holds no score maps of split 'train'; make them: attncli eval {run} --split train"
    )


def test_maps_of_another_size_are_a_failure_by_name_and_the_others_are_drawn(
    evaluated, draw, data, tmp_path
):
    run = evaluated(sizes={"b": SIZE_HW[::-1]})
    outcome = draw([run], ids=("a", "b"))
    assert ids_of(outcome) == ["a"]
    (failure,) = outcome.failures
    assert (failure.id, failure.path) == ("b", str(data / "b.png"))
    maps = run / "eval" / "val" / "score_maps" / "b.npz"
    assert failure.error == f"{maps}: is of an image of another size; evaluate the run again"
    assert written(tmp_path) == ["cams.csv", "cams.failures.jsonl", "cams.png"]
    line = json.loads((tmp_path / "out" / "cams.failures.jsonl").read_text())
    assert line["id"] == "b"


def test_an_image_or_maps_that_are_gone_are_failures(evaluated, draw, data, tmp_path):
    runs = [evaluated("one"), evaluated("two")]
    (data / "a.png").unlink()
    (runs[1] / "eval" / "val" / "score_maps" / "b.npz").unlink()
    outcome = draw(runs, clips=2)
    assert outcome.rows == []
    assert [failure.id for failure in outcome.failures] == ["a", "b"]
    assert "a.png" in outcome.failures[0].error
    assert str(runs[1]) in outcome.failures[1].error
    assert written(tmp_path) == ["cams.failures.jsonl"]


def test_a_dry_run_writes_nothing_and_an_earlier_figure_stays(evaluated, draw, tmp_path):
    runs, out = [evaluated("one"), evaluated("two")], str(tmp_path / "out" / "cams.png")
    assert draw(runs, ids=("d", "a"), dry_run=True).rows == [
        {"id": id_, "label": label, "run": str(run), "out": out}
        for id_, label in (("d", None), ("a", "cat"))
        for run in runs
    ]
    assert written(tmp_path) == []
    draw(runs, clips=1)
    with pytest.raises(AttncliError, match=r"cams\.png: exists already"):
        draw(runs, clips=2)
    assert ids_of(draw(runs, clips=2, overwrite=True)) == ["a", "b"]


@pytest.mark.parametrize(
    ("flag", "option"),
    [
        ("--order", {"order": "sharpest"}),
        ("--order", {"order": "least-sharp"}),
        ("--masks", {"masks": Path("masks")}),
        ("--edits", {"edits": Path("edits.csv")}),
        ("--range", {"value_range": "clip"}),
    ],
)
def test_options_about_videos_are_refused_before_anything_is_read(draw, tmp_path, flag, option):
    with pytest.raises(UsageError) as refused:
        draw([tmp_path / "no run"], **option)
    assert str(refused.value) == f"{flag}: is about attention in videos; leave it out"


def test_score_maps_make_no_video(draw, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.png or \.pdf"):
        draw([tmp_path / "no run"], "cams.mp4")


def test_images_may_lie_elsewhere_than_at_training(evaluated, draw, data, tmp_path):
    run, moved = evaluated(), tmp_path / "moved"
    data.rename(moved)
    assert ids_of(draw([run], data=moved, clips=1)) == ["a"]
    (moved / "manifest.csv").write_text("id,path,label,split\nb,b.png,dog,val\n")
    with pytest.raises(AttncliError, match=r"moved.*: no such image: 'a'; give the dataset the"):
        draw([run], "other.png", data=moved, clips=1)


def test_class_0_is_the_background(evaluated, draw):
    run = evaluated()
    directory = run / "eval" / "val" / "score_maps"
    write_score_maps(directory, "a", np.array([0, 1]), np.full((2, *SIZE_HW), 0.5))
    assert [row["class"] for row in draw([run], ids=("a",)).rows] == ["background", "cat"]


def test_a_class_the_run_does_not_know_is_a_failure_by_name(evaluated, draw):
    run = evaluated()
    directory = run / "eval" / "val" / "score_maps"
    write_score_maps(directory, "a", np.array([3]), np.full((1, *SIZE_HW), 0.5))
    (failure,) = draw([run], ids=("a", "b")).failures
    assert failure.id == "a"
    assert "a.npz: has scores of class 3, the run has 2" in failure.error


def test_no_class_without_a_name_is_offered(evaluated, draw):
    with pytest.raises(UsageError, match=r"there is cat, dog$"):
        draw([evaluated()], classes=("zzz",))


def test_the_table_of_an_image_without_a_class_has_a_header(evaluated, draw, tmp_path):
    run = evaluated()
    directory = run / "eval" / "val" / "score_maps"
    write_score_maps(directory, "d", np.empty(0, np.int64), np.empty((0, *SIZE_HW)))
    assert draw([run], ids=("d",)).rows == []
    table = (tmp_path / "out" / "cams.csv").read_text()
    assert table == "id,label,run,class,mean,max\n"


def test_an_image_named_twice_is_drawn_once(evaluated, draw, drawn):
    draw([evaluated()], ids=("a", "b", "a"))
    assert [image.name for image in drawn["images"]] == ["a", "b"]


def test_a_plan_names_classes_as_the_figure_does(evaluated, draw):
    (row,) = draw([evaluated()], ids=("c",), dry_run=True).rows
    assert row["label"] == "cat, dog"
