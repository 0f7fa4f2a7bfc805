import pytest

from attncli.training.epoch_line import duration, epoch_line, figure_name, live_line, short

TIMES = {"lr": 1e-4, "clips_per_sec": 9.0, "wait_percent": 2.6, "seconds": 12.34}


def line(*rows, best="top1", epochs=50, left_sec=480.0):
    """Return the line of the last of some rows, the first of which is of epoch 1."""
    log = [{"epoch": n, "loss": 0.5, **row, **TIMES} for n, row in enumerate(rows, start=1)]
    return epoch_line(log, epochs=epochs, best=best, left_sec=left_sec)


def test_a_line_says_all_that_the_row_of_the_log_does():
    losses = {"loss": 0.4118, "loss_per": 0.312, "loss_att": 0.42, "loss_mask": 0.0209}
    rows = [{"val_top1": 85.24}, {**losses, "train_top1": 88.12, "val_top1": 84.66, "val_top5": 99}]
    assert line(*rows) == (
        "epoch 2/50  loss 0.412 (per 0.31 att 0.42 mask 0.021)  train 88.1"
        "  val 84.7 (best 85.2, epoch 1)  lr 1e-4  12.3 s  reading 3 %  left 8 min"
    )


@pytest.mark.parametrize(
    ("name", "called"),
    [("top1", ""), ("map", " mAP"), ("miou", " mIoU"), ("rank1", " rank-1")],
)
def test_the_figure_that_chooses_the_best_epoch_is_named_unless_it_is_top_1(name, called):
    said = line({"val_other": 1.0, f"val_{name}": 63.14}, best=name)
    assert f"  val{called} 63.1 (best)  " in said
    assert "other" not in said


def test_other_figures_are_called_by_their_names_in_the_log():
    assert "  train kept 97.0  val pairs right 50.0 (best)  " in line(
        {"train_kept": 97.0, "val_pairs_right": 50.0}, best="pairs_right"
    )


def test_where_no_figure_chooses_the_first_is_shown_and_none_is_best():
    assert "  val recall 4.0  lr" in line({"val_recall": 4.0, "val_f1": 5.0}, best=None)
    assert "val" not in line({}, best=None)


def test_an_epoch_without_validation_says_none():
    assert "val" not in line({"val_top1": 70.0}, {"val_top1": None})


def test_the_first_of_equally_good_epochs_is_the_best_as_its_checkpoint_is():
    equal = [{"val_top1": 70.0}, {"val_top1": None}, {"val_top1": 70.0}]
    assert "val 70.0 (best 70.0, epoch 1)" in line(*equal)


def test_a_part_that_is_the_whole_loss_is_not_said_twice():
    assert "loss 0.500  lr" in line({"loss_cls": 0.5})
    assert "loss 0.500 (per 0.25)  lr" in line({"loss_per": 0.25})


def test_the_last_epoch_leaves_nothing():
    assert line({}, epochs=1).endswith("reading 3 %")


def test_sums_of_an_unfinished_epoch_are_means_over_its_samples():
    sums = {"loss": 6.0, "loss_per": 3.0, "samples": 8.0, "hits_top1": 2.0, "hits_kept": 8.0}
    assert live_line(sums) == "loss 0.750  top1 25.0  kept 100.0"
    assert live_line({}) == live_line({"samples": 0.0, "loss": 0.0}) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (61.4, "1 min 1 s"),
        (599.4, "9 min 59 s"),
        (599.6, "10 min"),
        (3569, "59 min"),
        (3571, "1 h"),
        (90061, "25 h 1 min"),
    ],
)
def test_times_are_said_as_one_reads_them(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.4115, "0.411"), (4.0, "4.00"), (98765.4, "98765"), (-0.5, "-0.500"), (2.5e-7, "2.50e-7")],
)
def test_numbers_have_three_digits_that_count(value, said):
    assert short(value, 3) == said


def test_a_figure_without_a_name_of_its_own_is_read_from_the_log():
    assert (figure_name("top1"), figure_name("pairs_right")) == ("top-1", "pairs right")
