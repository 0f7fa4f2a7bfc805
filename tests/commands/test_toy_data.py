import json

import pytest


def test_it_writes_videos_and_counts_them(tmp_path, run_cli):
    out = tmp_path / "toy"
    words = ("toy-data", "ucf101", out, "--size", 3, "--frames", 4, "--frame-hw", "40,48")
    answer = run_cli(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert row["data"] == str(out)
    assert row["layout"] == "ucf101"
    assert (row["classes"], row["train"], row["val"], row["frames"]) == (6, 12, 6, 72)
    assert len(list(out.glob("UCF-101/*/*.avi"))) == 18
    refused = run_cli(*words)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "exists already" in refused.stderr
    assert run_cli(*words, "--overwrite").exit_code == 0


def test_it_writes_something_something_and_counts_it(tmp_path, run_cli):
    out = tmp_path / "toy"
    words = ("toy-data", "ssv2", out, "--size", 3, "--frames", 12, "--frame-hw", "40,48")
    planned, answer = run_cli(*words, "--dry-run", "--json"), run_cli(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == planned.stdout
    (row,) = json.loads(answer.stdout)
    assert (row["classes"], row["train"], row["val"], row["test"]) == (8, 16, 8, 8)
    assert len(list(out.glob("20bn-something-something-v2/*.webm"))) == 32


def test_it_writes_faces_and_counts_them(tmp_path, run_cli):
    out = tmp_path / "toy"
    words = ("toy-data", "ckplus", out, "--size", 3, "--frames", 6, "--frame-hw", "40,48")
    planned, answer = run_cli(*words, "--dry-run", "--json"), run_cli(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == planned.stdout
    (row,) = json.loads(answer.stdout)
    assert (row["layout"], row["subjects"], row["classes"]) == ("ckplus", 3, 7)
    assert len(list(out.glob("Emotion/*/*/*.txt"))) == row["labelled"] >= 7
    assert len(list(out.glob("cohn-kanade-images/*/*"))) == row["sequences"]
    assert len(list(out.glob("cohn-kanade-images/*/*/*.png"))) == row["frames"]
    assert (out / "config.toml").read_text().startswith("format_version = 1\n")


def test_it_writes_images_by_class_and_counts_them(tmp_path, run_cli):
    out = tmp_path / "toy"
    words = ("toy-data", "image-folder", out, "--size", 3, "--scene-set", "scenes")
    planned, answer = run_cli(*words, "--dry-run", "--json"), run_cli(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == planned.stdout
    (row,) = json.loads(answer.stdout)
    assert (row["layout"], row["classes"], row["train"], row["val"]) == ("image-folder", 8, 16, 8)
    assert len(list(out.glob("train/*/*.jpg"))) == 16
    assert len(list(out.glob("test/*/*.jpg"))) == 8


def test_it_writes_people_and_counts_them(tmp_path, run_cli):
    out = tmp_path / "toy"
    words = ("toy-data", "market1501", out, "--size", 4, "--cameras", 2, "--frame-hw", "64,32")
    planned, answer = run_cli(*words, "--dry-run", "--json"), run_cli(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == planned.stdout
    (row,) = json.loads(answer.stdout)
    assert row["layout"] == "market1501"
    assert len(list(out.glob("bounding_box_train/*.jpg"))) == row["train"]


def test_the_default_size_depends_on_the_layout(tmp_path, run_cli):
    answer = run_cli("toy-data", "ckplus", tmp_path / "toy", "--dry-run", "--json")
    assert json.loads(answer.stdout)[0]["subjects"] == 40


def test_a_sequence_too_short_for_an_expression_is_wrong_usage(tmp_path, run_cli):
    answer = run_cli("toy-data", "ckplus", tmp_path / "toy", "--frames", 5)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--frames: must be at least 6 for ckplus" in answer.stderr


def test_a_dry_run_touches_nothing(tmp_path, run_cli):
    answer = run_cli("toy-data", "ucf101", tmp_path / "toy", "--dry-run", "--json")
    assert json.loads(answer.stdout)[0]["train"] + json.loads(answer.stdout)[0]["val"] == 144
    assert list(tmp_path.iterdir()) == []


def test_other_bodies_are_an_option_of_one_layout(tmp_path, run_cli):
    answer = run_cli("toy-data", "ucf101", tmp_path / "toy", "--others", 0)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--others: is for ssv2 alone" in answer.stderr
    assert run_cli("toy-data", "ssv2", tmp_path / "toy", "--others", 0, "--dry-run").exit_code == 0


def test_a_video_too_short_for_an_action_is_wrong_usage(tmp_path, run_cli):
    answer = run_cli("toy-data", "ssv2", tmp_path / "toy", "--frames", 11)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--frames: must be at least 12 for ssv2" in answer.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--size", "2"),
        ("--frame-hw", "8,8"),
        ("--frame-hw", "40"),
        ("--frames", "0"),
        ("--seed", "-1"),
        ("--seed", str(2**63)),
    ],
)
def test_what_cannot_be_drawn_is_wrong_usage(tmp_path, run_cli, options):
    answer = run_cli("toy-data", "ucf101", tmp_path / "toy", *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert options[0] in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_dataset_is_wrong_usage(tmp_path, run_cli):
    answer = run_cli("toy-data", "imagenet", tmp_path / "toy")
    assert answer.exit_code == 2
