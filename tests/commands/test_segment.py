import json
import sys
from pathlib import Path

import numpy as np
import pytest

from attncli.config.segment import SegmentCall, SegmentConfig
from attncli.data.video.reading import write_video


@pytest.fixture
def clips(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (6, 32, 48, 3), dtype=np.uint8)
    write_video(tmp_path / "clips" / "Noise" / "v1.avi", noise, 25.0)
    return tmp_path / "clips"


def test_options_become_settings(told):
    words = ("--classes", "person, dog", "--min-area-px", "9", "--short-side-px", "600")
    found = told(SegmentConfig, *words, "--score-threshold", "0.25", "--weights", "w.pth")
    assert found == SegmentConfig(
        classes=("person", "dog"),
        min_area_px=9,
        short_side_px=600,
        score_threshold=0.25,
        weights=Path("w.pth"),
    )
    call = told(SegmentCall, "videos", "-o", "m", "-j", "2", "--batch-size", "8")
    assert call == SegmentCall(data=Path("videos"), out=Path("m"), workers=2, batch_size=8)


def test_masks_are_written_and_counted(clips, tmp_path, run_cli):
    out = tmp_path / "masks"
    answer = run_cli("segment", clips, "-o", out, "--backend", "motion", "--json")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["run"], row["method"], row["frames"]) == (str(out), "motion", 6)
    assert (out / "Noise" / "v1.jsonl").exists()
    assert str(out) in answer.stderr


def test_a_dry_run_touches_nothing(clips, tmp_path, run_cli):
    answer = run_cli("segment", clips, "-o", tmp_path / "masks", "--dry-run", "--json")
    (row,) = json.loads(answer.stdout)
    assert (row["videos"], row["finished"]) == (1, 0)
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--backend", "magic"), "--backend"),
        (("--score-threshold", "2"), "--score-threshold"),
        (("--frame-stride", "0"), "--frame-stride"),
        (("--min-area-px", "-1"), "--min-area-px"),
        (("--short-side-px", "15"), "--short-side-px"),
        (("--backend", "motion", "--model", "x"), "--model"),
        (("--backend", "motion", "--classes", "movng"), "did you mean 'moving'"),
        (("--model", "maskrcnn"), "no such model of torchvision: 'maskrcnn'"),
        (("--classes", "person,dgo"), "did you mean 'dog'"),
        (("--layout", "x"), "--layout"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_written(clips, tmp_path, run_cli, options, message):
    answer = run_cli("segment", clips, "-o", tmp_path / "masks", *options)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert message in answer.stderr
    assert not (tmp_path / "masks").exists()


def test_a_missing_dataset_is_a_one_line_error(tmp_path, run_cli):
    answer = run_cli("segment", tmp_path / "none", "-o", tmp_path / "masks")
    assert (answer.exit_code, len(answer.stderr.splitlines())) == (1, 1)
    assert not (tmp_path / "masks").exists()


def test_an_unreadable_video_is_named_with_exit_code_3(clips, tmp_path, run_cli):
    (clips / "Noise" / "v0.avi").write_bytes(b"no video")
    answer = run_cli("segment", clips, "-o", tmp_path / "m", "--backend", "motion", "--json")
    assert answer.exit_code == 3
    assert json.loads(answer.stdout)[0]["failed"] == 1
    assert "v0.avi" in answer.stderr
    (line,) = (tmp_path / "m" / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["id"] == "Noise/v0"


def test_a_missing_backend_is_told_with_exit_code_4(clips, tmp_path, run_cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "detectron2.data", None)
    answer = run_cli("segment", clips, "-o", tmp_path / "masks", "--backend", "detectron2")
    assert (answer.exit_code, answer.stdout) == (4, "")
    assert len(answer.stderr.splitlines()) == 1
    assert "detectron2" in answer.stderr
    assert "use --backend torchvision" in answer.stderr
    assert not (tmp_path / "masks").exists()
