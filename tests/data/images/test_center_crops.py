from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import CenterCrop as TorchvisionCrop
from torchvision.transforms.v2 import Compose, InterpolationMode, Resize

from attncli.data.images.center_crops import CenterCrop, CropReader, WholeImage, load_crops
from attncli.data.images.geometry import ImageView
from attncli.data.samples import ImageSample
from attncli.errors import Failure

SMALL, LARGE = CenterCrop(20, 16, "bilinear"), CenterCrop(24, 24, "bicubic")


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size_hw", [(60, 91), (91, 60), (33, 33), (18, 25), (40, 400)])
def test_a_square_is_that_of_torchvision(interpolation: str, size_hw: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    mode = InterpolationMode(interpolation)
    theirs = Compose([Resize(32, interpolation=mode), TorchvisionCrop(28)])
    expected = np.asarray(theirs(Image.fromarray(image)), dtype=np.int64).transpose(2, 0, 1)
    found = CenterCrop(32, 28, interpolation)(image).numpy().astype(np.int64)
    assert found.shape == (3, 28, 28)
    assert np.abs(found - expected).max() <= 1  # of 255: places are computed in another order


def test_whole_images_are_seen_as_in_training_of_such_networks(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    whole = WholeImage((32, 16))
    view = ImageView.whole((32, 16))
    assert torch.equal(whole(image), view.resize(torch.from_numpy(image).permute(2, 0, 1)))
    assert whole.about == {"whole_hw": [32, 16], "interpolation": "bilinear"}
    reader = CropReader([ImageSample("a", tmp_path / "absent.png", None)], [whole, SMALL])
    (crops,) = load_crops(reader, [[0]], workers=0)
    assert [images.shape for images in crops.images] == [(1, 3, 32, 16), (1, 3, 16, 16)]


def test_a_long_thin_image_takes_no_memory() -> None:
    assert CenterCrop(256, 224, "bilinear")(np.zeros((1, 50_000, 3), np.uint8)).shape[1] == 224


@pytest.fixture
def samples(tmp_path: Path) -> list[ImageSample]:
    for number in range(4):
        pixels = np.full((30, 40 + number, 3), 10 * number + 5, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"no image")
    return [ImageSample(str(n), tmp_path / f"{n}.png", None) for n in range(4)]


def test_images_are_cut_in_all_ways(samples: list[ImageSample]) -> None:
    reader = CropReader(samples, (SMALL, LARGE))
    (crops,) = load_crops(reader, [range(4)], workers=0)
    assert crops.first == 0
    assert [images.shape for images in crops.images] == [(4, 3, 16, 16), (4, 3, 24, 24)]
    assert crops.images[0][:, 0, 3, 3].tolist() == [5, 15, 0, 35]  # black where it is not read
    assert crops.is_read.tolist() == [True, True, False, True]
    (failure,) = crops.failures
    assert isinstance(failure, Failure)
    assert (failure.id, failure.path) == ("2", str(samples[2].path))


def test_workers_read_the_same(samples: list[ImageSample]) -> None:
    reader, batches = CropReader(samples, (SMALL,)), [range(1, 3), range(3, 4)]
    own = list(load_crops(reader, batches, workers=0))
    theirs = list(load_crops(reader, batches, workers=1))
    assert [crops.first for crops in theirs] == [1, 3]
    for one, other in zip(own, theirs, strict=True):
        assert torch.equal(one.images[0], other.images[0])
        assert one.failures == other.failures
