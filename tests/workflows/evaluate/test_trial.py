from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.batches import ClipBatch
from attncli.config.evaluate import EvaluateCall, Views
from attncli.errors import AttncliError, Failure, Remark, UsageError
from attncli.evaluation.class_scores import ClassScores
from attncli.evaluation.image_labels import ImageLabels
from attncli.files.checkpoints import write_checkpoint, write_weights
from attncli.files.runs import RunDirectory
from attncli.reporting import Outcome, Silent
from attncli.training.distributed import World
from attncli.workflows.evaluate.trial import OTHERWISE, Trial, do_together, plan
from tests.support.networks import build
from tests.support.people import make_people_images
from tests.support.reporters import Told
from tests.support.runs import begin_run, make_run
from tests.support.settings import tiny

T = TypeVar("T")
CLASSES = ("Hop", "Run", "Walk")
LABELS = ("Hop", "Run", "Walk", "Hop", "Run")
CPU = torch.device("cpu")
ALONE = World(0, 1, CPU)


def write_clips(path: Path, labels: Iterable[str]) -> Path:
    """Write a manifest of videos of four frames for validation."""
    generator = np.random.default_rng(0)
    lines = ["id,path,label,split"]
    for number, label in enumerate(labels):
        folder = path.parent / path.stem / f"clip{number}"
        folder.mkdir(parents=True)
        for frame in range(1, 5):
            pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{frame:06}.png")
        lines.append(f"v{number},{path.stem}/clip{number},{label},val")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_clips(tmp_path / "own.csv", LABELS)


@pytest.fixture
def run(tmp_path: Path, data: Path) -> Path:
    return make_run(tmp_path / "x3d", "x3d", data, CLASSES)


def planned(*runs: Path, **options: Any) -> list[Trial]:
    reporter = options.pop("reporter", Silent())
    return plan(runs, EvaluateCall(runs=runs, **options), reporter)


def trial_of(run: Path, **options: Any) -> Trial:
    (trial,) = planned(run, **options)
    return trial


def save_weights(run: Path, path: Path, seed: int) -> None:
    model = build("x3d", tiny("x3d", data=run), len(CLASSES), seed=seed).model
    if path.suffix == ".pt":
        write_checkpoint(path, {"model": model.state_dict(), "epoch": 1})
    else:
        write_weights(path, model, {})


def answers_of(
    trial: Trial, world: World = ALONE, **options: Any
) -> tuple[dict[int, np.ndarray], tuple[Failure, ...]]:
    """Return the scores of each row that a process asked for, and what it could not read."""
    scores: dict[int, np.ndarray] = {}

    def add(batch: ClipBatch, outputs: torch.Tensor) -> None:
        scores.update(zip(batch.rows.tolist(), outputs.float().numpy(), strict=True))

    def ask(network: Any, batch: ClipBatch) -> torch.Tensor:
        return network(batch.frames).scores

    told = {"label": "eval", "reporter": Silent()}
    return scores, trial.put(ask, add, world=world, **(told | options))


def test_the_weights_are_the_last_the_best_or_those_of_a_file(run: Path, tmp_path: Path) -> None:
    best, file = RunDirectory(run).best_checkpoint_path, tmp_path / "mine.safetensors"
    save_weights(run, best, 1)
    save_weights(run, file, 2)
    places = {"last": run / "model.safetensors", "best": best, str(file): file}
    for seed, (checkpoint, path) in enumerate(places.items()):
        trial = trial_of(run, checkpoint=checkpoint)
        assert trial.weights == path
        expected = build("x3d", trial.config, len(CLASSES), seed=seed).model.eval()

        def ask(network: Any, batch: ClipBatch, expected: Any = expected) -> torch.Tensor:
            difference = network(batch.frames).scores - expected(batch.frames).scores
            assert difference.abs().max() < 1e-5
            return difference

        asked: list[int] = []
        trial.put(
            ask,
            lambda batch, _, asked=asked: asked.extend(batch.rows.tolist()),
            label="",
            world=ALONE,
            reporter=Silent(),
        )
        assert asked == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("checkpoint", ["best", "absent.safetensors"])
def test_weights_that_are_not_there_are_named_before_anything_is_computed(
    run: Path, checkpoint: str
) -> None:
    with pytest.raises(AttncliError) as refused:
        trial_of(run, checkpoint=checkpoint)
    place = RunDirectory(run).best_checkpoint_path if checkpoint == "best" else checkpoint
    assert str(refused.value) == (
        f"{place}: no such weights; train the run to its end, or see --checkpoint"
    )


