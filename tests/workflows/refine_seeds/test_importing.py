import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.config.import_seeds import ImportCall
from attncli.data.layouts.images import open_images
from attncli.data.layouts.voc2012 import CLASSES
from attncli.data.samples import ImageSample
from attncli.data.toy.voc2012 import make_voc2012
from attncli.errors import AttncliError
from attncli.files.score_maps import read_score_maps
from attncli.files.seeds import open_seeds
from attncli.reporting import Outcome, Silent
from attncli.workflows.refine_seeds.importing import import_seeds

SIZE_HW = (32, 40)
N_TRAIN = 8


@dataclass(frozen=True)
class Foreign:
    """A dataset, and what somebody else's program wrote of its training images."""

    data: Path
    source: Path
    out: Path

    @property
    def samples(self) -> tuple[ImageSample, ...]:
        return open_images(self.data, split="train").samples

    def save(self, make: Callable[[ImageSample], object]) -> None:
        for sample in self.samples:
            np.save(self.source / f"{sample.id}.npy", make(sample), allow_pickle=True)

    def call(
        self,
        kind: str,
        *,
        dry_run: bool = False,
        overwrite: bool = False,
        resume: bool = False,
        **changes,
    ) -> Outcome:
        config = ImportCall(source=self.source, data=self.data, kind=kind, out=self.out, **changes)
        return import_seeds(
            config, dry_run=dry_run, overwrite=overwrite, resume=resume, reporter=Silent()
        )


