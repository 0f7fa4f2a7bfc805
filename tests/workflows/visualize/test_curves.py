import csv

import numpy as np
import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.runs import load
from attncli.workflows.visualize import curves
from tests.support.reporters import Told
from tests.support.runs import begin_run

HEADER = "epoch,step,lr,loss,loss_per,train_top1,val_top1,seconds"
ROWS = ("1,3,0.1,2.0,1.5,40,,9", "2,6,0.1,1.5,1.0,60,55,9", "3,9,0.1,1.0,0.5,80,,9")


@pytest.fixture
def run(tmp_path):
    """Return a function that begins a run and writes its log."""

    def make(name="abn", *rows, header=HEADER, method="abn", **settings):
        path = begin_run(tmp_path / name, method, tmp_path, **settings)
        text = "".join(f"{line}\n" for line in (header, *(rows or ROWS)))
        (path / "log.csv").write_text(text)
        return path

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return what was drawn: panels, legend and notes."""
    calls = []
    draw = curves.draw_curves

    def record(*shown, **looks):
        calls.append(shown)
        return draw(*shown, **looks)

    monkeypatch.setattr(curves, "draw_curves", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(*runs, dry_run=False, **options):
        config = VisualizeConfig(out=tmp_path / "out" / "a.png", dpi=50, curves=True, **options)
        ways = {"dry_run": dry_run, "overwrite": True, "reporter": Told()}
        return curves.draw(config, list(runs), **ways)

    return draw


def test_losses_and_figures_have_a_panel_each_with_train_and_val_together(run, draw, drawn):
    path = run()
    (row,) = draw(path).rows
    ((panels, (entry,), notes),) = drawn
    assert [panel.title for panel in panels] == ["loss", "loss: per", "top-1 (%)"]
    assert [panel.is_percent for panel in panels] == [False, False, True]
    (shown,) = panels[2].courses
    np.testing.assert_array_equal(shown["train"].mean, [40, 60, 80])
    np.testing.assert_array_equal(shown["val"].known.epochs, [2])
    assert entry.facts[0] == "3 epochs; best top-1 55.0 % in epoch 2, last 55.0 %"
    assert notes == []
    assert row == {
        "run": str(path),
        "epochs": 3,
        "loss": 1.0,
        "loss_per": 0.5,
        "train_top1": 80.0,
        "val_top1": 55.0,
    }


def test_the_table_has_all_that_is_drawn(run, draw, tmp_path):
    draw(run())
    with (tmp_path / "out" / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 3 + 1
    assert rows[0]["quantity"] == "loss"
    assert [float(row["mean"]) for row in rows if row["quantity"] == "val_top1"] == [55]
    assert {row["n"] for row in rows} == {"1"}


def test_a_part_that_is_the_whole_loss_has_no_panel(run, draw, drawn):
    draw(run("cam", "1,1,0.1,2.0,2.0,4.0,5.0,1", header=HEADER))
    assert [panel.title for panel in drawn[0][0]] == ["loss", "top-1 (%)"]


def test_runs_of_different_methods_have_panels_of_their_own(run, draw, drawn):
    other = run("cam", "1,3,0.1,2.0,30,9", header="epoch,step,lr,loss,val_map,seconds")
    draw(run(), other)
    panels, entries, _ = drawn[0]
    assert [panel.title for panel in panels][-2:] == ["top-1 (%)", "mAP (%)"]
    assert (panels[-1].courses[0], set(panels[-1].courses[1])) == ({}, {"val"})
    assert [entry.name for entry in entries] == ["abn", "cam"]


def test_runs_are_called_by_what_their_paths_differ_in(run, draw, drawn):
    draw(run("a/abn"), run("b/abn"))
    draw(run("c/abn"), run("c/st"), names=("ours", "theirs"))
    names = [[entry.name for entry in call[1]] for call in drawn]
    assert names == [["a/abn", "b/abn"], ["ours", "theirs"]]


def test_folds_are_a_mean_and_a_band_and_may_still_be_trained(run, draw, drawn):
    whole = begin_run(run("x").parent / "ram", "convlstm", run("x").parent, folds=3)
    for fold, top1 in ((1, 50), (2, 70)):
        path = run(f"ram/fold0{fold}", f"1,3,0.1,2.0,1.5,40,{top1},9", method="convlstm")
        assert load(path)
    (row,) = draw(whole).rows
    panels, (entry,), notes = drawn[0]
    val = panels[-1].courses[0]["val"]
    np.testing.assert_array_equal(val.values[:, 0], [50, 70])
    assert row["val_top1"] == 60
    assert entry.facts[0].startswith("2 folds, 1 epoch; best top-1 60.0 %")
    assert notes == ["mean over 2 folds, in a band of ± one standard deviation"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "has no log of epochs; name a run"),
        ("", "no epoch is complete yet"),
        ("loss\n1.0\n", "is not a log of epochs"),
        ("epoch,loss\n1,much\n", "is not a log of epochs"),
    ],
)
def test_what_is_no_log_is_refused(run, draw, text, said):
    path = run()
    log = path / "log.csv"
    log.unlink()
    if text is not None:
        log.write_text(text)
    with pytest.raises(AttncliError, match=said):
        draw(path)


@pytest.mark.parametrize(
    ("option", "flag"),
    [
        ({"clips": 2}, "--clips"),
        ({"by_class": True}, "--by-class"),
        ({"show": "cmc"}, "--show"),
        ({"classes": ("A",)}, "--class"),
    ],
)
def test_options_of_other_figures_are_refused(run, draw, option, flag):
    with pytest.raises(UsageError, match=f"--curves and {flag}: exclude each other"):
        draw(run(), **option)


def test_a_dry_run_writes_nothing(run, draw, tmp_path):
    (row,) = draw(run(), dry_run=True).rows
    assert row["out"] == str(tmp_path / "out" / "a.png")
    assert not (tmp_path / "out").exists()
