import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from attncli.config.evaluate import AskCall
from attncli.config.toml import dump
from attncli.errors import AttncliError
from attncli.files.failures import read_failures
from attncli.files.metrics import read_metrics
from attncli.files.predictions import read_predictions
from attncli.files.runs import load
from attncli.reporting import Outcome, Silent
from attncli.types import AttentionEdit, BranchOutputs
from attncli.workflows.evaluate import invert_spatial, trial
from tests.support.networks import build
from tests.support.runs import make_run

CLASSES = ("Drop", "Fold", "Hide", "Push", "Roll", "Stack")
LABELS = ("Drop", "Fold", "Stack", "Drop", "", "Roll", "Push", "Drop", "Fold", "Hide")
N_FRAMES, SIDE_PX = 4, 32
MAP = np.array([[0.9, 0.1], [0.2, 0.6]])
"""Attention of the first frame; each frame after it has half that of the one before."""
WEIGHTS = np.random.default_rng(54).normal(size=(len(CLASSES), 2, 2))
"""What each class makes of each cell."""


class HandMadeNetwork(nn.Module):
    """Features are the brightness of the four quarters of a frame; attention is always the same."""

    def __init__(self) -> None:
        super().__init__()
        self.extracted = 0

    def extract(self, frames: torch.Tensor) -> torch.Tensor:
        self.extracted += len(frames)
        gray = frames.double().mean(dim=1, keepdim=True) / 255
        return nn.functional.adaptive_avg_pool3d(gray, (None, 2, 2))

    def answer(self, features: torch.Tensor, edit: AttentionEdit | None = None) -> BranchOutputs:
        halves = 0.5 ** torch.arange(features.shape[2])
        attention = torch.from_numpy(MAP) * halves[:, None, None]
        if edit is not None and edit.invert_spatial:
            attention = 1 - attention
        attended = features[:, 0] * (1 + attention)
        scores = torch.einsum("bthw,khw->bk", attended, torch.from_numpy(WEIGHTS))
        return BranchOutputs(scores=scores.float())


def ranking_by_hand(pixels: np.ndarray, *, inverted: bool) -> list[str]:
    """The classes by score, greatest first, from a clip's pixels by equations 1 and 7."""
    scores = dict.fromkeys(CLASSES, 0.0)
    half = SIDE_PX // 2
    for t in range(N_FRAMES):
        for row in range(2):
            for column in range(2):
                part = pixels[t, row * half : (row + 1) * half, column * half : (column + 1) * half]
                feature = part.mean() / 255
                attention = MAP[row, column] / 2**t
                if inverted:
                    attention = 1 - attention
                for weights, name in zip(WEIGHTS, CLASSES, strict=True):
                    scores[name] += weights[row, column] * (1 + attention) * feature
    return sorted(CLASSES, key=lambda name: -scores[name])


def percent_by_hand(clips: np.ndarray, rank: int, *, inverted: bool, label: str = "") -> float:
    """The share of clips, of one class or of all, whose class is among the first `rank`."""
    own = [n for n, name in enumerate(LABELS) if name and label in ("", name)]
    hits = [LABELS[n] in ranking_by_hand(clips[n], inverted=inverted)[:rank] for n in own]
    return 100 * sum(hits) / len(hits)


@pytest.fixture
def clips(tmp_path: Path) -> np.ndarray:
    """Ten videos of four frames; each is one clip, shown as it is."""
    rng = np.random.default_rng(3)
    base = rng.uniform(0, 255, (len(LABELS), N_FRAMES, 2, 2, 1))
    pixels = base.repeat(SIDE_PX // 2, 2).repeat(SIDE_PX // 2, 3).repeat(3, 4).astype(np.uint8)
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "path", "label", "split"])
        for number, label in enumerate(LABELS):
            folder = tmp_path / "frames" / f"clip{number}"
            folder.mkdir(parents=True)
            for t in range(N_FRAMES):
                Image.fromarray(pixels[number, t]).save(folder / f"{t + 1:06}.png")
            table.writerow([f"clip{number}", f"frames/clip{number}", label, "val"])
    return pixels


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> HandMadeNetwork:
    made = HandMadeNetwork()
    monkeypatch.setattr(trial, "open_network", lambda run, **options: made)
    return made


