import csv
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from attncli.config.training import TrainConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.checkpoints import read_checkpoint
from attncli.training import loop
from attncli.training.loop import Training
from tests.support.reporters import Told

MakeConfig = Callable[..., TrainConfig]
MakeTraining = Callable[..., Training]
TIMINGS = ("clips_per_sec", "wait_percent", "seconds")


def weights(training: Training) -> list[torch.Tensor]:
    return list(training.learner.model.state_dict().values())


def log_rows(path: Path) -> list[dict[str, str]]:
    with (path / "log.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in TIMINGS} for row in csv.DictReader(file)]


def breaking_at(batch: int) -> Callable[[int], None]:
    def meddle(served: int) -> None:
        if served == batch:
            raise OSError("the cable is out")

    return meddle


@pytest.mark.parametrize("every", [None, 1, 2])
@pytest.mark.parametrize("batch", [1, 2, 3, 4, 6, 8, 9])
def test_a_training_broken_off_anywhere_goes_on_to_the_same_weights(
    make_config: MakeConfig,
    make_training: MakeTraining,
    tmp_path: Path,
    every: int | None,
    batch: int,
) -> None:
    config = make_config(checkpoint_every=every, epochs=3)
    whole = make_training(config, "whole")
    whole.run()
    with pytest.raises(OSError, match="cable"):
        make_training(config, "broken", meddle=breaking_at(batch)).run()
    resumed = make_training(config, "broken")
    resumed.run()
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(one, other)
    assert log_rows(tmp_path / "whole") == log_rows(tmp_path / "broken")


def test_a_checkpoint_is_taken_up_in_the_midst_of_an_epoch(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    config = make_config(checkpoint_every=1)
    with pytest.raises(OSError, match="cable"):
        make_training(config, meddle=breaking_at(6)).run()
    progress = make_training(config).progress
    assert (progress.epoch, progress.step) == (1, 2)


def test_tensorboard_shows_each_step_once_after_a_resume(
    make_config: MakeConfig, make_training: MakeTraining, tmp_path: Path
) -> None:
    config = make_config()
    with pytest.raises(OSError, match="cable"):
        make_training(config, meddle=breaking_at(6)).run()
    make_training(config).run()
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert [point.step for point in events.Scalars("step/loss")] == list(range(9))
    assert [point.step for point in events.Scalars("epoch/val_top1")] == [2, 5, 8]


def test_the_log_has_a_row_an_epoch_with_every_term(
    make_config: MakeConfig, make_training: MakeTraining, tmp_path: Path
) -> None:
    make_training(make_config(eval_every=2, epochs=3)).run()
    rows = log_rows(tmp_path / "run")
    assert list(rows[0]) == [
        *("epoch", "step", "lr", "loss", "loss_per", "train_top1", "val_top1"),
    ]
    assert [row["step"] for row in rows] == ["3", "6", "9"]
    assert [row["val_top1"] != "" for row in rows] == [False, True, True]  # the last one always


def test_the_best_checkpoint_is_that_of_the_best_epoch(
    make_config: MakeConfig,
    make_training: MakeTraining,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = iter([{"top1": 50.0}, {"top1": 70.0}, {"top1": 70.0}])
    monkeypatch.setattr(loop, "validate", lambda *args, **kwargs: next(scores))
    make_training(make_config()).run()
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / "best.pt")["epoch"] == 2


def test_unreadable_clips_are_left_out_and_named(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    failures = make_training(make_config(), unreadable=frozenset({3, 7})).run()
    assert [failure.id for failure in failures] == ["clip3", "clip7"]


def test_failures_before_an_interruption_are_not_forgotten(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    with pytest.raises(OSError, match="cable"):
        make_training(make_config(), unreadable=frozenset({3}), meddle=breaking_at(5)).run()
    assert [failure.id for failure in make_training(make_config()).run()] == ["clip3"]


def test_a_batch_nobody_could_read_is_left_out(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    training = make_training(make_config(batch_size=1), unreadable=frozenset({5}))
    training.run()
    assert training.progress.epoch == 3


def test_an_epoch_without_a_readable_clip_is_an_error(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    training = make_training(make_config(), unreadable=frozenset(range(10)))
    with pytest.raises(AttncliError, match="no training clip could be read, such as damaged"):
        training.run()


@pytest.mark.parametrize("every", [None, 1])
def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    make_config: MakeConfig, make_training: MakeTraining, tmp_path: Path, every: int | None
) -> None:
    def poison(served: int) -> None:
        if served == 5:
            training.learner.model.classify.weight.data.fill_(float("nan"))

    training = make_training(make_config(checkpoint_every=every), meddle=poison)
    with pytest.raises(AttncliError, match=r"no longer finite in epoch 2, step 2; .*--lr"):
        training.run()
    state = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.pt")
    assert all(value.isfinite().all() for value in state["model"].values())
    assert state["progress"]["step"] == (1 if every else 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_between_steps_with_a_checkpoint(
    make_config: MakeConfig, make_training: MakeTraining, tmp_path: Path, number: signal.Signals
) -> None:
    def interrupt(served: int) -> None:
        if served == 5:
            os.kill(os.getpid(), number)

    config = make_config()
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        make_training(config, meddle=interrupt).run()
    assert signal.getsignal(number) is before
    resumed, whole = make_training(config), make_training(config, "whole")
    assert (resumed.progress.epoch, resumed.progress.step) == (1, 1)
    resumed.run()
    whole.run()
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        assert torch.equal(one, other)


def test_readers_that_die_of_the_same_signal_do_not_hide_it(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    def interrupt(served: int) -> None:
        if served == 5:
            os.kill(os.getpid(), signal.SIGTERM)
            raise RuntimeError("DataLoader worker is killed by signal: Terminated.")

    with pytest.raises(KeyboardInterrupt):
        make_training(make_config(), meddle=interrupt).run()
    assert make_training(make_config()).progress.step == 1


def test_a_checkpoint_of_weights_alone_is_not_gone_on_from(
    make_config: MakeConfig, make_training: MakeTraining, tmp_path: Path
) -> None:
    make_training(make_config()).run()
    checkpoints = tmp_path / "run" / "checkpoints"
    (checkpoints / "best.pt").replace(checkpoints / "last.pt")
    with pytest.raises(AttncliError, match="holds weights but no optimizer"):
        make_training(make_config())


def test_fewer_epochs_than_are_done_are_refused(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    make_training(make_config(epochs=2)).run()
    with pytest.raises(UsageError, match="2 epochs are done already; raise --epochs"):
        make_training(make_config(epochs=1))


def test_accumulation_sees_the_same_clips(
    make_config: MakeConfig, make_training: MakeTraining, tmp_path: Path
) -> None:
    for name, parts in (("whole", 1), ("parts", 2)):
        training = make_training(make_config(accumulate=parts), name)
        training.learner.model.drop.p = 0.0
        training.run()
    whole, parts = (log_rows(tmp_path / name) for name in ("whole", "parts"))
    for one, other in zip(whole, parts, strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-4)


class Watcher(Told):
    """Keeps what is tracked too, and what was live at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.lives: list[str] = []

    def track(self, items, *, label, total=None, unit="it", live=None):
        self.labels.append(label)
        for item in items:
            yield item
            if live is not None:
                self.lives.append(live())


def test_each_epoch_leaves_one_line(make_config: MakeConfig, make_training: MakeTraining) -> None:
    training = make_training(make_config(eval_every=2, epochs=3))
    training.reporter = watcher = Watcher()
    training.run()
    first, second, third = watcher.notes
    assert first.startswith("epoch 1/3  loss ")
    assert "  left " in first
    assert "  val " not in first
    assert "  val " in second
    assert "(best)" in second
    assert third.startswith("epoch 3/3  loss ")
    assert "left" not in third
    row = training.progress.rows[0]
    assert f"  train {row['train_top1']:.1f}  lr 0.05  " in first


def test_losses_of_the_steps_before_are_live(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    training = make_training(make_config(epochs=2))
    training.reporter = watcher = Watcher()
    training.run()
    # Three steps an epoch; the sums of a step are read during the one after it.
    assert [bool(live) for live in watcher.lives] == [False, True, True] * 2
    assert all(live.startswith("loss ") and "  top1 " in live for live in watcher.lives if live)


def test_lines_and_bars_carry_the_title_of_one_of_several_trainings(
    make_config: MakeConfig, make_training: MakeTraining
) -> None:
    training = make_training(make_config(epochs=1), title="fold 2")
    training.reporter = watcher = Watcher()
    training.run()
    assert watcher.labels == ["fold 2: epoch 1/1", "fold 2: validation 1/1"]
    assert watcher.notes[0].startswith("fold 2: epoch 1/1  loss ")
