import csv

import numpy as np
import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Silent
from attncli.workflows.visualize import accuracies
from tests.support.runs import begin_run

HEADER = "layer,pooling,source,dims,images,failed,accuracy,accuracy_std,splits,c"
PLAIN = ["fc,gap,I,9,30,0,80.5,1.25,3,1.0", "fc,gap,I+P,18,30,0,82.5,0.5,3,1.0"]
SVD = ["svd-fc,gap,I,9,30,0,81.5,1.0,3,1.0", "svd-fc,gap,I+P,18,30,0,84.0,,3,1.0"]
PAIRS = ["fc+svd-fc,gap,I+P,18,30,0,83.0,0.25,3,1.0", "svd-fc+fc,gap,I+P,18,30,0,85.0,0.5,3,1.0"]


@pytest.fixture
def run(tmp_path):
    """Return what writes a run with these lines of results."""

    def make(name="svm", lines=(*PLAIN, *SVD), *, split="val", header=HEADER):
        # What is drawn is read from the results alone, whatever method wrote them.
        path = begin_run(tmp_path / name, "cam", tmp_path)
        results = path / "eval" / split / "results.csv"
        results.parent.mkdir(parents=True)
        results.write_text("\n".join([header, *lines]) + "\n")
        return path

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return what was given to be drawn."""
    calls = []
    draw = accuracies.draw_accuracies

    def record(*shown, **looks):
        calls.append(shown)
        return draw(*shown, **looks)

    monkeypatch.setattr(accuracies, "draw_accuracies", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(*runs, what="table", dry_run=False, **options):
        config = VisualizeConfig(out=tmp_path / "out" / "a.png", dpi=50, **options)
        drawing = getattr(accuracies, f"draw_{what}")
        return drawing(config, list(runs), dry_run=dry_run, reporter=Silent())

    return draw


def test_a_table_has_a_row_a_layer_and_a_column_a_source(run, draw, drawn, tmp_path):
    rows = draw(run(lines=[*PLAIN, *SVD, *PAIRS])).rows
    ((shown, title, facts),) = drawn
    assert (shown.rows, shown.columns, title) == (("fc", "svd-fc"), ("I", "I+P"), "svm")
    np.testing.assert_array_equal(shown.percent, [[80.5, 82.5], [81.5, 84.0]])
    np.testing.assert_array_equal(shown.std, [[1.25, 0.5], [1.0, np.nan]])
    assert "3 splits, each of 30 images" in facts[0]
    assert [row["layer"] for row in rows] == ["fc", "fc", "svd-fc", "svd-fc"]
    assert rows[3]["accuracy_std"] is None
    with (tmp_path / "out" / "a.csv").open() as file:
        assert [line["accuracy"] for line in csv.DictReader(file)] == [
            "80.5",
            "82.5",
            "81.5",
            "84.0",
        ]


def test_several_runs_stand_beside_each_other(run, draw, drawn):
    draw(run("one", PLAIN), run("two", SVD[:1]), names=("GAP", "MPN"))
    ((shown, _, _),) = drawn
    assert shown.columns == ("GAP I", "GAP I+P", "MPN I")
    np.testing.assert_array_equal(shown.percent, [[80.5, 82.5, np.nan], [np.nan, np.nan, 81.5]])


def test_a_single_split_is_no_mean(run, draw, drawn):
    draw(run(lines=["fc,gap,I,9,30,0,80.5,,1,1.0"]))
    assert drawn[0][2] == ("of 30 images", "n = 30")


def test_an_accuracy_that_nobody_knows_is_nothing(run, draw, drawn):
    (row,) = draw(run(lines=["fc,gap,I,9,30,0,,,1,1.0"])).rows
    assert row["accuracy"] is None
    assert np.isnan(drawn[0][0].percent).all()


def test_pairs_of_layers_are_a_grid_with_equal_layers_on_its_diagonal(run, draw, drawn):
    draw(run(lines=[*PLAIN, *SVD, *PAIRS]), what="combinations")
    ((shown, _, _),) = drawn
    assert (shown.rows, shown.columns) == (("fc", "svd-fc"), ("fc", "svd-fc"))
    assert (shown.row_axis, shown.column_axis) == ("layer of I", "layer of P")
    np.testing.assert_array_equal(shown.percent, [[82.5, 83.0], [85.0, 84.0]])


def test_a_run_without_pairs_or_with_nothing_else_says_so(run, draw):
    with pytest.raises(AttncliError, match="has no pairs of layers; train it with --combinations"):
        draw(run(), what="combinations")
    with pytest.raises(AttncliError, match="has pairs of layers alone; choose --show combi"):
        draw(run("pairs", PAIRS))


def test_a_grid_is_of_one_run(run, draw):
    path = run(lines=PAIRS)
    with pytest.raises(UsageError, match="--show combinations: shows one run; name one"):
        draw(path, path, what="combinations")


def test_a_run_without_results_says_how_to_make_them(run, draw):
    path = run()
    with pytest.raises(AttncliError) as refused:
        draw(path, split="train")
    assert str(refused.value) == (
        f"{path}: holds no accuracies of split 'train';"
        f" make them: attncli eval {path} --split train"
    )


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        ([], HEADER, "results.csv: has no accuracy"),
        (PLAIN, HEADER.replace("accuracy_std", "std"), "has no column 'accuracy_std'"),
        (["fc,gap,I,9,30,0,many,,1,1.0"], HEADER, "line 2: 'many' is not a number"),
    ],
)
def test_results_that_are_none_are_refused(run, draw, lines, header, message):
    with pytest.raises(AttncliError, match=message):
        draw(run(lines=lines, header=header))


def test_a_dry_run_writes_nothing(run, draw, tmp_path):
    path = run(lines=[*PLAIN, *PAIRS])
    assert len(draw(path, dry_run=True).rows) == 2
    assert len(draw(path, what="combinations", dry_run=True).rows) == 3
    assert not (tmp_path / "out").exists()
