from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.config.images import ImageConfig
from attncli.config.reid import PcbConfig
from attncli.data.images.geometry import PADDING_COLOR, ImageView, long_side_hw

CONFIG = ImageConfig(data=Path(), crop_px=6, long_side_min_px=4, long_side_max_px=9)


def views(config, size_hw, n=300):
    return [ImageView.draw(config, size_hw, np.random.default_rng(seed)) for seed in range(n)]


def test_the_long_side_is_resized_and_the_aspect_kept():
    assert long_side_hw((375, 500), 448) == (336, 448)
    assert long_side_hw((500, 375), 768) == (768, 576)
    assert long_side_hw((1, 5000), 448) == (1, 448)


def test_all_long_sides_of_the_range_are_drawn():
    assert {max(view.resized_hw) for view in views(CONFIG, (30, 60))} == {4, 5, 6, 7, 8, 9}


def test_half_of_the_images_are_mirrored_unless_told_otherwise():
    assert 100 < sum(view.flip for view in views(CONFIG, (30, 60))) < 200
    assert not any(view.flip for view in views(replace(CONFIG, flip="none"), (30, 60)))


def test_a_crop_starts_anywhere_within_a_longer_side_and_before_a_shorter_one():
    config = replace(CONFIG, long_side_min_px=8, long_side_max_px=8)
    drawn = views(config, (4, 8))
    assert {view.left for view in drawn} == {0, 1, 2}
    assert {view.top for view in drawn} == {-2, -1, 0}


@pytest.mark.parametrize(("top", "left"), [(0, 0), (2, 1), (-2, 0), (0, -1), (-3, -2)])
def test_a_crop_is_a_window_of_the_padded_image(top, left):
    image = torch.arange(3 * 5 * 7, dtype=torch.uint8).reshape(3, 5, 7)
    crop = ImageView((5, 7), False, top, left, (6, 6)).cut(image)
    for row in range(6):
        for column in range(6):
            y, x = row + top, column + left
            inside = 0 <= y < 5 and 0 <= x < 7
            expected = image[:, y, x].tolist() if inside else list(PADDING_COLOR)
            assert crop[:, row, column].tolist() == expected


def test_padding_is_what_normalisation_maps_nearest_to_zero():
    means, stds = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
    assert np.abs((np.array(PADDING_COLOR) / 255 - means) / stds).max() < 0.5 / 255 / 0.224


def test_label_maps_go_with_their_images_and_their_padding_is_ignored():
    labels = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8)
    cut = ImageView((4, 4), True, -1, 1, (4, 4)).apply_to_label_map(labels)
    assert cut.tolist() == [
        [255, 255, 255, 255],
        [2, 1, 1, 255],
        [2, 1, 1, 255],
        [4, 3, 3, 255],
    ]


def test_an_image_and_its_label_map_stay_on_each_other():
    labels = torch.zeros(40, 60, dtype=torch.uint8)
    labels[5:25, 35:55] = 1
    image = (labels * 255).expand(3, -1, -1).contiguous()
    config = replace(CONFIG, crop_px=48, long_side_min_px=40, long_side_max_px=90)
    for view in views(config, (40, 60), 30):
        shown = view.cut(view.resize(image))[0]
        of_labels = view.apply_to_label_map(labels)
        inside = of_labels != 255
        wrong = (shown > 127)[inside] != (of_labels == 1)[inside]
        assert wrong.float().mean() < 0.08  # along the borders alone


def test_resizing_is_bicubic_and_smooths_where_it_reduces():
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    resized = ImageView((20, 30), False, 0, 0, (20, 20)).resize(
        torch.from_numpy(noise).permute(2, 0, 1)
    )
    pillow = np.asarray(Image.fromarray(noise).resize((30, 20), Image.Resampling.BICUBIC))
    difference = resized.permute(1, 2, 0).numpy().astype(int) - pillow.astype(int)
    assert np.abs(difference).max() <= 2


def test_images_become_squares_or_stay_as_they_are_where_asked_for():
    (view,) = views(replace(CONFIG, resize="none"), (4, 30), n=1)
    assert view.resized_hw == (4, 30)
    config = replace(CONFIG, resize="square", long_side_min_px=8, long_side_max_px=8)
    (view,) = views(config, (4, 30), n=1)
    assert view.resized_hw == (8, 8)
    assert view.resize(torch.zeros(3, 4, 30, dtype=torch.uint8)).shape == (3, 8, 8)


def test_scores_are_mirrored_and_cut_as_labels_are():
    labels = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8)
    scores = torch.stack([(labels == label).float() for label in range(1, 7)])
    for flip in (False, True):
        view = ImageView((2, 3), flip, -1, 1, (4, 4))
        found, expected = view.apply_to_scores(scores), view.apply_to_label_map(labels)
        shown = torch.where(found.sum(0) == 0, 255, found.argmax(0) + 1)
        assert torch.equal(shown.to(torch.uint8), expected)


def test_whole_images_are_resized_to_one_size_and_half_of_them_mirrored():
    config = PcbConfig(data=Path(), size_hw=(96, 32))
    drawn = views(config, (20, 30))
    assert {(view.resized_hw, view.top, view.left) for view in drawn} == {((96, 32), 0, 0)}
    assert 100 < sum(view.flip for view in drawn) < 200
    assert not any(view.flip for view in views(replace(config, flip="none"), (20, 30)))
    image = torch.randint(0, 256, (3, 96, 32), dtype=torch.uint8)
    assert torch.equal(ImageView.whole((96, 32)).cut(image), image)


def test_a_crop_need_not_be_square():
    image = torch.arange(3 * 4 * 5, dtype=torch.uint8).reshape(3, 4, 5)
    crop = ImageView((4, 5), False, 1, -1, (2, 7)).cut(image)
    assert torch.equal(crop[:, :, 1:6], image[:, 1:3])
    assert crop[:, :, 0].T.tolist() == crop[:, :, 6].T.tolist() == [list(PADDING_COLOR)] * 2
