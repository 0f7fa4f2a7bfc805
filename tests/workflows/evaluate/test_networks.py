import csv
import multiprocessing
import os
import pickle
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.config.evaluate import EvaluateCall
from attncli.data.clips.reading import ClipReader, collate
from attncli.data.layouts import open_dataset
from attncli.errors import AttncliError, UsageError
from attncli.files.attention import open_attention
from attncli.files.checkpoints import load_weights, read_weights, write_checkpoint, write_weights
from attncli.files.failures import read_failures
from attncli.files.metrics import read_metrics
from attncli.files.predictions import read_predictions
from attncli.files.runs import RunDirectory, load
from attncli.files.temporal_edits import write_temporal_edits
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Outcome, Silent
from attncli.workflows.entropy import Measure, measure_entropy
from attncli.workflows.evaluate.networks import evaluate_runs
from tests.support.networks import build
from tests.support.reporters import Told
from tests.support.runs import begin_run, make_run
from tests.support.settings import tiny

CLASSES = ("Hop", "Run", "Walk")
N_CLIPS = 7
STRIDE = {"frame_stride": 2}


def write_manifest(
    root: Path, labels: list[str], *, name: str = "manifest.csv", training: int = 0
) -> Path:
    """Write videos of 12 frames and their manifest, the first `training` for training."""
    generator = np.random.default_rng(0)
    with (root / name).open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "path", "label", "split"])
        for number, label in enumerate(labels):
            folder = root / "frames" / f"clip{number}"
            folder.mkdir(parents=True, exist_ok=True)
            for frame in range(12):
                pixels = generator.integers(0, 256, (34, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{frame + 1:06}.png")
            split = "train" if number < training else "val"
            table.writerow([f"v/clip{number}", f"frames/clip{number}", label, split])
    return root / name


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_manifest(tmp_path, [CLASSES[number % 3] for number in range(N_CLIPS)])


def abn(tmp_path: Path, data: Path, **changes: Any) -> Path:
    """Write a run of ABN whose clips are of every other frame."""
    return make_run(tmp_path / "abn", "abn", data, CLASSES, **STRIDE, **changes)


def evaluate(*runs: Path, **options: Any) -> Outcome:
    ways = {"reporter": Silent()}
    ways |= {n: options.pop(n) for n in ("reporter", "dry_run", "world") if n in options}
    return evaluate_runs(EvaluateCall(runs=runs, **({"device": "cpu"} | options)), **ways)


def clip_by_clip(run: Path, data: Path) -> dict[str, np.ndarray]:
    """What the network of `abn` says when clips go through it one at a time."""
    config = tiny("abn", data=data, **STRIDE)
    model = build("abn", config, len(CLASSES), seed=1).model.eval()
    load_weights(model, read_weights(run), where=run)
    clips = ClipReader(open_dataset(data, split="val"), config, training=False, seed=config.seed)
    answers = []
    with torch.inference_mode():
        for row in range(len(clips)):
            outputs = model(collate([clips[row]]).frames)
            values = {"scores": outputs.scores, "branch": outputs.attention_scores}
            values["maps"] = outputs.spatial_attention
            answers.append({k: v[0].numpy() for k, v in values.items() if v is not None})
    return {key: np.stack([answer[key] for answer in answers]) for key in answers[0]}


def test_every_clip_is_answered_as_if_it_were_alone(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    outcome = evaluate(run)
    expected = clip_by_clip(run, data)
    evaluation = run / "eval" / "val"
    predictions = read_predictions(evaluation / "predictions.csv")
    branch = read_predictions(evaluation / "attention_predictions.csv")
    attention = open_attention(evaluation / "attention")
    softmax = torch.from_numpy(expected["scores"]).softmax(1).numpy()
    labels = np.arange(N_CLIPS) % 3
    assert predictions.ids == [f"v/clip{number}" for number in range(N_CLIPS)]
    assert predictions.labels == [CLASSES[label] for label in labels]
    assert predictions.predicted == [CLASSES[best] for best in softmax.argmax(1)]
    assert tuple(predictions.classes) == CLASSES
    np.testing.assert_allclose(predictions.probabilities, softmax, atol=1e-5)
    np.testing.assert_allclose(attention.spatial, expected["maps"], atol=1e-5)
    assert attention.clips["id"].tolist() == predictions.ids
    assert attention.clips["predicted"].tolist() == predictions.predicted
    assert outcome.rows == [
        {
            "run": str(run),
            "method": "abn",
            "split": "val",
            "clips": N_CLIPS,
            "failed": 0,
            "unlabelled": 0,
            "top1": pytest.approx(100 * np.mean(softmax.argmax(1) == labels)),
            "top5": 100,
            "attention_top1": pytest.approx(100 * np.mean(expected["branch"].argmax(1) == labels)),
            "attention_top5": 100,
            "entropy": pytest.approx(map_entropy(attention.spatial).clip_bits.mean()),
        }
    ]
    assert read_metrics(evaluation / "metrics.json") == outcome.rows[0]
    assert branch.ids == predictions.ids
    softmax = torch.from_numpy(expected["branch"]).softmax(1).numpy()
    np.testing.assert_allclose(branch.probabilities, softmax, atol=1e-5)


def test_where_a_clip_lies_in_its_video_is_kept(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    evaluate(run)
    record = open_attention(run / "eval" / "val" / "attention").record(0)
    assert record.frames == (2, 4, 6, 8)  # 8 of 12 frames, centred
    assert record.crop == pytest.approx((7, 0, 41, 34), abs=1)  # the middle square of 48x34
    assert not record.flip


def test_batches_and_readers_do_not_change_the_answers(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data, val_start="random")
    path = run / "eval" / "val"
    evaluate(run)
    first, clips = read_predictions(path / "predictions.csv"), open_attention(path / "attention")
    evaluate(run, batch_size=5, workers=1)
    again = read_predictions(path / "predictions.csv")
    np.testing.assert_allclose(again.probabilities, first.probabilities, atol=1e-5)
    frames = open_attention(path / "attention").clips["frames"]
    assert frames.tolist() == clips.clips["frames"].tolist()
    assert len(set(frames)) > 1  # clips do start at random


def test_a_clip_that_cannot_be_read_is_named_and_no_other_takes_its_place(
    tmp_path: Path, data: Path
) -> None:
    for image in (tmp_path / "frames" / "clip3").iterdir():
        image.write_bytes(b"")
    run = abn(tmp_path, data)
    outcome = evaluate(run, batch_size=1)
    evaluation = run / "eval" / "val"
    assert [failure.id for failure in outcome.failures] == ["v/clip3"]
    assert read_failures(evaluation / "failures.jsonl") == outcome.failures
    assert (outcome.rows[0]["clips"], outcome.rows[0]["failed"]) == (N_CLIPS - 1, 1)
    ids = [f"v/clip{number}" for number in range(N_CLIPS) if number != 3]
    assert read_predictions(evaluation / "predictions.csv").ids == ids
    assert open_attention(evaluation / "attention").clips["id"].tolist() == ids


def test_a_split_of_which_nothing_can_be_read_has_no_figures(tmp_path: Path, data: Path) -> None:
    for image in (tmp_path / "frames").glob("*/*.png"):
        image.write_bytes(b"")
    outcome = evaluate(abn(tmp_path, data))
    assert len(outcome.failures) == N_CLIPS
    assert (outcome.rows[0]["clips"], outcome.rows[0]["top1"]) == (0, None)
    assert not (tmp_path / "abn" / "eval" / "val" / "attention").exists()


def test_clips_without_a_class_are_predicted_and_counted(tmp_path: Path) -> None:
    data = write_manifest(tmp_path, ["Hop", "", "Run", "", "Walk"])
    run = abn(tmp_path, data)
    (row,) = evaluate(run).rows
    predictions = read_predictions(run / "eval" / "val" / "predictions.csv")
    assert (row["clips"], row["unlabelled"]) == (5, 2)
    assert row["top1"] in [pytest.approx(100 * hits / 3) for hits in range(4)]
    assert predictions.labels == ["Hop", "", "Run", "", "Walk"]


def test_other_data_and_another_checkpoint_are_noted(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    other = write_manifest(tmp_path, ["", ""], name="other.csv")
    best = build("abn", load(run).config, len(CLASSES), seed=5).model
    state = {"model": best.state_dict(), "epoch": 1}
    write_checkpoint(RunDirectory(run).best_checkpoint_path, state)
    (row,) = evaluate(run, checkpoint="best", data=other).rows
    assert (row["checkpoint"], row["data"], row["clips"]) == ("best", str(other), 2)
    assert row["top1"] is None
    before = read_predictions(run / "eval" / "val" / "predictions.csv").probabilities
    evaluate(run, data=other)
    after = read_predictions(run / "eval" / "val" / "predictions.csv").probabilities
    assert np.abs(before - after).max() > 1e-4
    file = tmp_path / "best.pt"
    RunDirectory(run).best_checkpoint_path.rename(file)
    evaluate(run, checkpoint=str(file), data=other)
    np.testing.assert_array_equal(
        read_predictions(run / "eval" / "val" / "predictions.csv").probabilities, before
    )


def test_a_network_without_attention_has_accuracy_alone(tmp_path: Path, data: Path) -> None:
    run = make_run(tmp_path / "x3d", "x3d", data, CLASSES)
    (row,) = evaluate(run).rows
    assert not {"attention_top1", "entropy"} & row.keys()
    assert row["top1"] is not None
    assert sorted(path.name for path in (run / "eval" / "val").iterdir()) == [
        "made.json",
        "metrics.json",
        "predictions.csv",
    ]


def test_several_runs_answer_with_a_row_each(tmp_path: Path, data: Path) -> None:
    runs = [make_run(tmp_path / m, m, data, CLASSES) for m in ("x3d", "abn")]
    assert [row["method"] for row in evaluate(*runs).rows] == ["x3d", "abn"]


def test_an_evaluation_replaces_all_of_the_one_before(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    stale = run / "eval" / "val" / "entropy.csv"
    stale.parent.mkdir(parents=True)
    stale.write_text("of the evaluation before")
    evaluate(run)
    assert not stale.exists()
    assert [path.name for path in (run / "eval").iterdir()] == ["val"]


def files_of(directory: Path) -> dict[str, tuple[bytes, int]]:
    found = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_ino) for path in found}


def test_what_is_there_of_the_same_weights_data_and_options_is_left_alone(
    tmp_path: Path, data: Path
) -> None:
    run, told = abn(tmp_path, data), Told()
    first = evaluate(run)
    before = files_of(run / "eval")
    assert evaluate(run, reporter=told).rows == first.rows
    assert files_of(run / "eval") == before
    assert any(" stands: " in note for note in told.notes)
    assert evaluate(run, again=True).rows == first.rows
    assert files_of(run / "eval") != before


def changed_picture(data: Path, run: Path) -> None:
    path = next((data.parent / "frames").rglob("*.png"))
    Image.fromarray(np.zeros((34, 48, 3), np.uint8)).save(path)


def changed_label(data: Path, run: Path) -> None:
    data.write_text(data.read_text().replace("clip0,Hop", "clip0,Run"))


def changed_weights(data: Path, run: Path) -> None:
    model = build("abn", tiny("abn", data=data, **STRIDE), len(CLASSES), seed=2).model
    write_weights(RunDirectory(run).weights_path, model, {})


def removed_map(data: Path, run: Path) -> None:
    (run / "eval" / "val" / "attention" / "spatial.npy").unlink()


@pytest.mark.parametrize("change", [changed_picture, changed_label, changed_weights, removed_map])
def test_after_any_change_it_is_made_anew(
    tmp_path: Path, data: Path, change: Callable[[Path, Path], None]
) -> None:
    run = abn(tmp_path, data)
    evaluate(run)
    before = files_of(run / "eval")
    change(data, run)
    evaluate(run)
    assert files_of(run / "eval") != before
    assert (run / "eval" / "val" / "attention" / "spatial.npy").is_file()


def test_samples_that_could_not_be_read_get_another_chance(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    shutil.move(tmp_path / "frames" / "clip0", tmp_path / "clip0")
    assert len(evaluate(run).failures) == 1
    assert len(evaluate(run).failures) == 1
    shutil.move(tmp_path / "clip0", tmp_path / "frames" / "clip0")
    assert evaluate(run).rows[0]["failed"] == 0


def test_figures_of_other_options_and_commands_stay_with_the_same_answers(tmp_path: Path) -> None:
    data = write_manifest(tmp_path, ["Hop", "Run", "Walk", "Run", "Hop", "Run"], training=3)
    edits = tmp_path / "edits.csv"
    write_temporal_edits(edits, {"v/clip1": np.ones(12, np.float32)})
    run = abn(tmp_path, data)
    evaluate(run)
    measure_entropy([run], Measure(), split="val", reporter=Silent())
    entropies = (run / "eval" / "val" / "entropy.csv").read_bytes()
    (edited,) = evaluate(run, temporal_edits=edits).rows
    assert (run / "eval" / "val" / "entropy.csv").read_bytes() == entropies
    assert evaluate(run, again=True).rows == [edited]
    assert "top1_edited_classes" in edited


def test_classes_of_edited_training_clips_have_figures_of_their_own(tmp_path: Path) -> None:
    labels = ["Hop", "Run", "Walk", "Run", "Hop", "Run", "Walk", "Run", "Hop", ""]
    data = write_manifest(tmp_path, labels, training=3)
    edits = tmp_path / "edits.csv"
    write_temporal_edits(
        edits,
        {
            "v/clip1": np.ones(12, np.float32),
            "v/clip2": np.zeros(12, np.float32),
            "v/clip0": np.full(12, np.nan, np.float32),  # nobody edited it
        },
    )
    run = abn(tmp_path, data)
    (row,) = evaluate(run, temporal_edits=edits).rows
    written = read_predictions(run / "eval" / "val" / "predictions.csv")
    answers = list(zip(written.labels, written.predicted, strict=True))
    for figure, classes in (("edited", {"Run", "Walk"}), ("other", {"Hop"})):
        hits = [label == predicted for label, predicted in answers if label in classes]
        assert row[f"top1_{figure}_classes"] == pytest.approx(100 * np.mean(hits))
    assert read_metrics(run / "eval" / "val" / "metrics.json") == row


@pytest.mark.parametrize(
    ("clip", "score", "complaint"),
    [
        ("v/clip5", 1.0, "no such clip: 'v/clip5'"),
        ("v/clip1", np.nan, "edits no clip that has a class"),
    ],
)
def test_edits_of_no_training_clip_are_refused(
    tmp_path: Path, clip: str, score: float, complaint: str
) -> None:
    data = write_manifest(tmp_path, ["Hop", "Run", "Walk", "Run", "Hop", "Run"], training=3)
    write_temporal_edits(tmp_path / "edits.csv", {clip: np.full(12, score, np.float32)})
    run = abn(tmp_path, data)
    with pytest.raises(AttncliError, match=complaint):
        evaluate(run, temporal_edits=tmp_path / "edits.csv")
    assert not (run / "eval").exists()


def test_a_network_without_temporal_attention_takes_any_number_of_frames(
    tmp_path: Path, data: Path
) -> None:
    run = abn(tmp_path, data)
    (row,) = evaluate(run, frames=6).rows
    attention = open_attention(run / "eval" / "val" / "attention")
    assert row["frames"] == 6
    assert attention.spatial is not None
    assert attention.spatial.shape[1] == 6
    assert attention.record(0).frames == (0, 2, 4, 6, 8, 10)


def test_a_network_with_temporal_attention_takes_its_own_number_of_frames_only(
    tmp_path: Path, data: Path
) -> None:
    begin_run(tmp_path / "st_abn", "st-abn", data, CLASSES)
    with pytest.raises(UsageError, match=r"--frames: .*st_abn takes clips of 4 frames only, not"):
        evaluate(tmp_path / "st_abn", frames=6)


def test_both_kinds_of_attention_are_kept_and_can_be_measured(tmp_path: Path, data: Path) -> None:
    path = make_run(tmp_path / "st_abn", "st-abn", data, CLASSES)
    (row,) = evaluate(path).rows
    config = load(path).config
    model = build("st-abn", config, len(CLASSES)).model.eval()
    clips = ClipReader(open_dataset(data, split="val"), config, training=False, seed=config.seed)
    with torch.inference_mode():
        outputs = model(collate([clips[row] for row in range(N_CLIPS)]).frames)
    attention = open_attention(path / "eval" / "val" / "attention")
    np.testing.assert_allclose(attention.spatial, outputs.spatial_attention, atol=1e-4)
    np.testing.assert_allclose(attention.temporal, outputs.temporal_attention, atol=1e-4)
    (measured,) = measure_entropy([path], Measure(), reporter=Silent()).rows
    assert (measured["method"], measured["clips"]) == ("st-abn", N_CLIPS)
    assert measured["entropy"] == pytest.approx(row["entropy"])


def test_a_dry_run_touches_nothing(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    (row,) = evaluate(run, dry_run=True).rows
    assert (row["clips"], row["out"]) == (N_CLIPS, str(run / "eval" / "val"))
    assert not (run / "eval").exists()


def wrong_classes(run: Path, data: Path) -> dict[str, Any]:
    return {"data": write_manifest(data.parent, ["Hop", "Jog", "Walk"], name="other.csv")}


def missing_weights(run: Path, data: Path) -> dict[str, Any]:
    (run / "model.safetensors").unlink()
    return {}


def other_architecture(run: Path, data: Path) -> dict[str, Any]:
    other = make_run(run.with_name("other"), "abn", data, CLASSES, width_factor=1.0)
    (other / "model.safetensors").replace(run / "model.safetensors")
    return {}


class Code:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("executed",)


def pickled_code(run: Path, data: Path) -> dict[str, Any]:
    (run / "evil.pt").write_bytes(pickle.dumps({"model": Code()}, protocol=2))
    return {"checkpoint": str(run / "evil.pt")}


def not_finite(run: Path, data: Path) -> dict[str, Any]:
    model = build("abn", load(run).config, len(CLASSES)).model
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, float("nan"))
    write_weights(run / "model.safetensors", model, {})
    return {}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (wrong_classes, "class 2 is 'Jog' here and 'Run' in "),
        (missing_weights, r"model\.safetensors: no such weights"),
        (other_architecture, "the weights are of another architecture"),
        (pickled_code, r"evil\.pt: refused"),
        (not_finite, "holds a value that is not finite"),
    ],
)
def test_what_cannot_be_evaluated_leaves_the_evaluation_before(
    tmp_path: Path,
    data: Path,
    damage: Callable[[Path, Path], dict[str, Any]],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = abn(tmp_path, data)
    kept = run / "eval" / "val" / "metrics.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("before")
    with pytest.raises(AttncliError, match=complaint):
        evaluate(run, **damage(run, data))
    assert kept.read_text() == "before"
    assert [path.name for path in (run / "eval").iterdir()] == ["val"]
    assert not (tmp_path / "executed").exists()


def test_a_missing_run_stops_before_any_other_is_evaluated(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    with pytest.raises(AttncliError, match="no such run"):
        evaluate(run, tmp_path / "absent")
    assert not (run / "eval").exists()


def test_mixed_precision_is_close_to_single(tmp_path: Path, data: Path) -> None:
    run = abn(tmp_path, data)
    path = run / "eval" / "val" / "predictions.csv"
    evaluate(run)
    single = read_predictions(path).probabilities
    evaluate(run, precision="bf16")
    np.testing.assert_allclose(read_predictions(path).probabilities, single, atol=0.05)


def in_two_processes(*words: str) -> list[int | None]:
    """Run a command as `torchrun` does and return the exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["attncli.workflows.train.network"])
    processes = []
    for rank in ("0", "1"):
        ranks = place | {"RANK": rank, "WORLD_SIZE": "2"}
        code = (
            f"import os, sys; os.environ |= {ranks}\n"
            f"from attncli.cli import run; sys.exit(run({list(words)}))"
        )
        processes.append(context.Process(target=exec, args=(code, {})))
        processes[-1].start()
    for process in processes:
        process.join(timeout=120)
    return [process.exitcode for process in processes]


@pytest.mark.slow
def test_two_processes_write_what_one_writes(tmp_path: Path, data: Path) -> None:
    for image in (tmp_path / "frames" / "clip4").iterdir():
        image.write_bytes(b"")
    run = abn(tmp_path, data)
    evaluation = run / "eval" / "val"
    (alone,) = evaluate(run).rows
    table = (evaluation / "attention" / "clips.csv").read_text()
    maps = np.array(open_attention(evaluation / "attention").spatial)
    assert in_two_processes("eval", str(run), "--device", "cpu") == [3, 0]
    together = read_metrics(evaluation / "metrics.json")
    assert together.pop("entropy") == pytest.approx(alone.pop("entropy"))
    assert together == alone
    assert (evaluation / "attention" / "clips.csv").read_text() == table
    np.testing.assert_allclose(open_attention(evaluation / "attention").spatial, maps, atol=1e-5)
    assert [failure.id for failure in read_failures(evaluation / "failures.jsonl")] == ["v/clip4"]
    assert [path.name for path in (run / "eval").iterdir()] == ["val"]