def test_a_row_says_what_differs_from_the_run_and_nothing_else(run: Path, tmp_path: Path) -> None:
    own = {"run": str(run), "method": "x3d", "split": "val"}
    trial = trial_of(run, frames=4, batch_size=1, workers=0, precision="bf16")
    assert trial.row == own
    assert trial.planned(Path("out")) == {**own, "clips": 5, "out": "out"}
    save_weights(run, RunDirectory(run).best_checkpoint_path, 1)
    other = write_clips(tmp_path / "other.csv", ["Walk", "Hop", "Run", ""])
    trial = trial_of(run, checkpoint="best", data=other, frames=2)
    differing = {"checkpoint": "best", "data": str(other), "frames": 2}
    assert trial.planned(Path("out")) == {**own, **differing, "clips": 4, "out": "out"}
    assert list(trial.row)[-3:] == list(differing)


def test_what_is_not_asked_for_is_as_in_the_run(run: Path) -> None:
    trial = trial_of(run, frames=None, batch_size=2, workers=None, precision="bf16")
    assert (trial.config.batch_size, trial.config.precision) == (2, "bf16")
    assert (trial.config.frames, trial.config.workers) == (4, 0)
    assert (trial.run.config.batch_size, trial.run.config.precision) == (3, "fp32")


def test_a_batch_may_be_smaller_than_training_had_parts(tmp_path: Path, data: Path) -> None:
    run = make_run(tmp_path / "parts", "x3d", data, CLASSES, accumulate=2, batch_size=4)
    assert trial_of(run, batch_size=1).config.batch_size == 1


def test_an_evaluation_is_that_of_the_runs_task(run: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    images = tmp_path / "images.csv"
    images.write_text("id,path,label,split\na,a.png,cat;dog,val\n")
    cam = make_run(tmp_path / "cam", "cam", images, ("cat", "dog"))
    trial = trial_of(cam)
    assert (trial_of(run).evaluation, trial.evaluation) == (ClassScores, ImageLabels)
    assert trial.planned(Path("out"))["images"] == 1


def test_an_evaluation_is_told_of_samples_weights_and_kinds_of_attention(
    tmp_path: Path, data: Path
) -> None:
    abn = trial_of(make_run(tmp_path / "abn", "abn", data, CLASSES))
    asked = abn.asked(keep=tmp_path, apart=frozenset({1}))
    assert [sample.id for sample in asked.samples] == ["v0", "v1", "v2", "v3", "v4"]
    assert (asked.classes, asked.attention) == (CLASSES, ("spatial",))
    assert (asked.weights, asked.keep, asked.apart) == (abn.weights, tmp_path, {1})
    assert (abn.asked().keep, abn.asked().apart) == (None, None)


def test_a_network_with_temporal_attention_may_be_asked_for_its_own_frames(
    tmp_path: Path, data: Path
) -> None:
    st_abn = make_run(tmp_path / "st_abn", "st-abn", data, CLASSES)
    assert trial_of(st_abn, frames=4).row["method"] == "st-abn"
    with pytest.raises(UsageError) as refused:
        trial_of(st_abn, frames=5)
    assert str(refused.value) == (
        f"--frames: {st_abn} takes clips of 4 frames only, not of 5;"
        " leave it out for this run, or train one with that many"
    )


def test_a_network_for_images_takes_no_frames(tmp_path: Path) -> None:
    cam = begin_run(tmp_path / "cam", "cam", tmp_path / "not read")
    with pytest.raises(UsageError) as refused:
        trial_of(cam, frames=4)
    assert str(refused.value) == f"--frames: is not a setting of {cam}; leave it out"


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (("Hop", "Run"), "class 3 is missing here and 'Walk' in {run}"),
        (("Hop", "Run", "Walk", "Zap"), "class 4 is 'Zap' here and missing in {run}"),
        (("Fly", "Hop", "Run", "Walk"), "class 1 is 'Fly' here and 'Hop' in {run}"),
    ],
)
def test_the_first_class_that_differs_is_named_by_its_number(
    run: Path, tmp_path: Path, labels: tuple[str, ...], complaint: str
) -> None:
    other = write_clips(tmp_path / "other.csv", labels)
    with pytest.raises(AttncliError) as refused:
        trial_of(run, data=other)
    assert str(refused.value) == (
        f"{other}: {complaint.format(run=run)}; use data with the classes the run was trained on"
    )


