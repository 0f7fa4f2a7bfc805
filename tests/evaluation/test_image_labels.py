import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from attncli.batches import ImageBatch
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.evaluation.image_labels import SCALES, ImageLabels, Seen, activation_maps
from attncli.files.predictions import read_predictions
from attncli.files.score_maps import read_score_maps

CLASSES = ("cat", "dog", "cow")
CELL = 4


class Brightness:
    """Its maps are the mean of a colour over cells of 4x4 pixels, less 100."""

    def class_maps(self, images: Tensor) -> Tensor:
        return functional.avg_pool2d(images.float(), CELL, ceil_mode=True) - 100

    def __call__(self, images: Tensor) -> Tensor:
        return self.class_maps(images).mean((2, 3))


def sample(row: int, labels: set[int] | None) -> ImageSample:
    return ImageSample(
        f"some/img-{row}.a", Path(f"{row}.jpg"), None if labels is None else frozenset(labels)
    )


def batch(image: Tensor, labels: set[int], row: int = 0) -> ImageBatch:
    shown = torch.zeros(1, 3, dtype=torch.bool)
    shown[0, sorted(labels)] = True
    return ImageBatch(images=image[None], labels=shown, rows=torch.tensor([row]))


def picture(seed: int, size_hw: tuple[int, int] = (18, 26)) -> Tensor:
    smooth = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    image = Image.fromarray(smooth).resize(size_hw[::-1], Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def upsampled(values: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation whose cells are centred, in a plain loop."""
    rows, columns = values.shape
    out = np.zeros(size_hw)
    for y in range(size_hw[0]):
        for x in range(size_hw[1]):
            v = min(max((y + 0.5) * rows / size_hw[0] - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / size_hw[1] - 0.5, 0), columns - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            a, b = v - top, u - left
            upper = (1 - b) * values[top, left] + b * values[top, right]
            lower = (1 - b) * values[bottom, left] + b * values[bottom, right]
            out[y, x] = (1 - a) * upper + a * lower
    return out


def naive_cam(image: Tensor, k: int) -> np.ndarray:
    """PSA's maps by Pillow and loops: sum over sizes and mirrors of what is positive."""
    height, width = image.shape[1:]
    total = np.zeros((height, width))
    for scale in SCALES:
        size = (round(width * scale), round(height * scale))
        scaled = Image.fromarray(image.permute(1, 2, 0).numpy()).resize(
            size, Image.Resampling.BICUBIC
        )
        for flip in (False, True):
            pixels = np.array(scaled)[:, ::-1] if flip else np.array(scaled)
            tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
            cells = np.maximum(Brightness().class_maps(tensor)[0, k].double().numpy(), 0)
            shown = upsampled(cells, (height, width))
            total += shown[:, ::-1] if flip else shown
    return total / (total.max() + 1e-5)


def test_maps_are_sums_of_what_is_positive_over_sizes_and_mirrors() -> None:
    image = picture(3)
    found = activation_maps(Brightness(), image, torch.tensor([True, False, True]))
    assert found.shape == (2, 18, 26)
    for maps, k in zip(found, (0, 2), strict=True):
        # Pillow and torch round a pixel of the scaled image differently by one level at most.
        np.testing.assert_allclose(maps, naive_cam(image, k), atol=0.02)
        assert 0 <= maps.min() <= maps.max() <= 1


def test_an_image_without_a_class_has_no_map() -> None:
    assert activation_maps(Brightness(), picture(0), torch.zeros(3, dtype=torch.bool)).shape == (
        0,
        18,
        26,
    )


def test_a_map_that_is_nowhere_positive_is_zero() -> None:
    dark = torch.zeros(3, 8, 8, dtype=torch.uint8)
    maps = activation_maps(Brightness(), dark, torch.tensor([True, False, False]))
    assert not maps.any()


def test_only_classes_present_get_maps_and_unlabelled_images_those_said(tmp_path: Path) -> None:
    samples = [sample(0, {1}), sample(1, None)]
    asked = Asked(samples, CLASSES, keep=tmp_path / "part")
    evaluation = ImageLabels(asked)
    red = torch.zeros(3, 8, 8, dtype=torch.uint8)
    red[0] = 250  # scores 150, -100, -100
    for one in (batch(red, {1}), batch(red, set(), 1)):
        evaluation.add(one, evaluation.ask(Brightness(), one))
    out = tmp_path / "out"
    out.mkdir()
    row = evaluation.write([evaluation.share()], [], out)
    assert (row["images"], row["unlabelled"], row["failed"]) == (2, 1, 0)
    maps = [read_score_maps(out / "score_maps", one.id) for one in samples]
    assert [one.classes.tolist() for one in maps] == [[2], [1]]  # as label maps number them
    assert maps[0].scores.dtype == np.float16
    assert maps[0].scores.shape == (1, 8, 8)


def test_where_labels_may_not_be_known_maps_are_of_what_the_network_says(tmp_path: Path) -> None:
    asked = Asked([sample(0, {1})], CLASSES, keep=tmp_path, may_know=False)
    red = torch.zeros(3, 8, 8, dtype=torch.uint8)
    red[0] = 250
    evaluation, one = ImageLabels(asked), batch(red, {1})
    evaluation.add(one, evaluation.ask(Brightness(), one))
    assert read_score_maps(tmp_path, asked.samples[0].id).classes.tolist() == [1]


def test_figures_are_means_over_the_classes_that_images_show(tmp_path: Path) -> None:
    samples = [sample(0, {0}), sample(1, {0, 1}), sample(2, {1}), sample(3, set())]
    evaluation = ImageLabels(Asked(samples, CLASSES))
    scores = torch.tensor([[3.0, -3, -3], [2.0, 1, -3], [1.0, -1, -3], [-2.0, 0.5, -3]])
    for row in range(4):
        one = batch(torch.zeros(3, 8, 8, dtype=torch.uint8), samples[row].labels or set(), row)
        evaluation.add(one, Seen(scores[row : row + 1], ()))
    # cat ranks rows 0, 1, 2, 3: precision 1, 1. dog ranks rows 1, 3, 2, 0: precision 1, 2/3.
    # cat is said of rows 0, 1, 2: F1 = 2 * 2 / (3 + 2); dog of 1, 3: 2 * 1 / (2 + 2).
    found = evaluation.figures([evaluation.share()])
    assert found == {"map": pytest.approx(100 * (1 + 5 / 6) / 2), "f1": pytest.approx(65)}
    out = tmp_path / "out"
    out.mkdir()
    row = evaluation.write([evaluation.share()], [Failure("x", "x", "gone")], out)
    assert (row["map"], row["f1"], row["failed"]) == (found["map"], found["f1"], 1)
    made = read_predictions(out / "predictions.csv")
    assert (made.labels[1], made.predicted[0], made.predicted[1]) == ("cat;dog", "cat", "cat;dog")
    lines = (out / "classes.csv").read_text().splitlines()
    assert lines[0] == "class,images,average_precision,f1,precision,recall"
    assert lines[3].startswith("cow,0,,")


def test_processes_share_images_and_their_maps(tmp_path: Path) -> None:
    samples = [sample(row, {0}) for row in range(4)]
    shares = []
    for process, rows in enumerate(([0, 2], [1, 3])):
        evaluation = ImageLabels(Asked(samples, CLASSES, keep=tmp_path / f"part{process}"))
        for row in rows:
            one = batch(picture(row), {0}, row)
            evaluation.add(one, evaluation.ask(Brightness(), one))
        shares.append(evaluation.share())
    out = tmp_path / "out"
    out.mkdir()
    evaluation.write(shares, [], out)
    assert read_predictions(out / "predictions.csv").ids == [one.id for one in samples]
    described = tomllib.loads((out / "score_maps" / "seeds.toml").read_text())
    assert (described["stage"], described["classes"]) == ("cam", list(CLASSES))
    for number, one in enumerate(samples):
        whole = activation_maps(Brightness(), picture(number), torch.tensor([True, False, False]))
        kept = read_score_maps(out / "score_maps", one.id).scores
        np.testing.assert_allclose(kept, whole, atol=1e-3)


def test_scores_that_are_not_finite_are_refused_of_weights_to_be_judged() -> None:
    evaluation = ImageLabels(Asked([sample(0, {0})], CLASSES, weights=Path("w.safetensors")))
    one = batch(picture(0), {0})
    with pytest.raises(AttncliError, match="not finite"):
        evaluation.add(one, Seen(torch.full((1, 3), float("nan")), ()))


def test_no_image_has_no_figures() -> None:
    evaluation = ImageLabels(Asked([], CLASSES))
    assert evaluation.figures([evaluation.share()]) == {}
