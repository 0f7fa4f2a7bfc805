"""Training and scoring of folds, through the command line, on faces of a few pixels."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from attncli.files.attention import open_attention
from attncli.files.predictions import read_predictions
from attncli.files.runs import load

SUBJECTS, FOLDS = 6, 3
EMOTIONS = 3
"""Everybody shows all of them."""
TINY = (
    *("--folds", FOLDS, "--face-px", 16, "--margin-px", 2, "--widths", "4,4,4,4,8"),
    *("--face-crop", "centre", "--epochs", 2, "--batch-size", 8, "--device", "cpu"),
)
ENHANCED = ("--groups", 2)


@pytest.fixture(scope="module")
def trained(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two methods, trained and scored over all folds."""
    from attncli.cli import run

    out = tmp_path_factory.mktemp("runs")
    runs = {}
    for method, more in (("convlstm", ()), ("enhanced-convlstm-ram", ENHANCED)):
        runs[method] = out / method
        words = ["train", method, "--data", faces, *TINY, *more, "-o", runs[method]]
        assert run([str(word) for word in words]) == 0
    return runs


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_labelled_sequence_is_tested_once_by_who_never_saw_its_person(faces, trained):
    for run in trained.values():
        folds = {row["id"]: int(row["fold"]) for row in table(run / "folds.csv")}
        people = {row["id"]: row["subject"] for row in table(run / "folds.csv")}
        made = read_predictions(run / "eval" / "val" / "predictions.csv")
        assert sorted(made.ids) == sorted(folds)
        assert len(folds) == SUBJECTS * EMOTIONS
        for fold in range(1, FOLDS + 1):
            own = read_predictions(run / f"fold{fold:02d}" / "eval" / "val" / "predictions.csv")
            assert set(own.ids) == {id_ for id_, number in folds.items() if number == fold}
            assert {people[i] for i in own.ids}.isdisjoint(
                people[i] for i, number in folds.items() if number != fold
            )


def test_methods_share_their_folds(trained):
    first, second = (run / "folds.csv" for run in trained.values())
    assert first.read_bytes() == second.read_bytes()


def test_figures_are_those_of_the_predictions(trained, run_cli):
    answer = run_cli("eval", *trained.values(), "--json")
    assert answer.exit_code == 0
    rows = json.loads(answer.stdout)
    assert [row["run"] for row in rows] == [str(run) for run in trained.values()]
    for row in rows:
        out = Path(row["run"]) / "eval" / "val"
        made = read_predictions(out / "predictions.csv")
        right = [a == b for a, b in zip(made.labels, made.predicted, strict=True)]
        assert row["accuracy"] == pytest.approx(100 * np.mean(right))
        folds = [float(line["accuracy"]) for line in table(out / "fold_accuracy.csv")]
        assert row["accuracy_fold_mean"] == pytest.approx(np.mean(folds))
        assert row["accuracy_fold_std"] == pytest.approx(np.std(folds, ddof=1))
        assert (row["sequences"], row["folds"], row["failed"]) == (18, FOLDS, 0)
        counts = {line["class"]: line for line in table(out / "confusion.csv")}
        assert sum(int(counts[name][name]) for name in counts) == sum(right)
        recalls = {line["class"]: line["recall"] for line in table(out / "recall.csv")}
        assert recalls["fear"] == ""
        of_happy = [r for r, label in zip(right, made.labels, strict=True) if label == "happy"]
        assert float(recalls["happy"]) == pytest.approx(100 * np.mean(of_happy))
        assert (out / "confusion.png").stat().st_size > 1000
    assert "mcnemar_p" not in rows[0]
    assert 0 < rows[1]["mcnemar_p"] <= 1
    assert "attention_accuracy" in rows[1]


def test_attention_of_all_folds_is_joined(trained):
    run = trained["enhanced-convlstm-ram"]
    whole = open_attention(run / "eval" / "val" / "attention")
    parts = [
        open_attention(run / f"fold{fold:02d}" / "eval" / "val" / "attention")
        for fold in range(1, FOLDS + 1)
    ]
    np.testing.assert_array_equal(whole.spatial, np.concatenate([p.spatial for p in parts]))
    assert whole.clips["row"].tolist() == list(range(len(whole.clips)))
    assert whole.clips["id"].tolist() == [i for p in parts for i in p.clips["id"]]
    assert whole.spatial.shape[1:] == (8, 2, 2)