def test_data_without_any_class_can_be_asked_about(run: Path, tmp_path: Path) -> None:
    trial = trial_of(run, data=write_clips(tmp_path / "other.csv", ["", ""]))
    assert (trial.dataset.classes, trial.run.classes) == ((), CLASSES)
    assert sorted(answers_of(trial)[0]) == [0, 1]


def test_what_several_runs_share_is_said_once(tmp_path: Path) -> None:
    root = tmp_path / "UCF101"
    for name, text in (("classInd", "1 A\n2 B\n"), ("testlist01", "A/v_A_g01_c01.avi\n")):
        file = root / "ucfTrainTestlist" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "UCF-101" / "A").mkdir(parents=True)
    (root / "UCF-101" / "A" / "v_A_g01_c01.avi").touch()
    runs = [make_run(tmp_path / name, "x3d", root) for name in ("one", "two")]
    told = Told()
    first, second = planned(*runs, reporter=told)
    assert first.dataset.notes == second.dataset.notes
    assert told.notes == [*first.dataset.notes]
    assert len(told.notes) == 1  # of the class that has no folder
    assert "1 of 2 classes" in told.notes[0]


def test_the_answers_are_those_of_the_network_to_each_clip_alone(run: Path) -> None:
    scores, failures = answers_of(trial_of(run))
    alone, _ = answers_of(trial_of(run, batch_size=1))
    assert (sorted(scores), failures) == ([0, 1, 2, 3, 4], ())
    for row, answer in scores.items():
        np.testing.assert_allclose(answer, alone[row], atol=1e-5)


def test_the_shares_of_two_processes_add_up_to_the_whole(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "gather", lambda world, item: [item])
    trial = trial_of(run)
    shares = [answers_of(trial, World(rank, 2, CPU))[0] for rank in range(2)]
    assert [sorted(share) for share in shares] == [[0, 2, 4], [1, 3]]
    whole, _ = answers_of(trial)
    for row, answer in {**shares[0], **shares[1]}.items():
        np.testing.assert_allclose(answer, whole[row], atol=1e-5)


class Counting(Silent):
    """Keeps what is said of the work that is shown."""

    def track(
        self, items: Iterable[T], *, label: str, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]:
        self.said = (label, total, unit)
        yield from items


@pytest.mark.parametrize(
    ("world", "batch_size", "n_batches"),
    [(ALONE, 2, 3), (World(0, 2, CPU), 5, 2), (World(1, 2, CPU), 5, 1), (World(0, 2, CPU), 1, 3)],
)
def test_a_batch_is_shared_by_all_processes(
    run: Path, monkeypatch: pytest.MonkeyPatch, world: World, batch_size: int, n_batches: int
) -> None:
    monkeypatch.setattr(World, "gather", lambda world, item: [item])
    reporter = Counting()
    answers_of(trial_of(run, batch_size=batch_size), world, label="ask", reporter=reporter)
    assert reporter.said == ("ask", n_batches, "batches")


