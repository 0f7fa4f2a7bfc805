import json
import subprocess
import sys
from pathlib import Path

import pytest

from attncli.reporting import Outcome
from attncli.visualization.clips import HeatStyle
from attncli.visualization.selection import Wish
from attncli.workflows.visualize import classes as visualize_classes
from attncli.workflows.visualize import clips as visualize
from attncli.workflows.visualize import faces as visualize_faces


@pytest.fixture
def asked(monkeypatch):
    """Return what the workflow was called with, once it was."""
    calls = {}

    def record(runs, picture, wish, **options):
        calls.update(runs=runs, picture=picture, wish=wish, **options)
        return Outcome(rows=[{"id": "a", "entropy": 1.5}])

    monkeypatch.setattr(visualize, "visualize_runs", record)
    return calls


def test_four_random_clips_go_into_a_png(run_cli, asked):
    assert run_cli("visualize", "runs/abn", "runs/obj_abn").exit_code == 0
    assert [run.name for run in asked["runs"]] == ["abn", "obj_abn"]
    assert asked["picture"].out.name == "attention.png"
    assert asked["picture"].style == HeatStyle()
    assert asked["wish"] == Wish(order="random", clips=4, seed=0)


def test_options_reach_the_picture(run_cli, asked):
    run_cli(
        *("visualize", "runs/abn", "-o", "fig.png", "--format", "pdf", "--range", "frame"),
        *("--colormap", "viridis", "--opacity", "0.3", "--frames", "4", "--dpi", "150"),
        *("--name", "ABN", "--masks", "masks", "--width-in", "3.4"),
    )
    picture = asked["picture"]
    assert picture.out.name == "fig.pdf"
    assert picture.style == HeatStyle("viridis", 0.3, "frame")
    assert (picture.frames, picture.dpi, picture.width_in) == (4, 150, 3.4)
    assert (picture.names, picture.masks.name) == (("ABN",), "masks")


def test_options_reach_the_choice_of_clips(run_cli, asked):
    run_cli(
        *("visualize", "r", "--class", "Archery", "--order", "sharpest", "--clips", "2"),
        *("--seed", "7", "--split", "train"),
    )
    assert asked["wish"] == Wish(labels=("Archery",), order="sharpest", clips=2, seed=7)
    assert asked["split"] == "train"


def test_edits_reach_the_picture(run_cli, asked):
    run_cli("visualize", "r", "--edits", "edits/edits.csv", "--class", "A", "--class", "B")
    assert asked["picture"].edits == Path("edits/edits.csv")
    assert asked["wish"].labels == ("A", "B")


def test_classes_are_drawn_without_clips(run_cli, monkeypatch):
    calls = {}

    def record(runs, picture, **options):
        calls.update(runs=runs, picture=picture, **options)
        return Outcome()

    monkeypatch.setattr(visualize_classes, "visualize_classes", record)
    words = ("--by-class", "-o", "c.png", "--class", "B", "--class", "A", "--split", "train")
    assert run_cli("visualize", "r", *words, "--name", "ST-ABN", "--dpi", "90").exit_code == 0
    expected = visualize_classes.ClassPicture(Path("c.png"), ("B", "A"), ("ST-ABN",), dpi=90)
    assert (calls["picture"], calls["split"]) == (expected, "train")


@pytest.mark.parametrize(
    "option",
    [("--clips", "2"), ("--id", "A/1"), ("--order", "first"), ("--edits", "e"), ("--data", "d")],
)
def test_options_about_clips_do_not_go_with_classes(run_cli, option):
    answer = run_cli("visualize", "r", "--by-class", *option)
    assert answer.exit_code == 2
    assert f"{option[0]}: is about single clips" in answer.stderr


@pytest.fixture
def faces(monkeypatch, asked):
    """Return what the workflows of faces were called with; all runs are of faces."""
    calls = {}

    def take(name):
        def record(runs, picture, *rest, **options):
            calls.update(drawn=name, runs=runs, picture=picture, rest=rest, **options)
            return Outcome()

        monkeypatch.setattr(visualize_faces, name, record)

    take("visualize_apex")
    take("visualize_class_means")
    monkeypatch.setattr(visualize_faces, "are_of_faces", lambda runs: True)
    monkeypatch.setattr(visualize_faces, "lack_temporal", lambda runs, split: True)
    return calls


