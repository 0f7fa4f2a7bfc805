import json
import subprocess
import sys
from pathlib import Path

import pytest

from attncli.visualization.clips import HeatStyle
from attncli.visualization.selection import Wish
from attncli.workflows import visualize, visualize_classes
from attncli.workflows.outcome import Outcome


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
    modules = "attncli.workflows.visualize, attncli.workflows.visualize_classes"
    check = f"import {modules}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