@pytest.fixture(scope="module")
def voc(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("data") / "VOC2012"
    make_voc2012(directory, size=10, seed=0, size_hw=SIZE_HW, reporter=Silent())
    return directory


@pytest.fixture
def foreign(voc, tmp_path) -> Foreign:
    (tmp_path / "results").mkdir()
    return Foreign(voc, tmp_path / "results", tmp_path / "seeds")


def scores_of(sample: ImageSample) -> dict[int, np.ndarray]:
    """Return scores as PSA's walk has them, that of the background first."""
    rng = np.random.default_rng(int(sample.id[-2:]))
    labels = [0, *(index + 1 for index in sorted(sample.labels))]
    return {label: rng.random(SIZE_HW).astype(np.float32) for label in labels}


def cams_of(sample: ImageSample) -> dict[int, np.ndarray]:
    return {label - 1: score for label, score in scores_of(sample).items() if label}


def failures_in(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("kind", ["walk", "crf"])
def test_scores_become_seeds_with_label_maps_of_the_highest(foreign, kind):
    foreign.save(scores_of)
    outcome = foreign.call(kind, allow_pickle=True)
    (row,) = outcome.rows
    assert row == {
        "run": str(foreign.out),
        "method": kind,
        "split": "train",
        "images": N_TRAIN,
        "failed": 0,
    }
    seeds = open_seeds(foreign.out, classes=CLASSES)
    assert seeds.stage == kind
    for sample in foreign.samples:
        scores = scores_of(sample)
        stored = read_score_maps(foreign.out, sample.id)
        assert stored.classes.tolist() == sorted(scores)
        stacked = np.stack([scores[label] for label in sorted(scores)])
        np.testing.assert_allclose(stored.scores, stacked, atol=1e-3)
        labels = np.asarray(Image.open(seeds.label_map_path(sample.id)))
        np.testing.assert_array_equal(labels, np.array(sorted(scores))[stacked.argmax(axis=0)])


def test_class_activation_maps_stay_without_label_maps(foreign):
    foreign.save(cams_of)
    assert not foreign.call("cam", allow_pickle=True).failures
    assert open_seeds(foreign.out, classes=CLASSES).stage == "cam"
    assert not list(foreign.out.glob("*.png"))
    for sample in foreign.samples:
        classes = read_score_maps(foreign.out, sample.id).classes.tolist()
        assert classes == [index + 1 for index in sorted(sample.labels)]


def test_plain_arrays_need_no_leave_and_pickles_do(foreign):
    foreign.save(lambda sample: np.stack(list(scores_of(sample).values())))
    assert not foreign.call("crf").failures
    foreign.save(scores_of)
    outcome = foreign.call("crf", overwrite=True)
    assert len(outcome.failures) == N_TRAIN
    assert all("is pickled; pass --allow-pickle" in each.error for each in outcome.failures)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_label_maps_of_any_program_become_palette_images(foreign, mode):
    maps = {}
    for sample in foreign.samples:
        maps[sample.id] = np.random.default_rng(len(maps)).integers(0, 21, SIZE_HW, np.uint8)
        maps[sample.id][0, 0] = 255
        image = Image.fromarray(maps[sample.id])
        if mode == "P":
            image.putpalette([value for grey in range(256) for value in (grey, 255 - grey, 7)])
        image.save(foreign.source / f"{sample.id}.png")
    assert not foreign.call("label-maps").failures
    for sample in foreign.samples:
        with Image.open(foreign.out / f"{sample.id}.png") as image:
            assert image.mode == "P"
            np.testing.assert_array_equal(np.asarray(image), maps[sample.id])
    assert not list(foreign.out.glob("*.npz"))
    assert open_seeds(foreign.out).stage == "label-maps"


def test_the_rest_is_done_and_each_file_that_cannot_be_is_named(foreign, tmp_path):
    foreign.save(cams_of)
    gone, other_base, foreign_class, damaged, *fine = (sample for sample in foreign.samples)
    (foreign.source / f"{gone.id}.npy").unlink()
    np.save(foreign.source / f"{other_base.id}.npy", scores_of(other_base), allow_pickle=True)
    extra = {**cams_of(foreign_class), 19: np.zeros(SIZE_HW, np.float32)}
    np.save(foreign.source / f"{foreign_class.id}.npy", extra, allow_pickle=True)
    (foreign.source / f"{damaged.id}.npy").write_bytes(b"what is this")
    outcome = foreign.call("cam", allow_pickle=True)
    (row,) = outcome.rows
    assert (row["images"], row["failed"]) == (4, 4)
    errors = {each.id: each.error for each in outcome.failures}
    assert "no such file" in errors[gone.id]
    assert "do not count from the first class" in errors[other_base.id]
    assert "key 19, a class that the image's labels lack" in errors[foreign_class.id]
    assert "is not an array that numpy.save wrote" in errors[damaged.id]
    assert all(str(foreign.source / id_) in error for id_, error in errors.items())
    assert {each["id"] for each in failures_in(foreign.out)} == errors.keys()
    assert {path.stem for path in foreign.out.glob("*.npz")} == {sample.id for sample in fine}


def test_images_without_labels_are_named(foreign, tmp_path):
    foreign.save(scores_of)
    first, *others = foreign.samples
    table = tmp_path / "labels.csv"
    lines = [f"{s.id},{';'.join(CLASSES[i] for i in s.labels)}\n" for s in others]
    table.write_text("".join(["id,label\n", *lines]))
    outcome = foreign.call("walk", allow_pickle=True, labels=str(table))
    assert [each.id for each in outcome.failures] == [first.id]
    assert "what the image shows is not known" in outcome.failures[0].error


def test_an_unknown_class_in_a_label_map_is_named(foreign):
    for number, sample in enumerate(foreign.samples):
        values = np.full(SIZE_HW, 21 if number == 3 else 20, np.uint8)
        Image.fromarray(values).save(foreign.source / f"{sample.id}.png")
    (failure,) = foreign.call("label-maps").failures
    assert "has the value 21, which is no class" in failure.error


def test_seeds_of_an_image_of_another_size_or_that_is_gone_are_named(foreign, voc, tmp_path):
    foreign.save(cams_of)
    turned, *_, last = foreign.samples
    maps = {key: score.T for key, score in cams_of(turned).items()}
    np.save(foreign.source / f"{turned.id}.npy", maps, allow_pickle=True)
    data = tmp_path / "copy"
    make_voc2012(data, size=10, seed=0, size_hw=SIZE_HW, reporter=Silent())
    (data / "JPEGImages" / f"{last.id}.jpg").unlink()
    call = Foreign(data, foreign.source, foreign.out)
    errors = {each.id: each.error for each in call.call("cam", allow_pickle=True).failures}
    assert errors.keys() == {turned.id, last.id}
    assert "a map of 32x40, its image is 40x32" in errors[turned.id]
    assert f"{last.id}.jpg: image cannot be read" in errors[last.id]


def test_a_directory_of_something_else_is_refused_before_anything_is_written(foreign):
    foreign.save(cams_of)
    with pytest.raises(AttncliError, match=r"holds no file of the 8 images.*such as 2012_000001"):
        foreign.call("label-maps")
    assert not foreign.out.exists()


def test_a_dry_run_counts_and_writes_nothing(foreign):
    foreign.save(cams_of)
    (row,) = foreign.call("cam", allow_pickle=True, dry_run=True).rows
    assert row["images"] == N_TRAIN
    assert not foreign.out.exists()


def test_resuming_adds_what_is_missing_and_leaves_the_rest(foreign):
    foreign.save(scores_of)
    first, second, *_ = foreign.samples
    foreign.call("walk", allow_pickle=True)
    (foreign.out / f"{first.id}.png").unlink()  # as of an import that ended early
    kept = (foreign.out / f"{second.id}.npz").stat().st_mtime_ns
    with pytest.raises(AttncliError, match="exists already"):
        foreign.call("walk", allow_pickle=True)
    (row,) = foreign.call("walk", allow_pickle=True, resume=True).rows
    assert row["images"] == 1
    assert (foreign.out / f"{first.id}.png").is_file()
    assert (foreign.out / f"{second.id}.npz").stat().st_mtime_ns == kept
    with pytest.raises(AttncliError, match="imported with other settings"):
        foreign.call("crf", allow_pickle=True, resume=True)


def test_what_was_imported_is_kept_beside_the_seeds(foreign):
    foreign.save(cams_of)
    foreign.call("cam", allow_pickle=True)
    kept = tomllib.loads((foreign.out / "config.toml").read_text())
    assert (kept["kind"], kept["source"]) == ("cam", str(foreign.source))
    assert "out" not in kept
    described = tomllib.loads((foreign.out / "seeds.toml").read_text())
    assert described["parameters"] == {"imported_from": str(foreign.source)}
    assert described["classes"] == list(CLASSES)