@pytest.fixture
def run(tmp_path: Path, clips: np.ndarray) -> Path:
    return run_of(tmp_path)


def run_of(root: Path, method: str = "abn") -> Path:
    """Write a run on the videos, each of which is one clip."""
    once = {"sampling": "dense", "frame_stride": 1}
    return make_run(root / method, method, root / "manifest.csv", CLASSES, **once)


def invert(*runs: Path, **options: Any) -> Outcome:
    ways = {"reporter": Silent()}
    ways |= {n: options.pop(n) for n in ("reporter", "dry_run", "world") if n in options}
    return invert_spatial.invert_runs(AskCall(runs=runs, **({"device": "cpu"} | options)), **ways)


def test_eq7_accuracies_before_and_after_are_those_of_a_naive_loop(
    run: Path, clips: np.ndarray, network: HandMadeNetwork
) -> None:
    (row,) = invert(run).rows
    own, inverted = (
        [percent_by_hand(clips, rank, inverted=inverted) for rank in (1, 5)]
        for inverted in (False, True)
    )
    assert own[0] != inverted[0]  # the clips are such that inversion does something
    assert own[1] != inverted[1]
    assert row == {
        "run": str(run),
        "method": "abn",
        "split": "val",
        "clips": 10,
        "failed": 0,
        "unlabelled": 1,
        "top1": pytest.approx(own[0]),
        "top5": pytest.approx(own[1]),
        "top1_inverted": pytest.approx(inverted[0]),
        "top5_inverted": pytest.approx(inverted[1]),
        "top1_drop": pytest.approx(own[0] - inverted[0]),
        "top5_drop": pytest.approx(own[1] - inverted[1]),
    }
    out = run / "invert-spatial" / "val"
    assert read_metrics(out / "metrics.json") == row
    written = read_predictions(out / "predictions.csv")
    assert written.predicted == [ranking_by_hand(pixels, inverted=True)[0] for pixels in clips]
    assert written.labels == list(LABELS)


