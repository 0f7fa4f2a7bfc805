"""A refinement that only copies shows what all of them have in common."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from attncli.config.refine_seeds import CrfSeedsCall, CrfSeedsConfig
from attncli.config.seeds import Background
from attncli.data.images.seeds import read_scores, write_scored
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.locks import held
from attncli.files.seeds import SeedDirectory, open_seeds
from attncli.reporting import Outcome
from attncli.training.distributed import World
from attncli.workflows.refine_seeds.refinement import Stage, open_split, planned, refine
from tests.support.reporters import Told
from tests.support.seeds import SIZES, contents, write_list, write_seeds, write_voc


@dataclass(frozen=True)
class Copies:
    """Copies seeds; fails where it is told to, and stops where it is told to."""

    config: CrfSeedsConfig
    inputs: Mapping[str, SeedDirectory]
    fails: Sequence[str] = ()
    stops_at: str = ""
    parents: Mapping[str, str] = field(default_factory=dict)
    name: str = "copy"
    seen: list[str] = field(default_factory=list)

    def refine(
        self, samples: Sequence[ImageSample], out: Path, *, workers: int, world: World
    ) -> Iterator[Failure | None]:
        assert (workers, world.leads) == (1, True)
        for sample in samples:
            if sample.id == self.stops_at:
                raise KeyboardInterrupt
            self.seen.append(sample.id)
            if sample.id in self.fails:
                yield Failure(sample.id, str(sample.path), "it fails")
                continue
            scored = read_scores(self.inputs["seeds"], sample.id, background=Background())
            write_scored(out, sample.id, scored)
            yield None


@pytest.fixture
def call(tmp_path: Path) -> CrfSeedsCall:
    data = write_voc(tmp_path / "VOC2012")
    return CrfSeedsCall(data=data, out=tmp_path / "out", workers=1, device="cpu")


@pytest.fixture
def stage(tmp_path: Path) -> Copies:
    place = write_seeds(tmp_path / "psa")
    return Copies(CrfSeedsConfig(seeds=place), {"seeds": open_seeds(place)})


def go(stage: Copies, call: Any, *, told: Told | None = None, **ways: bool) -> Outcome:
    assert isinstance(stage, Stage)
    ways = {"overwrite": False, "resume": False, **ways}
    done = refine(stage, call, open_split(call), **ways, reporter=told or Told())
    assert done is not None
    return done.outcome


def test_seeds_say_what_they_are(stage: Copies, call: CrfSeedsCall) -> None:
    told = Told()
    outcome = go(replace(stage, parents={"weights": "ab"}), call, told=told)
    (row,) = outcome.rows
    assert row == {
        "run": str(call.out),
        "method": "copy",
        "split": "train",
        "images": len(SIZES),
        "failed": 0,
    }
    made = open_seeds(call.out)
    assert (made.stage, made.parameters["crf_iterations"]) == ("copy", 10)
    assert "seeds" not in made.parameters  # a place, which may be elsewhere tomorrow
    assert made.parents == {"weights": "ab", "seeds": stage.inputs["seeds"].sha256}
    assert told.notes[-1] == f"seeds are in {call.out}"
    assert not (call.out / "failures.jsonl").exists()
    assert not list(call.out.rglob(".*"))


def test_failures_are_kept_in_the_order_of_ids(stage: Copies, call: CrfSeedsCall) -> None:
    for suffix in (".png", ".npz"):
        (stage.inputs["seeds"].path / f"b.c{suffix}").unlink()
    outcome = go(replace(stage, fails=("plain", "a")), call)
    assert [failure.id for failure in outcome.failures] == ["a", "b.c", "plain"]
    assert stage.seen == ["a", "deep/ü", "one", "plain"]  # none without a seed
    lines = (call.out / "failures.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b.c", "plain"]
    assert (outcome.rows[0]["images"], outcome.rows[0]["failed"]) == (2, 3)


@pytest.mark.parametrize("at", list(SIZES))
def test_an_interrupted_call_ends_as_one_that_was_not(
    stage: Copies, call: CrfSeedsCall, tmp_path: Path, at: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(replace(stage, stops_at=at), call)
    done = len(stage.seen)
    go(stage, call, resume=True)
    assert sorted(stage.seen) == sorted(SIZES)  # each once
    assert len(stage.seen) == len(SIZES) >= done
    go(stage, replace(call, out=tmp_path / "whole"))
    assert contents(call.out) == contents(tmp_path / "whole")


def test_what_failed_is_tried_again(stage: Copies, call: CrfSeedsCall) -> None:
    go(replace(stage, fails=("a",)), call)
    assert go(stage, call, resume=True).failures == []
    assert not (call.out / "failures.jsonl").exists()
    assert stage.seen.count("a") == 2


def test_what_is_there_is_refused_gone_on_with_or_replaced(
    stage: Copies, call: CrfSeedsCall
) -> None:
    go(stage, call)
    with pytest.raises(AttncliError, match="out: exists already; pass --overwrite or --resume"):
        go(stage, call)
    with pytest.raises(UsageError, match="--overwrite and --resume"):
        go(stage, call, overwrite=True, resume=True)
    (call.out / "stray.txt").write_text("")
    go(stage, call, overwrite=True)
    assert not (call.out / "stray.txt").exists()
    assert len(stage.seen) == 2 * len(SIZES)


def test_it_goes_on_only_as_it_was_begun(stage: Copies, call: CrfSeedsCall) -> None:
    go(stage, call)
    before = contents(call.out)
    other = replace(stage, config=replace(stage.config, crf_iterations=3))
    with pytest.raises(AttncliError, match=r"config\.toml: the seeds here were made with other se"):
        go(other, call, resume=True)
    with pytest.raises(AttncliError, match="out: was made of other seeds or weights; begin anew"):
        go(replace(stage, parents={"weights": "cd"}), call, resume=True)
    write_list(call.data, list(SIZES)[1:])
    with pytest.raises(AttncliError, match="out: was made for another list of images"):
        go(stage, call, resume=True)
    assert contents(call.out) == before


def test_a_directory_of_something_else_is_left_alone(stage: Copies, call: CrfSeedsCall) -> None:
    maps = replace(call, out=call.data / "SegmentationClass")
    before = contents(call.data)
    with pytest.raises(AttncliError, match="SegmentationClass: holds no seeds to go on with"):
        go(stage, maps, resume=True)
    with pytest.raises(AttncliError, match="is not an output of attncli"):
        go(stage, maps, overwrite=True)
    assert contents(call.data) == before


@pytest.mark.parametrize("what", ["seeds", "data", "labels"])
def test_what_is_read_is_never_emptied(
    stage: Copies, call: CrfSeedsCall, tmp_path: Path, what: str
) -> None:
    out = tmp_path if what != "labels" else tmp_path / "tables"
    out.mkdir(exist_ok=True)
    (out / "config.toml").write_text("format_version = 1\n")
    if what == "labels":
        rows = "".join(f"{image_id},cat\n" for image_id in SIZES)
        (out / "labels.csv").write_text(f"id,label\n{rows}", encoding="utf-8")
        call = replace(call, labels=str(out / "labels.csv"))
    before = contents(tmp_path)
    with pytest.raises(AttncliError, match="which must stay"):
        go(stage, replace(call, out=out), overwrite=True)
    assert contents(tmp_path) == before


def test_two_do_not_write_at_the_same_time(stage: Copies, call: CrfSeedsCall) -> None:
    with held(call.out), pytest.raises(AttncliError, match="out: is being written by process"):
        go(stage, call, resume=True)
    assert stage.seen == []


def test_a_plan_counts(stage: Copies, call: CrfSeedsCall) -> None:
    anew = {"overwrite": False, "resume": False}
    (row,) = planned(stage, call, open_split(call), **anew).rows
    assert (row["images"], row["no_seed"], row["finished"]) == (len(SIZES), 0, 0)
    assert not call.out.exists()
    go(replace(stage, fails=("one",)), call)
    with pytest.raises(AttncliError, match="exists already"):
        planned(stage, call, open_split(call), **anew)
    (row,) = planned(stage, call, open_split(call), **anew | {"resume": True}).rows
    assert row["finished"] == len(SIZES) - 1


def test_labels_are_known_of_training_images_alone(call: CrfSeedsCall) -> None:
    assert all(sample.is_labelled for sample in open_split(call).samples)
    (sample,) = open_split(replace(call, split="val")).samples
    assert not sample.is_labelled


def test_an_empty_list_is_refused(call: CrfSeedsCall) -> None:
    write_list(call.data, [])
    with pytest.raises(AttncliError, match="lists no image of split 'train'"):
        open_split(call)
