import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from attncli.batches import ImageBatch
from attncli.config.crf import CrfConfig
from attncli.config.evaluate import Views
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.evaluation import label_maps
from attncli.evaluation.asked import Asked
from attncli.evaluation.label_maps import LabelMaps, label_probabilities, write_figures
from attncli.files.seeds import open_seeds

CLASSES = ("cat", "dog")
CELL = 4
PAPER = Views(scales=(0.5, 0.75, 1.0, 1.25, 1.5), flip=True)


@dataclass(frozen=True)
class Answer:
    scores: Tensor


class Colors:
    """Scores background, cat and dog by how red, green and blue cells of 4x4 pixels are."""

    def __call__(self, images: Tensor) -> Answer:
        return Answer(functional.avg_pool2d(images.float(), CELL, ceil_mode=True) / 40)


def picture(seed: int, size_hw: tuple[int, int] = (18, 26)) -> Tensor:
    smooth = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    image = Image.fromarray(smooth).resize(size_hw[::-1], Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def upsampled(values: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation whose cells are centred, in a plain loop."""
    rows, columns = values.shape[-2:]
    out = np.zeros((*values.shape[:-2], *size_hw))
    for y in range(size_hw[0]):
        for x in range(size_hw[1]):
            v = min(max((y + 0.5) * rows / size_hw[0] - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / size_hw[1] - 0.5, 0), columns - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            a, b = v - top, u - left
            upper = (1 - b) * values[..., top, left] + b * values[..., top, right]
            lower = (1 - b) * values[..., bottom, left] + b * values[..., bottom, right]
            out[..., y, x] = (1 - a) * upper + a * lower
    return out


def softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max(axis=0))
    return raised / raised.sum(axis=0)


def cells(pixels: np.ndarray) -> np.ndarray:
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
    return softmax(Colors()(tensor).scores[0].double().numpy())


def naive(image: Tensor) -> np.ndarray:
    """The mean over sizes and mirrors of softmaxes brought to the image's size, by Pillow."""
    height, width = image.shape[1:]
    pixels = Image.fromarray(image.permute(1, 2, 0).numpy())
    seen = []
    for scale in PAPER.scales:
        size = (round(width * scale), round(height * scale))
        scaled = np.array(pixels.resize(size, Image.Resampling.BILINEAR))
        seen.append(upsampled(cells(scaled), (height, width)))
        seen.append(upsampled(cells(scaled[:, ::-1]), (height, width))[..., ::-1])
    return np.mean(seen, axis=0)


def test_probabilities_are_means_over_sizes_and_mirrors() -> None:
    image = picture(3)
    found = label_probabilities(Colors(), image, PAPER)
    # Pillow and torch round a pixel of the scaled image differently by one level at most.
    np.testing.assert_allclose(found, naive(image), atol=0.01)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)


def test_one_look_is_the_softmax_at_the_images_size() -> None:
    image = picture(4)
    found = label_probabilities(Colors(), image, Views())
    pixels = image.permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, upsampled(cells(pixels), (18, 26)), atol=1e-5)


def test_as_the_reference_images_are_warped_and_sums_go_through_a_softmax() -> None:
    image = picture(5)
    views = Views(scales=(1.0,), flip=True, compat_reference=True)
    found = label_probabilities(Colors(), image, views)
    warped = cv2.resize(image.permute(1, 2, 0).numpy(), (448, 448))
    own, other = (
        functional.interpolate(torch.from_numpy(cells(one))[None], (448, 448), mode="bilinear")
        for one in (warped, warped[:, ::-1])
    )
    total = functional.interpolate(own + other.flip(3), (18, 26), mode="bilinear")
    np.testing.assert_allclose(found, softmax(total[0].numpy()), atol=5e-3)
    assert found.max() < np.exp(2) / (np.exp(2) + 2) + 1e-6  # which the second softmax bounds


def test_a_mirrored_image_has_the_mirrored_answer() -> None:
    image = picture(6)
    found = label_probabilities(Colors(), image, PAPER)
    mirrored = label_probabilities(Colors(), image.flip(2), PAPER)
    np.testing.assert_allclose(mirrored.flip(2), found, atol=1e-2)


def sample(row: int, *, has_truth: bool = True) -> ImageSample:
    name = f"some/img-{row}.a"
    truth = Path(f"{name}.png") if has_truth else None
    return ImageSample(name, Path(f"{row}.jpg"), None, label_map=truth)


def batch(image: Tensor, row: int, truth: Tensor | None = None) -> ImageBatch:
    maps = {} if truth is None else {"truth": truth[None]}
    labels = torch.zeros(1, 2, dtype=torch.bool)
    return ImageBatch(images=image[None], labels=labels, rows=torch.tensor([row]), label_maps=maps)


def flat(label: int, size_hw: tuple[int, int] = (8, 8)) -> Tensor:
    """A picture that `Colors` tells a label everywhere."""
    image = torch.zeros(3, *size_hw, dtype=torch.uint8)
    image[label] = 250
    return image


