import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from attncli.config.segment import SegmentConfig
from attncli.data.toy.scenes import render
from attncli.data.video.reading import write_video
from attncli.errors import AttncliError
from attncli.files.failures import read_failures
from attncli.files.masks import MaskDirectory
from attncli.reporting import Silent
from attncli.workflows.segment import segment_videos

N_FRAMES = 20
MOTION = SegmentConfig(backend="motion")


def write_clips(root: Path, n_videos: int, n_frames: int = N_FRAMES) -> Path:
    for number in range(n_videos):
        scene = render(
            "Sliding",
            n_frames=n_frames,
            size_hw=(40, 48),
            look=np.random.default_rng(number),
            course=np.random.default_rng(number),
        )
        write_video(root / "Sliding" / f"v{number}.avi", scene.frames, 25.0)
    return root


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), 5)


def segment(data: Path, out: Path, config: SegmentConfig = MOTION, **options):
    return segment_videos(data, out, config, reporter=Silent(), **options)


def contents(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def test_every_frame_of_every_video_gets_a_line(clips, tmp_path):
    outcome = segment(clips, tmp_path / "masks")
    (row,) = outcome.rows
    assert (row["method"], row["videos"], row["frames"], row["failed"]) == ("motion", 5, 100, 0)
    assert row["instances"] > 0
    assert row["frames_per_sec"] > 0
    masks = MaskDirectory(tmp_path / "masks")
    for number in range(5):
        frames = list(masks.frames(f"Sliding/v{number}"))
        assert [frame.frame for frame in frames] == list(range(N_FRAMES))
        assert {frame.size_hw for frame in frames} == {(40, 48)}
    settings = (tmp_path / "masks" / "config.toml").read_text()
    assert 'backend = "motion"' in settings
    assert "format_version = 1" in settings
    assert not (tmp_path / "masks" / "failures.jsonl").exists()


def test_skipped_frames_are_not_written_but_the_last_is(clips, tmp_path):
    segment(clips, tmp_path, SegmentConfig(backend="motion", frame_stride=6))
    masks = MaskDirectory(tmp_path)
    assert [frame.frame for frame in masks.frames("Sliding/v0")] == [0, 6, 12, 18, 19]
    assert masks.read("Sliding/v0", range(N_FRAMES)).shape == (N_FRAMES, 40, 48)


def test_masks_do_not_depend_on_how_many_videos_are_worked_on_at_once(clips, tmp_path):
    segment(clips, tmp_path / "one", workers=1)
    segment(clips, tmp_path / "three", workers=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


def test_videos_that_cannot_be_read_are_named_and_leave_nothing(tmp_path):
    data = write_clips(tmp_path / "data", 3)
    cut, empty = (data / "Sliding" / f"v{number}.avi" for number in (0, 1))
    cut.write_bytes(cut.read_bytes()[:-2000])
    empty.write_bytes(b"")
    out = tmp_path / "masks"
    outcome = segment(data, out)
    assert outcome.rows[0]["videos"] == 1
    assert outcome.rows[0]["failed"] == 2
    assert [failure.id for failure in outcome.failures] == ["Sliding/v0", "Sliding/v1"]
    assert read_failures(out / "failures.jsonl") == outcome.failures
    assert sorted(contents(out)) == ["Sliding/v2.jsonl", "config.toml", "failures.jsonl"]
    write_clips(data, 3)
    again = segment(data, out, resume=True)
    assert (again.rows[0]["videos"], again.failures) == (2, [])
    assert "failures.jsonl" not in contents(out)


def test_resuming_with_other_settings_is_refused(clips, tmp_path):
    segment(clips, tmp_path, MOTION)
    with pytest.raises(AttncliError, match=r"config\.toml: .*other settings"):
        segment(clips, tmp_path, SegmentConfig(backend="motion", min_area_px=9), resume=True)


def test_what_is_there_already_is_refused_and_left_alone(clips, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(AttncliError, match="exists already"):
        segment(clips, tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_a_wrong_setting_empties_no_directory(clips, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    config = SegmentConfig(backend="motion", classes=("person",))
    with pytest.raises(AttncliError, match="no such class: 'person'"):
        segment(clips, tmp_path, config, overwrite=True)
    assert contents(tmp_path) == {"mine.txt": b"keep"}


def test_a_full_disk_leaves_no_half_written_file(clips, tmp_path, monkeypatch):
    from attncli.files.masks import MaskWriter

    def full(self, masks):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MaskWriter, "write", full)
    with pytest.raises(OSError, match="No space left"):
        segment(clips, tmp_path)
    assert list(contents(tmp_path)) == ["config.toml"]


def test_a_longer_video_takes_no_more_memory(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (96, 400, 3), dtype=np.uint8)

    def peak(n_frames: int) -> int:
        sliding = (noise[:, i % 200 : i % 200 + 128] for i in range(n_frames))
        write_video(tmp_path / str(n_frames) / "Noise" / "v.avi", sliding, 25.0)
        tracemalloc.start()
        segment(tmp_path / str(n_frames), tmp_path / f"masks{n_frames}")
        bytes_at_most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return bytes_at_most

    peak(80)  # what is loaded once is not counted
    assert peak(800) < 1.1 * peak(81)


def start(data: Path, out: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "attncli", "segment", str(data), "-o", str(out)]
    options = ["--backend", "motion", "--workers", "1", "--resume"]
    return subprocess.Popen(
        [*words, *options], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def wait_for(files: int, out: Path) -> None:
    deadline = time.monotonic() + 900
    while len(list(out.rglob("*/v*.jsonl"))) < files and time.monotonic() < deadline:
        time.sleep(0.002)


@pytest.mark.slow
def test_killed_anywhere_and_resumed_it_writes_the_same_bytes(tmp_path):
    data = write_clips(tmp_path / "data", 8, n_frames=80)
    out = tmp_path / "masks"
    for finished in (1, 4):
        process = start(data, out)
        wait_for(finished, out)
        time.sleep(0.05)  # into the midst of the next video
        process.send_signal(signal.SIGKILL)
        process.wait()
        names = {path.name for path in out.rglob("v*.jsonl")}
        assert finished <= len(names) < 8, "not killed in the midst of it"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*/v*.jsonl")}
    assert start(data, out).wait() == 0
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    segment(data, tmp_path / "uninterrupted")
    assert contents(out) == contents(tmp_path / "uninterrupted")


@pytest.mark.slow
def test_two_processes_share_the_videos(clips, tmp_path):
    words = ["--nproc-per-node", "2", "--master-port", "29571", "-m", "attncli", "segment"]
    options = ["-o", str(tmp_path / "two"), "--backend", "motion", "--device", "cpu", "--json"]
    answer = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *words, str(clips), *options],
        stdout=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
    )
    (row,) = json.loads(answer.stdout)
    assert (row["videos"], row["frames"]) == (5, 100)
    segment(clips, tmp_path / "one")
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
