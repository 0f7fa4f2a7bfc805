import numpy as np
import pytest

from attncli.visualization.curves import Course, Entry, Panel, draw_curves

RUNS = [Entry("abn", ("50 epochs; best top-1 84.9 % in epoch 45", "50 epochs")), Entry("x" * 90)]


def course(*rows, epochs=None):
    values = np.array(rows, dtype=np.float64)
    return Course(np.arange(1, values.shape[1] + 1) if epochs is None else epochs, values)


def panel(train, val=None, **looks):
    of_run = {"train": train} if val is None else {"train": train, "val": val}
    return Panel("top-1 (%)", (of_run, {}), **looks)


def curves(figure, number=1):
    return figure.axes[number].lines


def test_mean_and_spread_are_over_the_trainings_that_have_a_value():
    several = course([1, 2, np.nan], [3, np.nan, np.nan])
    np.testing.assert_array_equal(several.mean, [2, 2, np.nan])
    np.testing.assert_allclose(several.std, [np.sqrt(2), np.nan, np.nan])
    np.testing.assert_array_equal(several.known.epochs, [1, 2])


def test_training_is_dashed_and_validation_solid_and_skips_what_was_not_validated():
    val = course([np.nan, 50, np.nan, 60])
    figure = draw_curves([panel(course([10, 20, 30, 40]), val)], RUNS, dpi=50)
    train, val = curves(figure)
    assert (train.get_linestyle(), val.get_linestyle()) == ("--", "-")
    np.testing.assert_array_equal(train.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(val.get_xdata(), [2, 4])
    np.testing.assert_array_equal(val.get_ydata(), [50, 60])


def test_runs_differ_in_colour_and_in_their_dots_however_many():
    names = [Entry(str(n)) for n in range(15)]
    shown = Panel("loss", tuple({"train": course([2.0, 1.0])} for _ in names))
    lines = curves(draw_curves([shown], names, dpi=50))
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 15
    few = lines[-7:]
    assert len({line.get_marker() for line in few}) == len({line.get_color() for line in few}) == 7


def test_several_trainings_are_a_mean_in_a_band():
    figure = draw_curves([panel(course([10, 20], [20, 40]))], RUNS, dpi=50)
    (line,) = curves(figure)
    np.testing.assert_array_equal(line.get_ydata(), [15, 30])
    (band,) = figure.axes[1].collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(15 - np.sqrt(50))
    assert corners[:, 1].max() == pytest.approx(30 + np.sqrt(200))
    low, high = figure.axes[1].get_ylim()
    assert low < corners[:, 1].min()
    assert high > corners[:, 1].max()


def test_one_training_has_no_band():
    assert not draw_curves([panel(course([10, 20]))], RUNS, dpi=50).axes[1].collections


def test_percents_end_at_100_and_losses_do_not():
    values = course([99, 100])
    assert draw_curves([panel(values, is_percent=True)], RUNS, dpi=50).axes[1].get_ylim()[1] == 100
    assert draw_curves([panel(values)], RUNS, dpi=50).axes[1].get_ylim()[1] > 100


def test_a_single_epoch_is_a_dot_in_the_middle():
    axes = draw_curves([panel(course([5.0]))], RUNS, dpi=50).axes[1]
    assert axes.get_xlim() == (0.5, 1.5)
    assert axes.get_ylim()[0] < 5 < axes.get_ylim()[1]


def test_epochs_are_the_same_in_all_panels_and_whole():
    short, long = panel(course([1, 2])), panel(course([1, 2, 3, 4, 5]))
    figure = draw_curves([short, long], RUNS, dpi=50)
    assert [axes.get_xlim() for axes in figure.axes[1:]] == [(1, 5), (1, 5)]
    assert all(tick == round(tick) for tick in figure.axes[1].get_xticks())


@pytest.mark.parametrize("width_in", [7.0, 3.4])
def test_nothing_overlaps_or_leaves_the_page(misplaced, width_in):
    values = course(np.linspace(20, 99, 40))
    shown = [panel(values, values, is_percent=True)] * 5
    notes = ["mean over 10 folds of 3 seeds, in a band of ± one standard deviation"]
    figure = draw_curves(shown, RUNS, notes, width_in=width_in, dpi=50)
    assert misplaced(figure) == []
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {"abn", "training", "validation", "epoch"} <= set(words)
