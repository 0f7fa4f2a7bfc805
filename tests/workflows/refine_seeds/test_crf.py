from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.config.refine_seeds import CrfSeedsCall, CrfSeedsConfig
from attncli.data.images.label_maps import read_label_map
from attncli.data.layouts.voc2012 import CLASSES
from attncli.errors import AttncliError
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import read_score_maps, write_score_maps
from attncli.files.seeds import open_seeds
from attncli.reporting import Outcome, Silent
from attncli.workflows.refine_seeds.crf import refine_by_crf
from tests.support.seeds import (
    CAT,
    DOG,
    SIZES,
    contents,
    describe_seeds,
    truth_of,
    write_list,
    write_seeds,
    write_voc,
)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "VOC2012")


def refine(voc: Path, seeds: Path, out: Path, **changes: Any) -> Outcome:
    ways = {"dry_run": False, "overwrite": False, "resume": False}
    ways |= {name: changes.pop(name) for name in list(changes) if name in ways}
    config = CrfSeedsConfig(seeds=seeds, crf_iterations=2)
    call = CrfSeedsCall(data=voc, out=out, workers=1, device="cpu", **changes)
    return refine_by_crf(config, call, **ways, reporter=Silent())


def test_every_image_gets_a_seed_of_the_classes_it_shows(voc: Path, tmp_path: Path) -> None:
    outcome = refine(voc, write_seeds(tmp_path / "psa"), tmp_path / "out")
    assert (outcome.rows[0]["images"], outcome.rows[0]["failed"]) == (5, 0)
    found = open_seeds(tmp_path / "out", classes=CLASSES)
    assert (found.stage, found.parameters["crf_iterations"]) == ("crf", 2)
    assert found.parents == {"seeds": open_seeds(tmp_path / "psa").sha256}
    for image_id, size_hw in SIZES.items():
        labels = read_label_map(found.label_map_path(image_id), n_classes=20, size_hw=size_hw)
        assert set(np.unique(labels)) <= {0, *np.unique(truth_of(image_id))}
    assert read_score_maps(found.path, "plain").classes.tolist() == [0]


def test_maps_without_a_background_get_one(voc: Path, tmp_path: Path) -> None:
    refine(voc, write_seeds(tmp_path / "cam", background=False), tmp_path / "out")
    assert read_score_maps(tmp_path / "out", "a").classes.tolist() == [0, CAT, DOG]
    assert (read_score_maps(tmp_path / "out", "plain").scores == 1).all()


def test_the_order_of_the_list_changes_no_file(voc: Path, tmp_path: Path) -> None:
    refine(voc, write_seeds(tmp_path / "psa"), tmp_path / "1")
    write_list(voc, list(SIZES)[::-1])
    refine(voc, tmp_path / "psa", tmp_path / "2")
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_what_is_wrong_with_one_image_is_named_and_the_others_are_done(
    voc: Path, tmp_path: Path
) -> None:
    given = open_seeds(write_seeds(tmp_path / "psa"))
    with np.load(given.scores_path("a")) as kept:
        classes, scores = kept["classes"], kept["scores"]
    scores[0, 0, 0] = np.nan
    np.savez(given.scores_path("a"), classes=classes, scores=scores)
    write_score_maps(given.path, "b.c", np.array([0, DOG]), np.zeros((2, 16, 16), np.float32))
    given.scores_path("deep/ü").unlink()
    Image.fromarray(np.full((9, 30), 21, np.uint8)).save(given.label_map_path("deep/ü"))
    (voc / "JPEGImages" / "plain.png").write_bytes(b"no image")
    outcome = refine(voc, given.path, tmp_path / "out")
    problems = {failure.id: failure.error for failure in outcome.failures}
    assert list(problems) == ["a", "b.c", "deep/ü", "plain"]
    assert "a.npz: row 0: a value is not finite" in problems["a"]
    assert "b.c.npz: holds dog, which the image does not show" in problems["b.c"]
    assert "the value 21, which is no class" in problems["deep/ü"]
    assert "plain.png: image cannot be read" in problems["plain"]
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["one.png"]
    assert outcome.rows[0]["images"] == 1


def test_label_maps_alone_are_seeds(voc: Path, tmp_path: Path) -> None:
    describe_seeds(tmp_path / "maps", "label-maps")
    for image_id in SIZES:
        labels = truth_of(image_id)
        labels[-1, -1] = 255
        write_label_map(tmp_path / "maps" / f"{image_id}.png", labels)
    write_label_map(tmp_path / "maps" / "b.c.png", np.full((16, 16), DOG, np.uint8))
    outcome = refine(voc, tmp_path / "maps", tmp_path / "out")
    problems = {failure.id: failure.error for failure in outcome.failures}
    assert "b.c.png: holds dog, which the image does not show" in problems["b.c"]
    assert list(problems) == ["b.c", "one"]  # a map that ignores all is of no class
    assert read_score_maps(tmp_path / "out", "a").classes.tolist() == [0, CAT, DOG]


def test_seeds_of_other_images_classes_or_sizes_are_refused_before_anything_is_written(
    voc: Path, tmp_path: Path
) -> None:
    given = write_seeds(tmp_path / "psa")
    for image_id in SIZES:
        write_score_maps(given, image_id, np.array([0]), np.zeros((1, 3, 5), np.float32))
        (given / f"{image_id}.png").unlink()
    with pytest.raises(AttncliError, match=r"psa: was made for images of other sizes: .* 5x3 pix"):
        refine(voc, given, tmp_path / "out")
    describe_seeds(tmp_path / "foreign", "psa")
    with pytest.raises(AttncliError, match="foreign: holds no seed of any of the 5 images"):
        refine(voc, tmp_path / "foreign", tmp_path / "out")
    with pytest.raises(AttncliError, match="foreign: holds no seed of any of the 5 images"):
        refine(voc, tmp_path / "foreign", tmp_path / "out", dry_run=True)
    describe_seeds(tmp_path / "other", "psa", ("cat", *CLASSES[1:]))
    with pytest.raises(AttncliError, match="class 1 is cat here and aeroplane there"):
        refine(voc, tmp_path / "other", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_known_of_the_labels_of_other_images_than_those_of_training(
    voc: Path, tmp_path: Path
) -> None:
    given = write_seeds(tmp_path / "psa")
    write_list(voc, ["b.c"], "val")
    write_score_maps(given, "b.c", np.array([0, DOG]), np.full((2, 16, 16), 0.5, np.float32))
    assert not refine(voc, given, tmp_path / "out", split="val").failures
    assert read_score_maps(tmp_path / "out", "b.c").classes.tolist() == [0, DOG]
