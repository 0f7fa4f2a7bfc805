import os
from pathlib import Path
from typing import Any

import pytest

from attncli.config.evaluate import EvaluateCall
from attncli.errors import Failure
from attncli.files.evaluations import write_made
from attncli.files.failures import FAILURES, write_failures
from attncli.files.metrics import write_metrics
from attncli.reporting import Silent
from attncli.workflows.evaluate.earlier import earlier_outcome, keep_others, made_from, stands
from attncli.workflows.evaluate.trial import plan
from tests.support.runs import make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for number in range(2):
        frames = tmp_path / f"clip{number}"
        frames.mkdir()
        (frames / "000001.jpg").write_bytes(b"a picture that nobody reads")
    data = tmp_path / "data.csv"
    data.write_text("id,path,label,split\na,clip0,Hop,val\nb,clip1,Run,val\n")
    return make_run(tmp_path / "x3d", "x3d", data, ("Hop", "Run"))


def origin(run: Path, **options: Any) -> str:
    (trial,) = plan([run], EvaluateCall(runs=(run,), **options), Silent())
    return made_from(trial)


def test_how_the_work_is_shared_out_changes_no_origin(run: Path) -> None:
    assert origin(run) == origin(run, workers=3) == origin(run, device="cpu")


def test_what_changes_answers_changes_the_origin(run: Path) -> None:
    ways = [{}, {"precision": "bf16"}, {"frames": 2}, {"batch_size": 7}]
    assert len({origin(run, **way) for way in ways}) == len(ways)


@pytest.mark.parametrize("change", ["rewritten", "one more", "gone"])
def test_changed_frames_change_the_origin(run: Path, change: str) -> None:
    before, frame = origin(run), run.parent / "clip0" / "000001.jpg"
    if change == "rewritten":
        status = frame.stat()
        frame.write_bytes(b"another picture of that size...")
        os.utime(frame, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "one more":
        (frame.parent / "000002.jpg").write_bytes(b"")
    else:
        frame.unlink()
    assert origin(run) != before


def evaluation(path: Path, **figures: float) -> Path:
    (path / "attention").mkdir(parents=True)
    write_metrics(path / "metrics.json", figures)
    (path / "attention" / "clips.csv").write_text(path.name)
    return path


def test_an_evaluation_with_failures_does_not_stand(tmp_path: Path) -> None:
    there = evaluation(tmp_path / "val", top1=1.0)
    write_made(there, "abc")
    assert stands(there, "abc")
    assert not stands(there, "abd")
    write_failures(there / FAILURES, [Failure("a", "a.avi", "is empty")])
    assert not stands(there, "abc")


def test_only_what_the_new_one_lacks_is_kept_of_the_earlier_one(tmp_path: Path) -> None:
    earlier = evaluation(tmp_path / "old", top1=1.0, top1_edited_classes=2.0)
    (earlier / "attention" / "entropy.csv").write_text("id")
    write_made(earlier, "abc")
    new = evaluation(tmp_path / "new", top1=3.0)
    assert keep_others(earlier, new, {"top1": 3.0}) == {"top1": 3.0, "top1_edited_classes": 2.0}
    assert (new / "attention" / "clips.csv").read_text() == "new"
    assert (new / "attention" / "entropy.csv").read_text() == "id"
    assert not (new / "made.json").exists()
    assert earlier_outcome(earlier).rows == [{"top1": 1.0, "top1_edited_classes": 2.0}]
