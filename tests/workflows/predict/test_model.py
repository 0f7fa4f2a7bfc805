import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import attncli
from attncli.config.evaluate import EvaluateCall
from attncli.data.faces.people import divide_people, write_people
from attncli.data.video.reading import iterate_frames
from attncli.errors import AttncliError, UsageError
from attncli.files.attention import open_attention
from attncli.files.predictions import read_predictions
from attncli.files.runs import load as load_run
from attncli.files.score_maps import read_score_maps
from attncli.reporting import Silent
from attncli.workflows.evaluate.networks import evaluate_runs
from attncli.workflows.predict.model import load
from tests.support.runs import make_run

CLASSES = ("Hop", "Run")
SIZE_HW = (36, 52)
N_FRAMES = 11
TOLERANCE = {"rtol": 0, "atol": 1e-6}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A manifest of three videos, as directories of frames."""
    generator = np.random.default_rng(0)
    lines = [["id", "path", "label", "split"]]
    for number in range(3):
        folder = tmp_path / "frames" / f"v{number}"
        folder.mkdir(parents=True)
        for frame in range(N_FRAMES):
            pixels = generator.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{frame + 1:06}.png")
        lines.append([f"v{number}", f"frames/v{number}", CLASSES[number % 2], "val"])
    with (tmp_path / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return tmp_path / "data.csv"


def evaluate(run: Path) -> Path:
    evaluate_runs(EvaluateCall(runs=(run,), device="cpu", batch_size=1), reporter=Silent())
    return run / "eval" / "val"


def video(data: Path, number: int) -> Path:
    return data.parent / "frames" / f"v{number}"


@pytest.mark.parametrize("method", ["x3d", "abn", "st-abn"])
def test_a_video_is_answered_as_in_an_evaluation(tmp_path: Path, data: Path, method: str) -> None:
    run = make_run(tmp_path / "run", method, data, CLASSES, crop_px=32, short_side_val_px=34)
    written = evaluate(run)
    expected = read_predictions(written / "predictions.csv")
    attention = None if method == "x3d" else open_attention(written / "attention")
    model = load(run, device="cpu")
    for row, id_ in enumerate(expected.ids):
        answer = model.read(video(data, int(id_[1:])))
        assert answer.classes == CLASSES
        assert answer.predicted == (expected.predicted[row],)
        np.testing.assert_allclose(answer.scores[0], expected.probabilities[row], **TOLERANCE)
        for kind in ("spatial", "temporal"):
            own, theirs = getattr(answer, kind), getattr(attention, kind, None)
            assert (own is None) == (theirs is None)
            if own is not None:
                np.testing.assert_allclose(own[0], theirs[row], **TOLERANCE)


@pytest.mark.parametrize("as_given", [np.asarray, torch.from_numpy])
def test_frames_are_answered_as_the_video_they_are_of(
    tmp_path: Path, data: Path, as_given: Callable[[np.ndarray], Any]
) -> None:
    run = make_run(tmp_path / "run", "abn", data, CLASSES, crop_px=32, short_side_val_px=34)
    written = evaluate(run)
    attention = open_attention(written / "attention")
    frames = np.stack(list(iterate_frames(video(data, 1))))
    clip = frames[list(attention.record(1).frames)]
    answer = attncli.load(run, device="cpu")(as_given(clip))
    expected = read_predictions(written / "predictions.csv").probabilities[1]
    np.testing.assert_allclose(answer.scores, expected[None], **TOLERANCE)
    np.testing.assert_allclose(answer.spatial[0], attention.spatial[1], **TOLERANCE)


def test_several_clips_are_answered_one_by_one(tmp_path: Path, data: Path) -> None:
    model = load(make_run(tmp_path / "run", "abn", data, CLASSES), device="cpu")
    clips = np.random.default_rng(1).integers(0, 256, (4, 4, 40, 48, 3), dtype=np.uint8)
    together, alone = model(clips), [model(clip) for clip in clips]
    assert together.scores.shape == (4, 2)
    assert together.spatial.shape[:2] == (4, 4)
    np.testing.assert_allclose(
        together.scores, np.concatenate([a.scores for a in alone]), atol=1e-5
    )


def test_crops_can_be_shown_as_they_are(tmp_path: Path, data: Path) -> None:
    model = load(make_run(tmp_path / "run", "x3d", data, CLASSES), device="cpu")
    clip = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    expected = model.network(torch.from_numpy(clip)[None].permute(0, 4, 1, 2, 3)).scores.softmax(1)
    np.testing.assert_allclose(model(clip, cut=False).scores, expected.detach(), atol=1e-6)


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        (np.zeros((4, 8, 8, 3), np.float32), "must be uint8, not float32"),
        (np.zeros((4, 8, 8, 1), np.uint8), "must be of shape"),
        (np.zeros((8, 3), np.uint8), "must be of shape"),
        (np.zeros((5, 8, 8, 3), np.uint8), "clips have 5 frames, the network takes 4"),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path, data: Path, frames: np.ndarray, told: str
) -> None:
    model = load(make_run(tmp_path / "run", "st-abn", data, CLASSES), device="cpu")
    with pytest.raises(UsageError, match=told):
        model(frames)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, data: Path) -> None:
    model = load(make_run(tmp_path / "run", "x3d", data, CLASSES), device="cpu")
    with pytest.raises(AttncliError, match=r"nowhere\.mp4: no such video"):
        model.read(tmp_path / "nowhere.mp4")


def test_weights_that_answer_nothing_finite_are_named(tmp_path: Path, data: Path) -> None:
    model = load(make_run(tmp_path / "run", "x3d", data, CLASSES), device="cpu")
    with torch.no_grad():
        for tensor in (*model.network.parameters(), *model.network.buffers()):
            if tensor.is_floating_point():
                tensor.fill_(torch.nan)
    with pytest.raises(AttncliError, match="not finite"):
        model.read(video(data, 0))


def test_a_sequence_of_faces_is_answered_by_the_vote_of_its_clips(
    tmp_path: Path, data: Path
) -> None:
    run = make_run(
        tmp_path / "run", "convlstm-ram", data, CLASSES, fold=1, folds=2, face_crop="centre"
    )
    model = load(run, device="cpu")
    answer = model.read(video(data, 0))
    starts = range((N_FRAMES - 4) % 2, N_FRAMES - 4 + 1, 2)
    assert answer.spatial.shape[:2] == (len(starts), 4)
    frames = np.stack(list(iterate_frames(video(data, 0))))
    clips = model(np.stack([frames[start : start + 4] for start in starts]))
    np.testing.assert_allclose(answer.spatial, clips.spatial, **TOLERANCE)
    np.testing.assert_allclose(answer.scores[0], clips.scores.mean(axis=0), **TOLERANCE)


def test_a_sequence_of_faces_is_answered_as_in_the_evaluation_of_its_fold(
    tmp_path: Path, data: Path
) -> None:
    lines = data.read_text().splitlines()
    people = [f"{line},{'subject' if n == 0 else f'person{n}'}" for n, line in enumerate(lines)]
    data.write_text("\n".join(people).replace(",val,", ",,"))
    settings = {"fold": 1, "folds": 2, "face_crop": "centre"}
    run = make_run(tmp_path / "run", "convlstm-ram", data, CLASSES, **settings)
    write_people(divide_people(load_run(run).config, Silent()), run)
    written = evaluate(run)
    expected, attention = read_predictions(written / "predictions.csv"), written / "attention"
    id_, *_ = expected.ids
    answer = load(run, device="cpu").read(video(data, int(id_[1:])))
    np.testing.assert_allclose(answer.scores[0], expected.probabilities[0], **TOLERANCE)
    own = open_attention(attention).spatial[: len(answer.spatial)]
    np.testing.assert_allclose(answer.spatial, own, **TOLERANCE)


def test_an_image_is_answered_as_in_an_evaluation(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    lines = [["id", "path", "label", "split"]]
    for number, label in enumerate(CLASSES):
        pixels = generator.integers(0, 256, (40, 56, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        lines += [[f"i{number}", f"{number}.png", label, split] for split in ("train", "val")]
    with (tmp_path / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    run = make_run(tmp_path / "run", "cam", tmp_path / "data.csv", CLASSES, layout="manifest")
    written = evaluate(run)
    expected = read_predictions(written / "predictions.csv")
    model = load(run, device="cpu")
    for row in range(2):
        read = model.read(tmp_path / f"{row}.png")
        given = model(np.asarray(Image.open(tmp_path / f"{row}.png")))
        for answer in (read, given):
            np.testing.assert_allclose(answer.scores[0], expected.probabilities[row], **TOLERANCE)
        maps = read_score_maps(written / "score_maps", expected.ids[row])
        assert list(read.maps[0]) == [CLASSES[k - 1] for k in maps.classes]
        for own, theirs in zip(read.maps[0].values(), maps.scores, strict=True):
            np.testing.assert_allclose(own, theirs, atol=1e-3)  # half precision on disk