def test_inversion_is_scored_over_all_folds_together(trained, run_cli):
    run = trained["enhanced-convlstm-ram"]
    (row,) = json.loads(run_cli("invert-spatial", run, "--json").stdout)
    own = json.loads((run / "eval" / "val" / "metrics.json").read_text())
    assert (row["run"], row["folds"], row["sequences"]) == (str(run), FOLDS, 18)
    assert row["accuracy"] == own["accuracy"]
    folds = [run / f"fold{fold:02d}" for fold in range(1, FOLDS + 1)]
    single = json.loads(run_cli("invert-spatial", *folds, "--json").stdout)
    assert all("folds" not in one for one in single)
    right = sum(one["sequences"] * one["accuracy_inverted"] for one in single)
    assert row["accuracy_inverted"] == pytest.approx(right / 18)
    assert row["accuracy_drop"] == row["accuracy"] - row["accuracy_inverted"]
    out = run / "invert-spatial" / "val"
    classes = {line["class"]: line for line in table(out / "classes.csv")}
    assert {name: int(line["sequences"]) for name, line in classes.items()} == {
        "anger": 6,
        "happy": 6,
        "surprise": 6,
    }
    right = sum(6 * float(line["accuracy_inverted"]) for line in classes.values())
    assert right / 18 == pytest.approx(row["accuracy_inverted"])
    assert len(read_predictions(out / "predictions.csv").ids) == 18


def test_a_dry_run_refuses_what_training_would(faces, trained, run_cli, tmp_path):
    def plan(method, out, *more):
        words = ("train", method, "--data", faces, *TINY, "-o", out, "--dry-run", "--json", *more)
        return run_cli(*words)

    run = trained["convlstm"]
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert "exists already" in plan("convlstm", run).stderr
    (row,) = json.loads(plan("convlstm", run, "--resume").stdout)
    assert (row["folds_done"], row["folds"]) == (FOLDS, FOLDS)
    assert "folds_done" not in json.loads(plan("convlstm", run, "--overwrite").stdout)[0]
    assert "other settings: --seed" in plan("convlstm", run, "--resume", "--seed", 3).stderr
    (row,) = json.loads(plan("convlstm", run, "--resume", "--fold", 1).stdout)
    assert (row["epochs_done"], row["epochs"]) == (2, 2)
    assert "fold01: exists already" in plan("convlstm", run, "--fold", 1).stderr
    assert "is fold 1 of a run" in plan("convlstm", run / "fold01", "--resume").stderr
    groups = plan("enhanced-convlstm-ram", tmp_path / "r", "--groups", 3)
    assert groups.exit_code == 2
    assert "--groups" in groups.stderr
    init = plan("convlstm", tmp_path / "r", "--init", tmp_path / "gone.safetensors")
    assert "gone.safetensors: no such" in init.stderr
    assert not (tmp_path / "r").exists()
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_folds_without_attention_are_not_inverted(trained, run_cli):
    answer = run_cli("invert-spatial", trained["convlstm"])
    assert answer.exit_code == 1
    assert "convlstm has no spatial attention" in answer.stderr


def test_entropy_reads_all_folds_together(trained, run_cli):
    answer = run_cli("entropy", trained["enhanced-convlstm-ram"], "--json")
    assert answer.exit_code == 0
    assert 0 <= json.loads(answer.stdout)[0]["entropy"] <= np.log2(10)


def test_unlabelled_sequences_are_left_out_and_counted(faces, run_cli, tmp_path):
    answer = run_cli("train", "convlstm", "--data", faces, *TINY, "-o", tmp_path / "r", "--dry-run")
    plan = dict(line.split(maxsplit=1) for line in answer.stdout.splitlines()[1:] if " " in line)
    assert plan["people"].strip() == str(SUBJECTS)
    assert plan["sequences"].strip() == "18"
    assert "1 of 19 sequences have no emotion label" in answer.stderr
    assert not (tmp_path / "r").exists()