def test_runs_of_faces_are_drawn_at_the_apex(run_cli, faces, asked):
    words = ("-o", "fig4.png", "--class", "anger", "--seed", "3", "--data", "CK+", "--dpi", "90")
    assert run_cli("visualize", "runs/ec_ram", *words, "--range", "clip").exit_code == 0
    assert not asked
    assert (faces["drawn"], faces["data"], faces["split"]) == ("visualize_apex", Path("CK+"), "val")
    assert faces["picture"].style == HeatStyle(value_range="clip")
    assert (faces["picture"].out, faces["picture"].dpi) == (Path("fig4.png"), 90)
    (wish,) = faces["rest"]
    assert (wish.labels, wish.seed) == (("anger",), 3)


@pytest.mark.parametrize(
    "words",
    [
        ("--clips", "2"),
        ("--id", "S005/001"),
        ("--order", "first"),
        ("--masks", "m"),
        ("--edits", "e"),
        ("-o", "clip.mp4"),
        ("--format", "mp4"),
    ],
)
def test_clips_of_faces_are_drawn_along_their_time_where_they_are_asked_for(
    run_cli, faces, asked, words
):
    assert run_cli("visualize", "runs/ec_ram", *words).exit_code == 0
    assert not faces
    assert asked["runs"] == [Path("runs/ec_ram")]


def test_the_apex_of_any_runs_is_drawn_where_it_is_asked_for(run_cli, faces, monkeypatch):
    monkeypatch.setattr(visualize_faces, "are_of_faces", lambda runs: False)
    words = ("--apex", "--id", "S005/001", "--id", "S010/002")
    assert run_cli("visualize", "runs/abn", *words).exit_code == 0
    assert faces["rest"][0].ids == ("S005/001", "S010/002")


def test_classes_of_runs_without_temporal_attention_are_mean_maps(run_cli, faces):
    words = ("--by-class", "--class", "B", "--class", "A", "--data", "d", "--opacity", "0.3")
    assert run_cli("visualize", "r", *words).exit_code == 0
    assert faces["drawn"] == "visualize_class_means"
    assert (faces["classes"], faces["data"]) == (("B", "A"), Path("d"))
    assert faces["picture"].style.opacity == 0.3


@pytest.mark.parametrize(
    "option", [("--clips", "2"), ("--order", "first"), ("--edits", "e"), ("--masks", "m")]
)
def test_options_about_clips_do_not_go_with_the_apex(run_cli, faces, option):
    answer = run_cli("visualize", "r", "--apex", *option)
    assert answer.exit_code == 2
    assert f"{option[0]}: is about single clips; omit --apex" in answer.stderr
    assert not faces


def test_there_is_one_layout(run_cli, faces):
    answer = run_cli("visualize", "r", "--apex", "--by-class")
    assert answer.exit_code == 2
    assert "--by-class and --apex: exclude each other" in answer.stderr


def test_a_video_shows_one_clip_unless_more_are_asked_for(run_cli, asked):
    run_cli("visualize", "r", "-o", "clip.mp4")
    assert asked["wish"].clips == 1
    run_cli("visualize", "r", "-o", "clip.mp4", "--clips", "3")
    assert asked["wish"].clips == 3


def test_json_alone_goes_to_stdout(run_cli, asked):
    assert json.loads(run_cli("visualize", "r", "--json").stdout) == [{"id": "a", "entropy": 1.5}]


@pytest.mark.parametrize("option", [("--clips", "2"), ("--class", "A"), ("--order", "first")])
def test_ids_leave_no_other_choice(run_cli, asked, option):
    answer = run_cli("visualize", "r", "--id", "A/1", *option)
    assert answer.exit_code == 2
    assert "--id" in answer.stderr
    assert not asked


def test_a_run_that_is_not_there_is_one_line_on_stderr(run_cli, tmp_path):
    answer = run_cli("visualize", tmp_path / "none", "-o", tmp_path / "fig.png")
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "no such directory" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_drawing_needs_no_torch():
    names = ("clips", "classes", "faces")
    modules = ", ".join(f"attncli.workflows.visualize.{name}" for name in names)
    check = f"import {modules}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
