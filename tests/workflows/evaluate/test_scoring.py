"""How the answers to clips become those to sequences, on numbers made by hand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from attncli.config.ram import ConvLstmRamConfig
from attncli.data.samples import VideoDataset, VideoSample
from attncli.errors import Failure
from attncli.files.runs import Run, RunDirectory
from attncli.workflows.evaluate.answers import Answers, Task
from attncli.workflows.evaluate.scoring import ATTENTION, PERCEPTION, SequenceScoring, scoring

CLASSES = ("anger", "happy", "fear")
LABELS = {"a": 0, "b": 1, "c": 2}


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Clips of three sequences, mixed: rows 0 to 4 are of a, b, a, a, b; row 5 of c."""
    samples = tuple(VideoSample(id_, tmp_path, LABELS[id_], start=0) for id_ in "abaabc")
    config = ConvLstmRamConfig(data=tmp_path, fold=1)
    run = Run(RunDirectory(tmp_path / "fold01"), "convlstm-ram", config, CLASSES)
    dataset = VideoDataset("ckplus", tmp_path, CLASSES, samples)
    source = SimpleNamespace(open=str, keep=str, read=str)  # never called
    return Task(run, tmp_path, source, dataset, "val", config, {})


def answers() -> Answers:
    """Row 5 could not be read; the branches disagree on b."""
    perception = [
        [0.40, 0.35, 0.25],  # a votes anger
        [0.10, 0.80, 0.10],  # b votes happy
        [0.40, 0.35, 0.25],  # a votes anger: it wins, 2 to 1
        [0.00, 1.00, 0.00],  # a votes happy, whose mean over a is the largest
        [0.45, 0.10, 0.45],  # b votes anger: a tie, which happy wins by 0.9 to 0.55
    ]
    attention = [
        [0.9, 0.1, 0.0],
        [0.1, 0.1, 0.8],
        [0.9, 0.1, 0.0],
        [0.9, 0.1, 0.0],
        [0.1, 0.1, 0.8],
    ]
    return Answers(
        rows=np.arange(5),
        scores={
            branch: np.log(np.array(values, dtype=np.float32) + 1e-6)
            for branch, values in ((PERCEPTION, perception), (ATTENTION, attention))
        },
        failures=(Failure("c", "c", "damaged"), Failure("c", "c", "damaged")),
    )


def test_runs_of_folds_are_scored_by_sequence(task):
    assert isinstance(scoring(task), SequenceScoring)


def test_clips_vote_on_their_sequence_and_probabilities_are_their_mean(task):
    made = SequenceScoring().predictions(task, answers(), PERCEPTION)
    assert (made.ids, made.labels, made.predicted) == (
        ["a", "b"],
        ["anger", "happy"],
        ["anger", "happy"],
    )
    means = [[0.8 / 3, 1.7 / 3, 0.5 / 3], [0.275, 0.45, 0.275]]
    np.testing.assert_allclose(made.probabilities, means, atol=1e-4)


def test_each_branch_has_a_vote_of_its_own(task):
    made = SequenceScoring().predictions(task, answers(), ATTENTION)
    assert made.predicted == ["anger", "fear"]


def test_figures(task):
    figures = SequenceScoring().figures(task, answers())
    assert figures == {
        "sequences": 2,
        "clips": 5,
        "failed": 1,
        "accuracy": 100.0,
        "attention_accuracy": 50.0,
        "clip_accuracy": pytest.approx(60.0),
    }


def test_nothing_that_could_be_read_has_no_accuracy(task):
    nothing = np.empty((0, 3), dtype=np.float32)
    empty = Answers(np.empty(0, dtype=np.int64), {PERCEPTION: nothing, ATTENTION: nothing}, ())
    figures = SequenceScoring().figures(task, empty)
    assert (figures["sequences"], figures["accuracy"], figures["clip_accuracy"]) == (0, None, None)
