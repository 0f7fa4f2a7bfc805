from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from attncli.batches import ClipBatch
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.evaluation.class_scores import ClassScores
from attncli.files.attention import open_attention
from attncli.files.predictions import read_predictions
from attncli.metrics.accuracy import top_k_percent
from attncli.types import BranchOutputs

CLASSES = tuple("ABCDEFG")


def samples(labels: list[int]) -> list[VideoSample]:
    return [VideoSample(f"v{row}", Path(f"v{row}"), label) for row, label in enumerate(labels)]


def batch(rows: list[int]) -> ClipBatch:
    n = len(rows)
    return ClipBatch(
        frames=torch.zeros(n, 3, 2, 4, 4, dtype=torch.uint8),
        labels=torch.zeros(n, dtype=torch.int64),
        rows=torch.tensor(rows),
        frame_indices=torch.tensor([[0, 3]] * n),
        crops=torch.tensor([[0.0, 0.0, 4.0, 4.0]] * n),
        flips=torch.zeros(n, dtype=torch.bool),
    )


def outputs(scores: list[list[float]], *, has_attention: bool = False) -> BranchOutputs:
    n = len(scores)
    own = torch.tensor(scores)
    return BranchOutputs(
        scores=own,
        attention_scores=-own if has_attention else None,
        spatial_attention=torch.full((n, 2, 2, 2), 0.25) if has_attention else None,
    )


def figures(labels: list[int], scores: list[list[float]]) -> dict[str, float]:
    evaluation = ClassScores(Asked(samples(labels), CLASSES[: len(scores[0])]))
    evaluation.add(batch(list(range(len(labels)))), outputs(scores))
    return dict(evaluation.figures([evaluation.share()]))


def test_accuracies_are_over_clips_not_over_batches() -> None:
    evaluation = ClassScores(Asked(samples([0, 1, 0, 0, 2]), CLASSES[:3]))
    for rows in ([0, 1, 2, 3], [4]):
        evaluation.add(batch(rows), outputs([[3.0, 2.0, 1.0]] * len(rows)))
    assert evaluation.figures([evaluation.share()]) == {"top1": pytest.approx(60), "top5": 100}


def test_the_fifth_class_counts_and_the_sixth_does_not() -> None:
    # 6, 5, 4, 3, 2 are the first five
    found = figures([0, 1, 2, 2], [[0.0, 1, 2, 3, 4, 5, 6]] * 4)
    assert found == {"top1": 0, "top5": 50}


@pytest.mark.parametrize(
    "scores",
    [[0.0] * 7, [3.0, 2, 1, 1, 1, 1, 0], [0.0, 1, 0, 1, 1, 1, 1], [2.0, 2, 1]],
    ids=["all equal", "at rank five", "at the first and at rank five", "of three classes"],
)
def test_a_validation_ranks_equal_scores_as_an_evaluation_does(scores: list[float]) -> None:
    labels = [row % len(scores) for row in range(10)]
    answers = np.tile(np.array(scores, dtype=np.float32), (10, 1))
    assert figures(labels, [scores] * 10) == {
        "top1": top_k_percent(answers, np.array(labels), 1),
        "top5": top_k_percent(answers, np.array(labels), 5),
    }


def test_scores_that_are_not_finite_are_never_right_in_a_validation() -> None:
    assert figures([0, 1], [[float("nan"), 0.0], [0.0, 1.0]])["top1"] == 50


def test_they_are_refused_of_weights_that_are_to_be_judged() -> None:
    asked = Asked(samples([0]), CLASSES[:2], weights=Path("weights.safetensors"))
    with pytest.raises(AttncliError, match="not finite") as error:
        ClassScores(asked).add(batch([0]), outputs([[float("nan"), 0.0]]))
    assert "weights.safetensors" in str(error.value)


def test_no_clip_has_no_accuracy() -> None:
    evaluation = ClassScores(Asked([], CLASSES[:2]))
    assert evaluation.figures([evaluation.share()]) == {}


def test_shares_of_several_processes_come_in_the_order_of_the_dataset(tmp_path: Path) -> None:
    shares = []
    for process, rows in enumerate(([0, 2], [1, 3])):
        keep = tmp_path / f"part{process}"
        asked = Asked(samples([0, 1, 0, 1]), CLASSES[:2], attention=("spatial",), keep=keep)
        with ClassScores(asked) as evaluation:
            scores = [[1.0, 0.0] if row < 3 else [0.0, 1.0] for row in rows]
            evaluation.add(batch(rows), outputs(scores, has_attention=True))
        shares.append(evaluation.share())
    out = tmp_path / "out"
    out.mkdir()
    row = evaluation.write(shares, [Failure("v9", "v9", "damaged")], out)
    assert (row["clips"], row["failed"], row["unlabelled"]) == (4, 1, 0)
    assert (row["top1"], row["attention_top1"]) == (75, 25)
    # Four cells of one value are one bin of ten: log2(10) by the convention for flat maps.
    assert row["entropy"] == pytest.approx(np.log2(10))
    assert read_predictions(out / "predictions.csv").ids == ["v0", "v1", "v2", "v3"]
    assert open_attention(out / "attention").clips["id"].tolist() == ["v0", "v1", "v2", "v3"]


def test_classes_counted_apart_have_figures_of_their_own() -> None:
    evaluation = ClassScores(Asked(samples([0, 0, 1, 2]), CLASSES[:3], apart=frozenset({0})))
    evaluation.add(batch([0, 1, 2, 3]), outputs([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0], [0, 0, 1]]))
    row = evaluation.row(evaluation.share()[0], [])
    assert (row["top1_edited_classes"], row["top1_other_classes"]) == (50, 100)


def test_a_network_is_asked_about_the_frames() -> None:
    class Network(nn.Module):
        def forward(self, frames: torch.Tensor) -> BranchOutputs:
            return BranchOutputs(scores=frames.float().mean((2, 3, 4)))

    answer = ClassScores(Asked([], CLASSES[:3])).ask(Network(), batch([0, 1]))
    assert answer.scores.shape == (2, 3)
