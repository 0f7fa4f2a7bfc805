from pathlib import Path

import numpy as np
import pytest
import torch

from attncli.data.images.geometry import ImageView
from attncli.data.images.seed_maps import SeedMaps, require_seeds, shrunk
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.source import Guidance
from attncli.errors import AttncliError
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import SeedDirectory, open_seeds, write_description
from attncli.reporting import Silent


@pytest.fixture
def seeds(tmp_path: Path) -> SeedDirectory:
    write_description(
        tmp_path, stage="psa", parameters={}, classes=("a", "b"), ids=["x"], parents={}
    )
    return open_seeds(tmp_path)


def view(flip: bool = False, top: int = 0, left: int = 0) -> ImageView:
    return ImageView((8, 8), flip, top, left, crop_hw=(8, 8))


def labels(maps: SeedMaps, view: ImageView) -> list[list[int]]:
    return maps.read("x", (8, 8), view)["seed"].tolist()


def test_labels_are_of_squares_of_pixels(seeds: SeedDirectory) -> None:
    drawn = np.zeros((8, 8), np.uint8)
    drawn[:4, 4:] = 2
    drawn[4:, :4] = 255
    write_label_map(seeds.label_map_path("x"), drawn)
    maps = SeedMaps({"seed": seeds}, 4)
    assert isinstance(maps, Guidance)
    assert labels(maps, view()) == [[0, 2], [255, 0]]
    assert labels(maps, view(flip=True)) == [[2, 0], [0, 255]]


def test_what_lies_outside_the_image_is_ignored(seeds: SeedDirectory) -> None:
    write_label_map(seeds.label_map_path("x"), np.ones((8, 8), np.uint8))
    assert labels(SeedMaps({"seed": seeds}, 4), view(top=-4)) == [[255, 255], [1, 1]]


def test_scores_are_made_small_not_labels(seeds: SeedDirectory) -> None:
    # Class 1 leads in three quarters of a square, but by little.
    scores = np.zeros((2, 8, 8), np.float32)
    scores[0], scores[1] = 0.5, 0.4
    scores[1, ::2, ::2] = 1.0
    write_score_maps(seeds.path, "x", np.array([0, 2]), scores)
    assert labels(SeedMaps({"seed": seeds}, 4, "mean"), view()) == [[2, 2], [2, 2]]


def test_means_and_interpolation_by_hand() -> None:
    scores = torch.arange(64, dtype=torch.float32).view(1, 8, 8)
    expected = [[scores[0, r : r + 4, c : c + 4].mean().item() for c in (0, 4)] for r in (0, 4)]
    assert shrunk(scores, 2, "mean")[0].tolist() == expected
    # Between the four pixels at the middle of each square.
    between = [[scores[0, r : r + 2, c : c + 2].mean().item() for c in (1, 5)] for r in (1, 5)]
    assert shrunk(scores, 2, "bilinear")[0].tolist() == between


def test_images_without_seeds_are_told_and_none_at_all_is_refused(seeds: SeedDirectory) -> None:
    samples = tuple(ImageSample(name, Path(f"{name}.jpg"), frozenset()) for name in ("x", "y"))
    dataset = ImageDataset("voc2012", Path(), ("a", "b"), samples, labels_from="here")
    with pytest.raises(AttncliError, match="holds no seed of any of the 2 images, such as x"):
        require_seeds({"seed": seeds}, dataset)
    write_label_map(seeds.label_map_path("x"), np.zeros((8, 8), np.uint8))
    assert [sample.id for sample in require_seeds({"seed": seeds}, dataset)] == ["y"]


def test_true_labels_stand_beside_the_seeds_of_images_that_have_them(
    seeds: SeedDirectory, tmp_path: Path
) -> None:
    write_label_map(seeds.label_map_path("x"), np.ones((8, 8), np.uint8))
    true = np.zeros((8, 8), np.uint8)
    true[:4, :4], true[4:, 4:] = 2, 255
    write_label_map(tmp_path / "true.png", true)
    maps = SeedMaps({"seed": seeds}, 4, full_masks={"x": tmp_path / "true.png"})
    read = maps.read("x", (8, 8), view())
    assert read["true"].tolist() == [[2, 0], [0, 255]]
    assert read["seed"].tolist() == [[1, 1], [1, 1]]
    assert "true" not in SeedMaps({"seed": seeds}, 4).read("x", (8, 8), view())


def test_a_run_goes_on_with_the_seeds_it_was_begun_with_alone(
    seeds: SeedDirectory, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    maps = SeedMaps({"seed": seeds}, 4)
    assert maps.prepare(run, reporter=Silent()) == ()
    before = (run / "seeds.json").read_bytes()
    assert maps.prepare(run, reporter=Silent()) == ()
    assert (run / "seeds.json").read_bytes() == before
    write_description(
        seeds.path, stage="psa", parameters={"a": 1}, classes=("a", "b"), ids=["x"], parents={}
    )
    with pytest.raises(AttncliError, match=r"seeds\.json: the run was begun with other seeds"):
        SeedMaps({"seed": open_seeds(seeds.path)}, 4).prepare(run, reporter=Silent())