def truth(*labels: int) -> Tensor:
    """Labels of the rows of a map of 8x8 pixels, in equal parts."""
    return (
        torch.tensor(labels, dtype=torch.uint8)
        .repeat_interleave(8 // len(labels))[:, None]
        .repeat(1, 8)
    )


def answered(evaluation: LabelMaps, *batches: ImageBatch) -> LabelMaps:
    for one in batches:
        evaluation.add(one, evaluation.ask(Colors(), one))
    return evaluation


def test_figures_are_of_one_table_over_all_images(tmp_path: Path) -> None:
    samples = [sample(0), sample(1), sample(2, has_truth=False)]
    evaluation = LabelMaps(Asked(samples, CLASSES, keep=tmp_path / "part"))
    answered(
        evaluation,
        batch(flat(1), 0, truth(1, 1, 0, 255)),
        batch(flat(0), 1, truth(0, 2)),
        batch(flat(2), 2),
    )
    shares = [evaluation.share()]
    # background: 32 hits of 48 true and 64 given. cat: 32 hits of 32 true and 48 given. dog: 0.
    expected = 100 * (32 / 80 + 32 / 48 + 0) / 3
    assert evaluation.figures(shares) == {"miou": pytest.approx(expected)}
    out = tmp_path / "out"
    out.mkdir()
    row = evaluation.write(shares, [Failure("x", "x", "gone")], out)
    assert row == {
        "images": 3,
        "failed": 1,
        "unlabelled": 1,
        "miou": pytest.approx(expected),
        "undefined": 0,
        "pixel_accuracy": pytest.approx(100 * 64 / 112),
        "classes": 3,
    }
    with (out / "classes.csv").open() as table:
        lines = list(csv.DictReader(table))
    assert [line["class"] for line in lines] == ["background", *CLASSES]
    assert float(lines[1]["iou"]) == pytest.approx(100 * 32 / 48)
    assert (lines[2]["iou"], lines[2]["precision"], lines[2]["true_pixels"]) == ("0.0", "", "32")
    seeds = open_seeds(out / "label_maps")
    assert (seeds.stage, seeds.classes) == ("segmentation", CLASSES)
    with Image.open(seeds.label_map_path("some/img-2.a")) as image:
        assert (image.mode, np.unique(image).tolist()) == ("P", [2])
    described = tomllib.loads((out / "label_maps" / "seeds.toml").read_text())
    assert described["parameters"]["scales"] == [1.0]


def test_a_class_without_a_pixel_is_left_out_of_the_mean(tmp_path: Path) -> None:
    evaluation = LabelMaps(Asked([sample(0)], CLASSES))
    shares = [answered(evaluation, batch(flat(1), 0, truth(1))).share()]
    assert evaluation.figures(shares) == {"miou": 100}
    row = write_figures(tmp_path, CLASSES, shares[0][1])
    assert (row["miou"], row["classes"]) == (100, 1)
    assert (tmp_path / "classes.csv").read_text().splitlines()[3] == "dog,,,,0,0"


def test_figures_of_processes_add_up(tmp_path: Path) -> None:
    samples = [sample(row) for row in range(4)]
    images = [batch(picture(row, (8, 8)), row, truth(0, 1, 2, 255)) for row in range(4)]
    whole = answered(LabelMaps(Asked(samples, CLASSES)), *images)
    parts = [
        answered(LabelMaps(Asked(samples, CLASSES, keep=tmp_path / f"part{one}")), *images[one::2])
        for one in range(2)
    ]
    shares = [part.share() for part in parts]
    out = tmp_path / "out"
    out.mkdir()
    assert parts[0].figures(shares) == whole.figures([whole.share()])
    row = parts[0].write(shares, [], out)
    assert (row["images"], row["miou"]) == (4, whole.figures([whole.share()])["miou"])
    assert len(list((out / "label_maps" / "some").glob("*.png"))) == 4


def test_no_truth_has_no_figures(tmp_path: Path) -> None:
    evaluation = LabelMaps(Asked([sample(0, has_truth=False)], CLASSES, keep=tmp_path / "part"))
    answered(evaluation, batch(flat(1), 0))
    assert evaluation.figures([evaluation.share()]) == {}
    out = tmp_path / "out"
    out.mkdir()
    row = evaluation.write([evaluation.share()], [], out)
    assert (row["images"], row["unlabelled"], row["miou"]) == (1, 1, None)


def test_labels_of_the_batch_change_nothing() -> None:
    evaluation = LabelMaps(Asked([sample(0)], CLASSES))
    one = batch(picture(1, (8, 8)), 0)
    other = ImageBatch(one.images, ~one.labels, one.rows, {"truth": truth(1)[None]})
    assert torch.equal(evaluation.ask(Colors(), one)[0], evaluation.ask(Colors(), other)[0])


def test_a_crf_refines_the_probabilities_of_all_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def turn(image, probabilities, config, *, device):
        seen.append((image.shape, probabilities.shape, config, device))
        return probabilities[::-1].copy()

    monkeypatch.setattr(label_maps, "dense_crf", turn)
    evaluation = LabelMaps(Asked([sample(0)], CLASSES, views=Views(crf=True)))
    answered(evaluation, batch(flat(0), 0, truth(2)))
    assert seen == [((8, 8, 3), (3, 8, 8), CrfConfig(), torch.device("cpu"))]
    assert evaluation.figures([evaluation.share()]) == {"miou": 100}


def test_scores_that_are_not_finite_are_refused_of_weights_to_be_judged() -> None:
    evaluation = LabelMaps(Asked([sample(0)], CLASSES, weights=Path("w.safetensors")))
    one = batch(flat(0), 0)
    with pytest.raises(AttncliError, match="not finite"):
        evaluation.add(one, [torch.full((3, 8, 8), float("nan"))])


def test_a_crf_lets_an_answer_follow_the_edges_of_an_image() -> None:
    """A part of a flat picture that is barely told otherwise becomes like what is around it."""
    evaluation = LabelMaps(Asked([sample(0)], CLASSES, views=Views(crf=True)))
    probabilities = torch.full((3, 16, 16), 0.1)
    probabilities[1] = 0.8
    probabilities[1:, 6:9, 6:9] = torch.tensor([0.44, 0.46])[:, None, None]
    evaluation.add(
        batch(flat(0, (16, 16)), 0, torch.ones(16, 16, dtype=torch.uint8)), [probabilities]
    )
    assert evaluation.figures([evaluation.share()]) == {"miou": 100}