def test_each_class_has_a_line_of_its_own(
    run: Path, clips: np.ndarray, network: HandMadeNetwork
) -> None:
    invert(run)
    with (run / "invert-spatial" / "val" / "classes.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["class"] for line in lines] == list(CLASSES)
    for line in lines:
        own, inverted = (
            percent_by_hand(clips, 1, inverted=inverted, label=line["class"])
            for inverted in (False, True)
        )
        assert int(line["clips"]) == LABELS.count(line["class"])
        figures = [float(line[name]) for name in ("top1", "top1_inverted", "drop")]
        assert figures == pytest.approx([own, inverted, own - inverted])


def test_features_are_computed_once_for_both_answers(run: Path, network: HandMadeNetwork) -> None:
    invert(run)
    assert network.extracted == len(LABELS)


def test_several_runs_answer_with_a_row_each(
    run: Path, network: HandMadeNetwork, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    run.rename(other)
    rows = invert(other, run_of(tmp_path)).rows
    assert [Path(str(row["run"])).name for row in rows] == ["other", "abn"]


def test_runs_of_several_seeds_answer_with_their_mean_too(
    tmp_path: Path, clips: np.ndarray, network: HandMadeNetwork
) -> None:
    several = tmp_path / "several"
    several.mkdir()
    for seed in (0, 1):
        run_of(tmp_path).rename(several / f"seed{seed}")
    text = dump(load(several / "seed0").config, method="abn", several=2)
    (several / "config.toml").write_text(text)
    first, second, together = invert(several).rows
    assert [row["run"] for row in (first, second)] == [str(several / f"seed{n}") for n in (0, 1)]
    assert (together["run"], together["seeds"]) == (str(several), 2)
    assert (together["top1_drop"], together["top1_drop_std"]) == (first["top1_drop"], 0.0)


def test_the_runs_evaluation_stays_and_an_earlier_test_goes(
    run: Path, network: HandMadeNetwork
) -> None:
    for path in (run / "eval" / "val" / "metrics.json", run / "invert-spatial" / "val" / "stale"):
        path.parent.mkdir(parents=True)
        path.write_text("before")
    invert(run)
    assert (run / "eval" / "val" / "metrics.json").read_text() == "before"
    names = [path.name for path in sorted((run / "invert-spatial" / "val").iterdir())]
    assert names == ["classes.csv", "metrics.json", "predictions.csv"]


def test_a_clip_that_cannot_be_read_is_named(
    run: Path, network: HandMadeNetwork, tmp_path: Path
) -> None:
    for image in (tmp_path / "frames" / "clip2").iterdir():
        image.write_bytes(b"")
    outcome = invert(run)
    assert [failure.id for failure in outcome.failures] == ["clip2"]
    assert (outcome.rows[0]["clips"], outcome.rows[0]["failed"]) == (9, 1)
    assert read_failures(run / "invert-spatial" / "val" / "failures.jsonl") == outcome.failures


def test_a_split_of_which_nothing_can_be_read_has_no_figures(
    run: Path, network: HandMadeNetwork, tmp_path: Path
) -> None:
    for image in (tmp_path / "frames").glob("*/*.png"):
        image.write_bytes(b"")
    (row,) = invert(run).rows
    assert (row["clips"], row["top1"], row["top1_drop"]) == (0, None, None)


def test_a_network_without_spatial_attention_is_refused_before_any_other_is_tested(
    run: Path, network: HandMadeNetwork, tmp_path: Path
) -> None:
    with pytest.raises(AttncliError, match=r"x3d: x3d has no spatial attention; name a run of abn"):
        invert(run, run_of(tmp_path, "x3d"))
    assert not (run / "invert-spatial").exists()


def test_scores_that_are_not_finite_leave_the_test_before(
    run: Path, network: HandMadeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    invert(run)
    kept = (run / "invert-spatial" / "val" / "metrics.json").read_text()

    def explode(features: torch.Tensor, edit: AttentionEdit | None = None) -> BranchOutputs:
        value = 0.0 if edit is None else float("nan")
        return BranchOutputs(scores=torch.full((len(features), len(CLASSES)), value))

    monkeypatch.setattr(network, "answer", explode)
    with pytest.raises(AttncliError, match="not finite"):
        invert(run)
    assert (run / "invert-spatial" / "val" / "metrics.json").read_text() == kept
    assert [path.name for path in (run / "invert-spatial").iterdir()] == ["val"]


def test_a_dry_run_touches_nothing(run: Path, network: HandMadeNetwork) -> None:
    (row,) = invert(run, dry_run=True).rows
    assert (row["clips"], row["out"]) == (10, str(run / "invert-spatial" / "val"))
    assert not (run / "invert-spatial").exists()


@pytest.mark.parametrize("method", ["abn", "st-abn"])
def test_every_network_with_spatial_attention_answers_to_its_inverse(
    tmp_path: Path, clips: np.ndarray, method: str
) -> None:
    path = run_of(tmp_path, method)
    model = build(method, load(path).config, len(CLASSES)).model.eval()
    (row,) = invert(path).rows
    frames = torch.from_numpy(clips).permute(0, 4, 1, 2, 3)
    with torch.inference_mode():
        own = model(frames).spatial_attention
        inverted = model(frames, AttentionEdit(invert_spatial=True))
    torch.testing.assert_close(inverted.spatial_attention, 1 - own)
    written = read_predictions(path / "invert-spatial" / "val" / "predictions.csv").probabilities
    np.testing.assert_allclose(written, inverted.scores.softmax(1), atol=1e-4)
    assert row["method"] == method
