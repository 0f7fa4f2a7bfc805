from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydensecrf.densecrf import DenseCRF2D

from attncli.config.crf import CrfConfig
from attncli.config.seeds import Background
from attncli.data.images.crf_seeds import refine_all
from attncli.data.samples import ImageSample
from attncli.errors import Failure
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import read_score_maps, write_score_maps
from attncli.files.seeds import SeedDirectory, open_seeds, write_description

NAMES = ("a", "b", "c")


@pytest.fixture
def samples(tmp_path: Path) -> list[ImageSample]:
    made = []
    for number, name in enumerate(NAMES):
        image = np.random.default_rng(number).integers(0, 256, (12, 15, 3), np.uint8)
        Image.fromarray(image).save(tmp_path / f"{name}.png")
        made.append(ImageSample(name, tmp_path / f"{name}.png", frozenset({1})))
    return made


@pytest.fixture
def seeds(tmp_path: Path) -> SeedDirectory:
    path = tmp_path / "seeds"
    for number, name in enumerate(NAMES):
        scores = np.random.default_rng(number).random((2, 12, 15)).astype(np.float32)
        write_score_maps(path, name, np.array([0, 2]), scores)
    write_description(path, stage="x", parameters={}, classes=("u", "v"), ids=NAMES, parents={})
    return open_seeds(path)


def refine(samples: list[ImageSample], seeds: SeedDirectory, out: Path, workers: int = 1) -> list:
    settings = {"background": Background(), "crf": CrfConfig(crf_iterations=3)}
    return list(refine_all(samples, seeds, out, **settings, workers=workers))


def test_scores_are_what_pydensecrf_makes_of_them(
    samples: list[ImageSample], seeds: SeedDirectory, tmp_path: Path
) -> None:
    assert refine(samples, seeds, tmp_path / "out") == [None] * 3
    scores = read_score_maps(seeds.path, "b").scores.astype(np.float32)
    crf = DenseCRF2D(15, 12, 2)
    crf.setUnaryEnergy(np.ascontiguousarray(-np.log(scores.clip(1e-5, 1))).reshape(2, -1))
    crf.addPairwiseGaussian(sxy=3, compat=3)
    image = np.array(Image.open(samples[1].path))
    crf.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=10)
    expected = np.array(crf.inference(3)).reshape(2, 12, 15)
    found = read_score_maps(tmp_path / "out", "b")
    assert found.classes.tolist() == [0, 2]
    np.testing.assert_allclose(found.scores, expected, atol=1e-3)
    labels = np.asarray(Image.open(tmp_path / "out" / "b.png"))
    np.testing.assert_array_equal(labels, np.array([0, 2])[found.scores.argmax(axis=0)])


def test_processes_and_the_order_of_images_change_no_file(
    samples: list[ImageSample], seeds: SeedDirectory, tmp_path: Path
) -> None:
    refine(samples, seeds, tmp_path / "1")
    refine(samples[::-1], seeds, tmp_path / "2", workers=2)
    for name in NAMES:
        for suffix in (".png", ".npz"):
            one, two = (tmp_path / place / f"{name}{suffix}" for place in "12")
            assert one.read_bytes() == two.read_bytes()


def test_a_bad_input_is_named_and_the_rest_is_done(
    samples: list[ImageSample], seeds: SeedDirectory, tmp_path: Path
) -> None:
    bad = np.full((2, 12, 15), np.nan, np.float16)
    np.savez(seeds.scores_path("b"), classes=np.array([0, 2]), scores=bad)
    first, second, third = refine(samples, seeds, tmp_path / "out")
    assert (first, third) == (None, None)
    assert isinstance(second, Failure)
    assert (second.id, second.path) == ("b", str(samples[1].path))
    assert "b.npz: row 0: a value is not finite" in second.error
    assert not (tmp_path / "out" / "b.png").exists()


def test_label_maps_without_scores_are_refined_too(
    samples: list[ImageSample], seeds: SeedDirectory, tmp_path: Path
) -> None:
    seeds.scores_path("a").unlink()
    labels = np.zeros((12, 15), np.uint8)
    labels[:, 8:], labels[0] = 2, 255
    write_label_map(seeds.label_map_path("a"), labels)
    assert refine(samples[:1], seeds, tmp_path / "out") == [None]
    found = read_score_maps(tmp_path / "out", "a")
    assert found.classes.tolist() == [0, 2]
    assert (found.scores.astype(np.float32).sum(axis=0) > 0.99).all()


def test_one_class_alone_stays_what_it_is(
    samples: list[ImageSample], seeds: SeedDirectory, tmp_path: Path
) -> None:
    write_score_maps(seeds.path, "a", np.array([0]), np.full((1, 12, 15), 0.2, np.float32))
    assert refine(samples[:1], seeds, tmp_path / "out") == [None]
    assert (read_score_maps(tmp_path / "out", "a").scores == 1).all()
