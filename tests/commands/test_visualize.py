import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from attncli.config.runs import RunsCall
from attncli.config.visualize import VisualizeConfig
from attncli.files.attention import AttentionWriter, ClipRecord


def test_four_random_clips_go_into_a_png(told):
    assert told(VisualizeConfig) == VisualizeConfig(out=Path("attention.png"), seed=0)
    assert told(RunsCall, "runs/abn", "b").runs == (Path("runs/abn"), Path("b"))


def test_options_of_the_figure_become_settings(told):
    words = ("-o", "fig.png", "--format", "pdf", "--frames", "4", "--dpi", "150", "--names", "A,N")
    found = told(VisualizeConfig, *words, "--width-in", "3.4", "--split", "train", "--data", "d")
    assert found == VisualizeConfig(
        out=Path("fig.png"),
        format="pdf",
        frames=4,
        dpi=150,
        names=("A", "N"),
        width_in=3.4,
        split="train",
        data=Path("d"),
    )
    assert found.picture == Path("fig.pdf")


def test_options_of_heat_maps_become_settings(told):
    words = ("--range", "frame", "--colormap", "viridis", "--opacity", "0.3", "--masks", "masks")
    assert told(VisualizeConfig, *words, "--edits", "e.csv") == VisualizeConfig(
        value_range="frame",
        colormap="viridis",
        opacity=0.3,
        masks=Path("masks"),
        edits=Path("e.csv"),
    )


def test_options_that_choose_clips_become_settings(told):
    words = ("--class", "Archery", "--class", "B, C", "--order", "sharpest", "--clips", "2")
    assert told(VisualizeConfig, *words, "--seed", "7") == VisualizeConfig(
        classes=("Archery", "B, C"), order="sharpest", clips=2, seed=7
    )
    assert told(VisualizeConfig, "--id", "A/1", "--id", "A/2").ids == ("A/1", "A/2")
    assert told(VisualizeConfig, "--by-class").by_class
    assert told(VisualizeConfig, "--apex").apex


@pytest.fixture
def run(tmp_path):
    """Temporal attention of three clips, of any origin."""
    records = [
        ClipRecord(row, f"v{row}", label, "Hop", (0, 1), (0.0, 0.0, 24.0, 24.0), False)
        for row, label in enumerate(("Hop", "Run", "Run"))
    ]
    with AttentionWriter(tmp_path / "st_abn" / "eval" / "val" / "attention") as writer:
        writer.append(records, temporal=np.array([[0, 1], [0.25, 0.5], [0.5, 0.75]], np.float32))
    return tmp_path / "st_abn"


def test_a_figure_is_drawn_and_json_alone_goes_to_stdout(run_cli, run, tmp_path):
    words = ("visualize", run, "--by-class", "--class", "Run", "-o", tmp_path / "c.png", "--json")
    plan, answer = run_cli(*words, "--dry-run"), run_cli(*words, "--dpi", "60")
    (row,) = json.loads(answer.stdout)
    assert (row["class"], row["clips"], row["mean"]) == ("Run", 2, 0.5)
    assert json.loads(plan.stdout) == [row | {"out": str(tmp_path / "c.png")}]
    assert f"wrote {tmp_path / 'c.png'} and {tmp_path / 'c.csv'}" in answer.stderr
    assert run_cli(*words).exit_code == 1
    assert run_cli(*words, "--overwrite", "--dpi", "60").exit_code == 0


def test_a_run_that_is_not_there_is_one_line_on_stderr(run_cli, tmp_path):
    answer = run_cli("visualize", tmp_path / "none", "-o", tmp_path / "fig.png")
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "no such directory" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_drawing_needs_no_torch():
    check = "import attncli.workflows.visualize.kinds, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