def test_a_run_that_was_stopped_goes_on_at_the_fold_it_was_in(faces, trained, run_cli, tmp_path):
    whole = trained["convlstm"]
    cut = tmp_path / "cut"
    shutil.copytree(whole, cut)
    for name in ("fold02", "fold03", "eval"):
        shutil.rmtree(cut / name)
    kept = (cut / "fold01" / "model.safetensors").stat().st_mtime_ns
    refused = run_cli("eval", cut)
    assert refused.exit_code == 1
    assert "2 of 3 folds are not trained, such as fold02" in refused.stderr
    answer = run_cli("train", "convlstm", "--data", faces, *TINY, "-o", cut, "--resume")
    assert answer.exit_code == 0
    assert (cut / "fold01" / "model.safetensors").stat().st_mtime_ns == kept
    for name in ("fold01", "fold02", "fold03"):
        weights = (cut / name / "model.safetensors").read_bytes()
        assert weights == (whole / name / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_folds_can_be_trained_one_by_one_or_side_by_side(faces, trained, run_cli, tmp_path):
    out = tmp_path / "run"
    words = ("train", "convlstm", "--data", faces, *TINY, "-o", out)
    one = run_cli(*words, "--fold", 2, "--json")
    assert one.exit_code == 0
    assert json.loads(one.stdout)[0]["run"] == str(out / "fold02")
    assert "\nfold 2: epoch 1/" in one.stderr
    again = run_cli(*words, "--fold", 2)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    rest = run_cli(*words, "--resume", "--parallel-folds", 2)
    assert rest.exit_code == 0
    for fold in (1, 3):  # what each process wrote to its log
        assert f"\nfold {fold}: epoch 1/" in rest.stderr
    assert rest.stderr.splitlines()[-1] == f"wrote {out}"
    whole = trained["convlstm"]
    made, before = (
        read_predictions(run / "eval" / "val" / "predictions.csv") for run in (out, whole)
    )
    assert made.ids == before.ids
    np.testing.assert_allclose(made.probabilities, before.probabilities, atol=1e-3)


def test_a_run_goes_on_with_its_own_settings_only(faces, trained, run_cli):
    words = ("train", "convlstm", "--data", faces, *TINY, "-o", trained["convlstm"], "--resume")
    answer = run_cli(*words, "--lr", 0.5)
    assert answer.exit_code == 2
    assert "begun with other settings: --lr" in answer.stderr


def test_folds_of_an_earlier_run_are_taken(faces, trained, run_cli, tmp_path):
    file = tmp_path / "folds.csv"
    swapped = (trained["convlstm"] / "folds.csv").read_text().splitlines()
    turned = [swapped[0]] + [
        f"{line[: line.rfind(',')]},{int(line[-1]) % FOLDS + 1}" for line in swapped[1:]
    ]
    file.write_text("\n".join(turned) + "\n")
    out = tmp_path / "run"
    words = ("train", "convlstm", "--data", faces, *TINY, "--epochs", 1, "-o", out, "--fold", 1)
    assert run_cli(*words, "--folds-file", file).exit_code == 0
    fold_of = {row["id"]: row["fold"] for row in table(out / "folds.csv")}
    assert fold_of == {row["id"]: row["fold"] for row in table(file)}
    refused = run_cli(*words[:4], *TINY, "--folds", 4, "--folds-file", file, "-o", tmp_path / "r")
    assert refused.exit_code == 2
    assert "has 3 folds, not 4" in refused.stderr


def test_fewer_people_than_folds_are_refused(faces, run_cli, tmp_path):
    words = ("train", "convlstm", "--data", faces, *TINY, "--folds", 7, "-o", tmp_path / "run")
    answer = run_cli(*words)
    assert answer.exit_code == 1
    assert "6 people, too few for 7 folds" in answer.stderr
    assert not (tmp_path / "run").exists()


@pytest.fixture
def damaged(faces: Path, tmp_path: Path) -> Path:
    """The same faces, but a frame in the middle of S002/001 is cut short."""
    root = tmp_path / "damaged"
    shutil.copytree(faces, root)
    frame = root / "cohn-kanade-images/S002/001/S002_001_00000003.png"
    frame.write_bytes(frame.read_bytes()[:60])
    return root


def test_a_sequence_with_a_damaged_frame_is_named_and_left_out(damaged, run_cli, tmp_path):
    out = tmp_path / "run"
    answer = run_cli("train", "convlstm", "--data", damaged, *TINY, "-o", out, "--json")
    assert answer.exit_code == 3
    (row,) = json.loads(answer.stdout)
    assert (row["sequences"], row["failed"]) == (17, 1)
    lines = (out / "eval" / "val" / "failures.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["S002/001"]
    assert "S002_001_00000003.png" in lines[0]


def test_folds_are_tested_on_their_own_people_only(faces, trained, run_cli):
    run = trained["convlstm"]
    other = run_cli("eval", run, "--data", faces)
    assert other.exit_code == 2
    assert "a fold is tested on its own people only" in other.stderr
    training = run_cli("eval", run, "--split", "train")
    assert training.exit_code == 2
    single = run_cli("eval", run / "fold01", "--split", "train", "--json")
    assert single.exit_code == 0
    assert json.loads(single.stdout)[0]["sequences"] == 12


def test_people_who_change_folds_after_training_are_noticed(faces, trained, run_cli, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained["convlstm"], run)
    text = (run / "folds.csv").read_text()
    (run / "folds.csv").write_text(
        "".join(
            line.replace(f",{line[-1]}", f",{int(line[-1]) % FOLDS + 1}") + "\n"
            if line[-1].isdecimal()
            else line + "\n"
            for line in text.splitlines()
        )
    )
    for words in (("eval", run), ("train", "convlstm", "--data", faces, *TINY, "-o", run)):
        answer = run_cli(*words, *(("--resume",) if words[0] == "train" else ()))
        assert answer.exit_code == 1
        assert "was trained with another folds.csv than its run now has" in answer.stderr


def test_a_fold_may_be_moved_out_of_its_run(trained, run_cli, tmp_path):
    shutil.copytree(trained["convlstm"] / "fold01", tmp_path / "alone")
    answer = run_cli("eval", tmp_path / "alone", "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)[0]["sequences"] == 6


def test_one_networks_weights_do_not_answer_for_all_folds(trained, run_cli):
    run = trained["convlstm"]
    answer = run_cli("eval", run, "--checkpoint", run / "fold01" / "model.safetensors")
    assert answer.exit_code == 2
    assert "--checkpoint: is of one network, not of all folds" in answer.stderr


def test_other_evaluations_are_not_taken_for_the_runs_own(faces, trained, run_cli, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained["convlstm"], run)
    before = json.loads((run / "eval/val/metrics.json").read_text())
    shown = json.loads(run_cli("eval", run, "--checkpoint", "best", "--json").stdout)
    assert shown[0]["checkpoint"] == "best"
    words = ("train", "convlstm", "--data", faces, *TINY, "-o", run, "--resume", "--json")
    (after,) = json.loads(run_cli(*words).stdout)
    assert after["accuracy"] == before["accuracy"]
    assert "checkpoint" not in after


def test_one_fold_is_not_written_into_a_directory_of_something_else(faces, run_cli, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("precious")
    answer = run_cli("train", "convlstm", "--data", faces, *TINY, "-o", foreign, "--fold", 1)
    assert answer.exit_code == 1
    assert "exists already" in answer.stderr
    assert [entry.name for entry in foreign.iterdir()] == ["thesis.txt"]


def test_a_fold_is_not_taken_for_a_run_of_folds(faces, trained, run_cli):
    fold = trained["convlstm"] / "fold01"
    answer = run_cli("train", "convlstm", "--data", faces, *TINY, "-o", fold, "--resume")
    assert answer.exit_code == 2
    assert f"is fold 1 of a run; go on with -o {fold.parent} --fold 1 --resume" in answer.stderr


def test_sequences_that_are_too_short_are_refused_before_anything_is_written(
    faces, run_cli, tmp_path
):
    words = ("train", "convlstm", "--data", faces, *TINY, "--padding", "error")
    answer = run_cli(*words, "-o", tmp_path / "run")
    assert answer.exit_code == 1
    assert "frames, a clip has 8" in answer.stderr
    assert not (tmp_path / "run").exists()


def test_two_processes_train_all_folds_as_one_does(faces, trained, launch, tmp_path):
    words = ("train", "convlstm", "--data", faces, *TINY, "-o", tmp_path / "run")
    assert [code for code, _ in launch.together(*words)] == [0, 0]
    made, before = (
        read_predictions(run / "eval" / "val" / "predictions.csv")
        for run in (tmp_path / "run", trained["convlstm"])
    )
    assert made.ids == before.ids
    np.testing.assert_allclose(made.probabilities, before.probabilities, atol=1e-3)


def test_runs_with_other_folds_are_not_compared(faces, trained, run_cli, tmp_path):
    out = tmp_path / "other"
    words = ("train", "convlstm", "--data", faces, *TINY, "--epochs", 1, "--folds-seed", 5)
    assert run_cli(*words, "-o", out).exit_code == 0
    answer = run_cli("eval", trained["convlstm"], out, "--json")
    assert all("mcnemar_p" not in row for row in json.loads(answer.stdout))
    assert "other folds or sequences than" in answer.stderr


def test_the_run_of_a_fold_is_a_run_of_its_own(trained):
    run = load(trained["convlstm"] / "fold02")
    assert (run.method, run.config.fold) == ("convlstm", 2)
    assert load(trained["convlstm"]).config.fold is None
