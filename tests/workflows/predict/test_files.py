import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from attncli.data.video.reading import write_video
from attncli.files.attention import open_attention
from attncli.files.predictions import read_predictions
from tests.support.runs import make_run

N_FRAMES = 9


@pytest.fixture
def video(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (N_FRAMES, 33, 47, 3), dtype=np.uint8)
    write_video(tmp_path / "own.mp4", iter(pixels), 10)
    return tmp_path / "own.mp4"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", "abn", tmp_path / "data.csv")


def test_a_row_a_file_and_others_are_named(
    tmp_path: Path, run: Path, video: Path, run_cli: Callable[..., Any]
) -> None:
    out, lost = tmp_path / "out", tmp_path / "lost.mp4"
    words = ("predict", run, "-", "--top", 2, "-o", out, "--json")
    answer = run_cli(*words, stdin=f"{video}\n{lost}\n")
    assert answer.exit_code == 3
    assert "lost.mp4" in answer.stderr
    (row,) = json.loads(answer.stdout)
    made = read_predictions(out / "predictions.csv")
    assert list(row) == [
        *("file", "top1_class", "top1_probability", "top2_class", "top2_probability")
    ]
    assert row["file"] == str(video)
    assert row["top1_class"] == made.predicted[0]
    assert row["top1_probability"] == pytest.approx(made.probabilities.max())
    assert open_attention(out / "attention").spatial.shape[:2] == (1, 4)
    assert "lost.mp4" in (out / "failures.jsonl").read_text()
    assert run_cli(*words, stdin=f"{video}\n").exit_code == 1  # it exists already
    assert run_cli(*words, "--overwrite", stdin=f"{video}\n").exit_code == 0


@pytest.mark.parametrize("with_a_video", [True, False])
def test_one_picture_is_no_video(
    tmp_path: Path, run: Path, video: Path, run_cli: Callable[..., Any], with_a_video: bool
) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "own.png")
    files = [tmp_path / "own.png", *([video] if with_a_video else [])]
    answer = run_cli("predict", run, *files, "--json")
    assert (answer.exit_code, len(json.loads(answer.stdout))) == (3, int(with_a_video))
    assert "own.png (is one picture; name a video" in answer.stderr


def test_an_overlay_shows_all_frames_at_their_rate(
    tmp_path: Path, run: Path, video: Path, run_cli: Callable[..., Any]
) -> None:
    overlay = tmp_path / "seen.mp4"
    assert run_cli("predict", run, video, "--overlay", overlay, "--dry-run").exit_code == 0
    assert not overlay.exists()
    assert run_cli("predict", run, video, "--overlay", overlay).exit_code == 0
    with av.open(str(overlay)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 10
        assert sum(1 for _ in container.decode(stream)) == N_FRAMES


def test_an_overlay_is_of_one_file_with_attention(
    tmp_path: Path, run: Path, video: Path, run_cli: Callable[..., Any]
) -> None:
    two = run_cli("predict", run, video, video, "--overlay", tmp_path / "seen.mp4")
    assert (two.exit_code, "of one file" in two.stderr) == (2, True)
    picture = run_cli("predict", run, video, "--overlay", tmp_path / "seen.png")
    assert (picture.exit_code, "cannot be a video" in picture.stderr) == (2, True)
    blind = make_run(tmp_path / "x3d", "x3d", tmp_path / "data.csv")
    none = run_cli("predict", blind, video, "--overlay", tmp_path / "seen.mp4")
    assert (none.exit_code, "no attention" in none.stderr) == (2, True)