def test_a_process_without_a_share_still_meets_the_others(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = []
    monkeypatch.setattr(World, "gather", lambda world, item: met.append(item) or [item])
    trial = trial_of(run, data=write_clips(tmp_path / "other.csv", [""]))
    assert answers_of(trial, World(1, 2, CPU)) == ({}, ())
    assert met == [set()]


def test_clips_that_cannot_be_read_are_returned_and_no_network_sees_them(
    run: Path, tmp_path: Path
) -> None:
    for number in (1, 4):
        for image in (tmp_path / "own" / f"clip{number}").iterdir():
            image.write_bytes(b"")
    scores, failures = answers_of(trial_of(run, batch_size=1))
    assert sorted(scores) == [0, 2, 3]
    assert [failure.id for failure in failures] == ["v1", "v4"]
    assert failures[0].path == str(tmp_path / "own" / "clip1")


def test_clips_that_may_lack_frames_are_told_of_over_all_processes(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own" / "clip2" / "000003.png").unlink()
    elsewhere = Remark("v3", "clip3", "no end")  # what the other process found
    monkeypatch.setattr(World, "gather", lambda world, item: [item, {elsewhere}])
    told = Told()
    scores, failures = answers_of(trial_of(run), World(0, 2, CPU), reporter=told)
    (warning,) = told.warnings
    assert warning == (
        f"2 may lack frames: {tmp_path / 'own' / 'clip2'}"
        " (no frame between 000002.png and 000004.png (1 is missing)), clip3 (no end)"
    )
    assert (sorted(scores), failures) == ([0, 2, 4], ())  # it is used all the same


@pytest.mark.parametrize(("precision", "is_mixed"), [("fp32", False), ("bf16", True)])
def test_networks_answer_without_gradients_in_the_arithmetic_asked_for(
    run: Path, precision: str, is_mixed: bool
) -> None:
    seen = []

    def ask(network: Any, batch: ClipBatch) -> None:
        mixed = torch.is_autocast_enabled("cpu")
        seen.append((network.training, torch.is_inference_mode_enabled(), mixed))

    trial = trial_of(run, precision=precision)
    trial.put(ask, lambda batch, outputs: None, label="", world=ALONE, reporter=Silent())
    assert seen == [(False, True, is_mixed)] * 2


def test_jobs_are_done_one_after_the_other_by_the_same_processes() -> None:
    worlds: list[World] = []

    def job(name: str, *failed: str) -> Any:
        def do(world: World) -> Outcome:
            worlds.append(world)
            return Outcome([{"run": name}], [Failure(id_, "", "") for id_ in failed])

        return do

    jobs = [job("first", "a"), job("second"), job("third", "b", "c")]
    outcome = do_together(jobs, device="cpu", world=None)
    assert [row["run"] for row in outcome.rows] == ["first", "second", "third"]
    assert [failure.id for failure in outcome.failures] == ["a", "b", "c"]
    assert worlds == [ALONE] * 3
    joined = World(1, 2, CPU)
    do_together(jobs[:1], device="cuda", world=joined)  # where to compute, the world says
    assert worlds[3] is joined


def test_a_device_there_is_not_is_refused_before_any_job() -> None:
    with pytest.raises(UsageError, match="--device: no such device: 'tpuu'"):
        do_together([lambda world: Outcome()], device="tpuu", world=None)


def segmenter(tmp_path: Path) -> Path:
    data = tmp_path / "images"
    data.mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(data / "a.png")
    (data / "manifest.csv").write_text("id,path,label,split\na,a.png,Hop;Run;Walk,val\n")
    changes = {"seeds": tmp_path, "eval_scales": (0.5, 1.0), "eval_crf": False}
    run = begin_run(tmp_path / "seg", "segmentation", data, CLASSES, **changes)
    write_weights(run / "model.safetensors", torch.nn.Linear(1, 1), {})
    return run


def test_images_are_looked_at_as_the_run_says_unless_asked_otherwise(tmp_path: Path) -> None:
    run = segmenter(tmp_path)
    own = trial_of(run)
    assert own.views == Views(scales=(0.5, 1.0), flip=True, crf=False)
    assert own.asked().views == own.views
    assert own.differing == {}
    other = trial_of(run, scales=(1.0,), flip=True, crf=True, compat_reference=True)
    assert other.views == Views(scales=(1.0,), flip=True, crf=True, compat_reference=True)
    assert other.differing == {"scales": "1", "crf": "yes", "compat_reference": "yes"}
    assert other.differing.keys() <= OTHERWISE


def test_networks_of_clips_have_no_views(run: Path) -> None:
    assert trial_of(run).views == Views()
    with pytest.raises(UsageError, match=r"^--crf: .* does not tell the classes of pixels"):
        trial_of(run, crf=True)


def test_networks_of_people_are_told_how_people_are_ranked(tmp_path: Path) -> None:
    data = make_people_images(tmp_path / "people")
    with (data / "manifest.csv").open("a") as file:
        file.write("more/7,gallery_7.png,,val,7,1,multi-query\n")
    run = make_run(tmp_path / "pcb", "pcb", data, ("7", "8"))
    own, other = trial_of(run), trial_of(run, unmatched="zero", multi_query=True)
    assert (own.asked().unmatched, own.asked().multi_query, own.differing) == ("skip", False, {})
    assert len(own.dataset.samples) == 4
    assert (other.asked().unmatched, other.asked().multi_query) == ("zero", True)
    assert other.differing == {"unmatched": "zero", "multi_query": "yes"}
    assert other.differing.keys() <= OTHERWISE
    assert [sample.id for sample in other.dataset.samples][-1] == "more/7"
