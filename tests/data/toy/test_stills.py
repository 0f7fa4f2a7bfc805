import numpy as np
import pytest

from attncli.data.toy.stills import GROUND, TEXTURE, TEXTURES, render_still

SIZE_HW = (64, 72)
SMALL = 3.0
"""A difference of colours that noise may make of the mean of many pixels."""


def still(seed=0, *, labels=(5,), textures=(0,), coincidence=0.0, size_hw=SIZE_HW):
    rng = np.random.default_rng(seed)
    return render_still(
        labels, textures=textures, size_hw=size_hw, coincidence=coincidence, rng=rng
    )


def smoothed(picture):
    """Return the means of 8x8 pixels: textures and noise are gone."""
    height, width, channels = picture.shape
    cells = picture.reshape(height // 8, 8, width // 8, 8, channels)
    return cells.astype(float).mean(axis=(1, 3))


@pytest.mark.parametrize("labels", [(3,), (8, 17)])
@pytest.mark.parametrize("size_hw", [(64, 64), (40, 96), (96, 40)])
def test_every_object_is_to_be_seen(labels, size_hw):
    for seed in range(10):
        textures = tuple(range(len(labels)))
        drawn = still(seed, labels=labels, textures=textures, size_hw=size_hw, coincidence=1.0)
        assert drawn.image.shape == (*size_hw, 3)
        assert drawn.labels.shape == size_hw
        shares = [(drawn.labels == label).mean() for label in labels]
        assert min(shares) > 0.04
        assert sum(shares) < 0.4
        assert set(np.unique(drawn.labels)) == {0, *labels}


def test_without_coincidence_colours_follow_the_truth():
    for seed in range(5):
        drawn = still(seed, labels=(1, 2), textures=(1, 3))
        means = [drawn.image[drawn.labels == label].mean(axis=0) for label in (0, 1, 2)]
        distances = np.stack([np.linalg.norm(drawn.image - mean, axis=2) for mean in means])
        assert (distances.argmin(axis=0) == drawn.labels).mean() > 0.985
        assert np.linalg.norm(means[0] - means[1]) > 85
        assert np.linalg.norm(means[1] - means[2]) > 85


def test_coincidence_changes_colours_beside_or_inside_an_object_and_nothing_else():
    beside = inside = 0
    for seed in range(20):
        true, misleading = still(seed), still(seed, coincidence=1.0)
        np.testing.assert_array_equal(true.labels, misleading.labels)
        differs = np.abs(true.image.astype(float) - misleading.image).max(axis=2) > 40
        share = differs.sum() / (true.labels > 0).sum()
        assert 0.02 < share < 0.7
        on_object = true.labels[differs] > 0
        assert on_object.all() or not on_object.any()
        beside, inside = beside + (not on_object.any()), inside + on_object.all()
    assert min(beside, inside) >= 4


def test_what_misleads_has_the_colour_that_belongs_to_the_other_side():
    for seed in range(10):
        true, misleading = still(seed), still(seed, coincidence=1.0)
        differs = np.abs(true.image.astype(float) - misleading.image).max(axis=2) > 40
        is_object = true.labels[differs].all()
        other = true.image[true.labels == 0 if is_object else true.labels > 0]
        shown = misleading.image[differs]
        assert np.abs(shown.mean(axis=0) - other.mean(axis=0)).max() < 2 * SMALL


def test_coincidence_is_as_frequent_as_it_should_be():
    changed = [
        not np.array_equal(still(seed).image, still(seed, coincidence=0.5).image)
        for seed in range(60)
    ]
    assert 18 < sum(changed) < 42


def test_textures_are_as_strong_as_they_should_be():
    drawn = [still(seed, textures=(seed % 4,)) for seed in range(12)]
    for inside, strength in ((True, TEXTURE), (False, GROUND * TEXTURE)):
        parts = [one.image[(one.labels > 0) == inside].astype(float) for one in drawn]
        spread = np.mean([part.mean(axis=1).std() for part in parts])
        assert spread == pytest.approx(strength, rel=0.15)


@pytest.mark.parametrize("texture", range(len(TEXTURES)))
def test_each_texture_varies_along_its_own_directions_only(texture):
    """Waves of a texture show in the spectrum of an object's middle, at a radius of its period."""
    energy = np.zeros((16, 16))
    for seed in range(8):
        drawn = still(seed, textures=(texture,), size_hw=(96, 96))
        rows, columns = np.nonzero(drawn.labels)
        top, left = int(rows.mean()) - 8, int(columns.mean()) - 8
        part = drawn.image[top : top + 16, left : left + 16].astype(float).mean(axis=2)
        window = np.outer(np.hanning(16), np.hanning(16))
        energy += np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
    along_y, along_x = energy[2:5, 0].sum(), energy[0, 2:5].sum()
    diagonal = energy[1:4, 1:4].sum() + energy[1:4, -3:].sum()
    strong = {0: [along_y], 1: [along_x], 2: [along_y, along_x], 3: [diagonal]}[texture]
    weak = {0: [along_x], 1: [along_y], 2: [], 3: [along_x, along_y]}[texture]
    assert min(strong) > 5 * max(weak, default=0)


def test_colour_says_nothing_of_the_class():
    same = [still(4, textures=(texture,)) for texture in range(len(TEXTURES))]
    for other in same[1:]:
        np.testing.assert_array_equal(other.labels, same[0].labels)
        assert np.abs(smoothed(other.image) - smoothed(same[0].image)).max() < 4 * SMALL
