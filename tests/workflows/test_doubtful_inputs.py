"""What is used though it may not be what it should be is said, whichever command uses it."""

from collections.abc import Callable
from pathlib import Path

import pytest

TINY = (
    *("--weights", "none", "--width-factor", "0.5", "--depth-factor", "0.3", "--frames", "4"),
    *("--frame-stride", "2", "--crop-px", "32", "--short-side-val-px", "32", "--epochs", "1"),
    *("--short-side-min-px", "32", "--short-side-max-px", "40", "--batch-size", "2"),
    *("--workers", "0", "--device", "cpu"),
)
Write = Callable[..., Path]


@pytest.fixture
def write(make_video: Callable[..., Path], tmp_path: Path) -> Write:
    """Writes a manifest of four videos, two a split, of which the last lacks a frame."""

    def make(last_video: str = "d") -> Path:
        for name in "abcd":
            make_video(name, 9)
        (tmp_path / "videos" / "d" / "000005.png").unlink()
        rows = zip("abcd", ("train", "train", "val", "val"), "LRLR", strict=True)
        lines = [
            f"clip-{name},videos/{last_video if name == 'd' else name},{label},{split}\n"
            for name, split, label in rows
        ]
        (tmp_path / "list.csv").write_text("id,path,label,split\n" + "".join(lines))
        return tmp_path / "list.csv"

    return make


def test_gaps_are_said_by_whatever_reads_the_frames(write: Write, run_cli, tmp_path: Path) -> None:
    data, run = write(), tmp_path / "run"
    said = (
        f"warning: 1 may lack frames: {tmp_path / 'videos' / 'd'} (no frame between 000004.png and"
        " 000006.png (1 is missing))\n"
    )
    for words in (
        ("train", "abn", "--data", data, *TINY, "-o", run),
        ("eval", run),
        ("invert-spatial", run),
        ("segment", data, "--backend", "motion", "-o", tmp_path / "masks"),
    ):
        answer = run_cli(*words)
        assert answer.exit_code == 0, answer.stderr
        assert answer.stderr.count(said) == 1, answer.stderr


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_videos_of_both_splits_are_said(write: Write, run_cli, tmp_path: Path, dry) -> None:
    data, run = write(last_video="a"), tmp_path / "run"
    answer = run_cli("train", "x3d", "--data", data, *TINY, "-o", run, *dry)
    said = (
        "warning: 1 of 2 clips of split 'val' are of videos of split 'train' too, such as clip-d\n"
    )
    assert (answer.exit_code, answer.stderr.count(said)) == (0, 1), answer.stderr


def test_a_directory_of_another_number_of_frames_than_listed_is_refused_by_all(
    run_cli, make_video, tmp_path: Path
) -> None:
    data = tmp_path / "ssv2"
    for name in ("1", "2", "3", "4"):
        make_video(name, 9)
    data.mkdir()
    (tmp_path / "videos").rename(data / "frames")
    (data / "category.txt").write_text("L\nR\n")
    (data / "train_videofolder.txt").write_text("1 9 0\n2 10 1\n")
    (data / "val_videofolder.txt").write_text("3 9 0\n4 9 1\n")
    said = "holds 9 frames, its list says 10; extract the frames again"
    for words in (
        ("train", "x3d", "--data", data, *TINY, "-o", tmp_path / "run"),
        ("segment", data, "--backend", "motion", "-o", tmp_path / "masks"),
    ):
        answer = run_cli(*words)
        assert (answer.exit_code, said in answer.stderr) == (3, True), answer.stderr
    assert sorted(p.name for p in (tmp_path / "masks").glob("[0-9]*")) == [
        f"{name}.jsonl" for name in (1, 3, 4)
    ]
