from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attncli.config.images import ImageConfig
from attncli.config.reid import PcbConfig
from attncli.data.images.batches import ImageReader, ReadImage
from attncli.data.images.seed_maps import SeedMaps
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.source import batch_loader
from attncli.errors import Failure
from attncli.files.label_maps import write_label_map
from attncli.files.seeds import open_seeds, write_description

CONFIG = ImageConfig(data=Path(), crop_px=16, long_side_min_px=12, long_side_max_px=24, seed=3)
SIZES = ((20, 30), (30, 20), (25, 25))


@pytest.fixture
def dataset(tmp_path):
    samples = []
    for number, (height, width) in enumerate(SIZES):
        noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
        Image.fromarray(noise[..., 0] % 3).save(tmp_path / f"{number}_map.png")
        label_map = None if number == 2 else tmp_path / f"{number}_map.png"
        labels = None if number == 1 else frozenset({number % 2, 1})
        path = tmp_path / f"{number}.png"
        samples.append(ImageSample(str(number), path, labels, label_map=label_map))
    return ImageDataset("manifest", tmp_path, ("a", "b"), tuple(samples), "manifest")


def test_a_training_sample_depends_on_seed_epoch_and_row_alone(dataset):
    reader = ImageReader(dataset, CONFIG, training=True)
    torch.manual_seed(1)
    first = reader[1].image
    torch.manual_seed(2)
    _ = reader[0]
    assert torch.equal(first, reader[1].image)
    assert torch.equal(first, ImageReader(dataset, CONFIG, training=True)[1].image)
    other = ImageReader(dataset, replace(CONFIG, seed=4), training=True)
    assert not torch.equal(first, other[1].image)
    reader.set_epoch(1)
    assert not torch.equal(first, reader[1].image)
    reader.set_epoch(0)
    assert torch.equal(first, reader[1].image)


def test_a_label_map_does_not_change_what_a_sample_shows(dataset):
    plain, mapped = (
        ImageReader(dataset, CONFIG, training=True, label_maps=asked) for asked in (False, True)
    )
    assert plain[0].label_maps == {}
    assert torch.equal(plain[0].image, mapped[0].image)


@pytest.mark.parametrize("workers", [0, 1])
def test_training_images_are_one_size_and_the_same_in_any_process(dataset, workers):
    reader = ImageReader(dataset, CONFIG, training=True, label_maps=True)
    (batch,) = batch_loader(reader, batches=reader.batches([2, 0, 1], 8), workers=workers)
    assert batch.images.shape == (3, 3, 16, 16)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    for position, row in enumerate((2, 0, 1)):
        read = reader[row]
        assert torch.equal(batch.images[position].permute(1, 2, 0), read.image)
        if row != 2:
            assert torch.equal(batch.label_maps["truth"][position], read.label_maps["truth"])
    assert (batch.label_maps["truth"][0] == 255).all()  # it has no label map
    assert batch.labels.tolist() == [[True, True], [True, True], [False, False]]
    assert batch.rows.tolist() == [2, 0, 1]


def test_images_are_evaluated_whole_and_alone(dataset):
    reader = ImageReader(dataset, CONFIG, training=False, label_maps=True)
    assert reader.batches([2, 0, 1], 8) == [[2], [0], [1]]
    for row, size_hw in enumerate(SIZES):
        sample = dataset.samples[row]
        batch = reader.collate([reader[row]])
        assert batch.images.shape == (1, 3, *size_hw)
        expected = np.asarray(Image.open(sample.path))
        np.testing.assert_array_equal(batch.images[0].permute(1, 2, 0), expected)
        if sample.label_map is None:
            assert batch.label_maps == {}
        else:
            expected = np.asarray(Image.open(sample.label_map))
            np.testing.assert_array_equal(batch.label_maps["truth"][0], expected)


def test_evaluation_is_the_same_in_every_epoch(dataset):
    reader = ImageReader(dataset, CONFIG, training=False)
    before = reader[0].image
    reader.set_epoch(7)
    assert torch.equal(before, reader[0].image)


def test_an_image_that_cannot_be_read_is_a_failure_beside_the_others(dataset):
    dataset.samples[0].path.unlink()
    reader = ImageReader(dataset, CONFIG, training=True)
    batch = reader.collate([reader[0], reader[1]])
    assert batch.rows.tolist() == [1]
    (failure,) = batch.failures
    assert (failure.id, failure.path) == ("0", str(dataset.samples[0].path))
    assert "0.png: image cannot be read (no such file or directory)" in failure.error


def test_a_label_map_of_another_size_is_a_failure(dataset):
    label_map = dataset.samples[0].label_map
    Image.new("L", (20, 30)).save(label_map)
    assert isinstance(ImageReader(dataset, CONFIG, training=True)[0], ReadImage)
    failed = ImageReader(dataset, CONFIG, training=True, label_maps=True)[0]
    assert isinstance(failed, Failure)
    assert f"{label_map}: label map is 20x30, its image 30x20" in failed.error


def test_an_image_turned_by_exif_data_wants_its_label_map_upright(dataset):
    sample = dataset.samples[0]
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(sample.path).save(sample.path, exif=exif)
    reader = ImageReader(dataset, CONFIG, training=False, label_maps=True)
    assert "label map is 30x20, its image 20x30 as it is shown" in reader[0].error
    Image.new("L", (20, 30), 2).save(sample.label_map)
    assert reader[0].image.shape == (30, 20, 3)
    assert (reader[0].label_maps["truth"] == 2).all()


def test_a_dataset_of_one_image_is_a_batch(dataset):
    alone = replace(dataset, samples=dataset.samples[:1])
    reader = ImageReader(alone, CONFIG, training=True)
    assert len(reader) == 1
    (batch,) = batch_loader(reader, batches=reader.batches([0], 8), workers=0)
    assert batch.images.shape == (1, 3, 16, 16)


def test_nothing_has_the_shapes_of_samples(dataset):
    reader = ImageReader(dataset, CONFIG, training=True)
    failure = Failure("0", "0.png", "gone")
    for batch in (reader.nothing(), reader.collate([failure])):
        assert batch.images.shape == (0, 3, 16, 16)
        assert batch.labels.shape == (0, 2)
        assert batch.rows.shape == (0,)
    assert reader.collate([failure]).failures == (failure,)


@pytest.fixture
def seeds(dataset, tmp_path):
    """Seeds of the first two images, whose labels say whether a pixel is bright."""
    made = tmp_path / "seeds"
    for sample in dataset.samples[:2]:
        bright = np.asarray(Image.open(sample.path)).mean(axis=2) > 127
        write_label_map(made / f"{sample.id}.png", bright.astype(np.uint8))
    ids = [sample.id for sample in dataset.samples]
    write_description(made, stage="x", parameters={}, classes=("a", "b"), ids=ids, parents={})
    return SeedMaps({"seed": open_seeds(made)}, 4)


def test_seeds_are_cut_as_their_images_are_and_missing_ones_are_failures(dataset, seeds):
    reader = ImageReader(dataset, CONFIG, training=True, seeds=seeds)
    read = reader[0]
    assert torch.equal(read.image, ImageReader(dataset, CONFIG, training=True)[0].image)
    assert read.label_maps["seed"].shape == (4, 4)
    failed = reader[2]
    assert isinstance(failed, Failure)
    assert "2.png: holds no seed of this image" in failed.error
    batch = reader.collate([reader[row] for row in range(3)])
    assert batch.label_maps["seed"].shape == (2, 4, 4)
    assert batch.small_images.shape == (2, 3, 4, 4)
    assert len(batch.failures) == 1
    nothing = reader.nothing()
    assert nothing.label_maps["seed"].shape == (0, 4, 4)
    assert nothing.small_images.shape == (0, 3, 4, 4)


def test_small_images_are_the_crops_without_changed_colors(dataset, seeds):
    config = replace(CONFIG, long_side_min_px=24)
    read = ImageReader(dataset, config, training=True, seeds=seeds)[0]
    still = dict.fromkeys((f"jitter_{n}" for n in ("brightness", "contrast", "saturation")), 0.0)
    plain = replace(config, **still, jitter_hue=0.0)
    crop = ImageReader(dataset, plain, training=True)[0].image.float()
    # Between the four pixels at the middle of each square.
    middle = crop.view(4, 4, 4, 4, 3)[:, 1:3, :, 1:3].mean((1, 3))
    torch.testing.assert_close(read.small_image.float(), middle, rtol=0, atol=1.0)
    assert not torch.equal(read.image, crop.to(torch.uint8))


def test_validation_reads_no_seeds(dataset, seeds):
    read = ImageReader(dataset, CONFIG, training=False, seeds=seeds)[2]
    assert (read.label_maps, read.small_image) == ({}, None)


WHOLE = PcbConfig(data=Path(), size_hw=(48, 16), stripes=3, seed=3)


def test_images_of_one_size_are_whole_and_go_together_in_tests_too(dataset):
    reader = ImageReader(dataset, WHOLE, training=False, label_maps=True)
    assert reader.batches([2, 0, 1], 2) == [[2, 0], [1]]
    batch = reader.collate([reader[row] for row in range(3)])
    assert batch.images.shape == (3, 3, 48, 16)
    assert batch.label_maps["truth"].shape == (3, 48, 16)
    pillow = Image.open(dataset.samples[0].path).resize((16, 48), Image.Resampling.BICUBIC)
    difference = batch.images[0].permute(1, 2, 0).int() - torch.from_numpy(np.array(pillow)).int()
    assert difference.abs().max() <= 2
    own = np.asarray(Image.open(dataset.samples[0].label_map))
    nearest = own[np.arange(48)[:, None] * 20 // 48, np.arange(16) * 30 // 16]
    np.testing.assert_array_equal(batch.label_maps["truth"][0], nearest)


def test_training_shows_the_same_image_or_its_mirror_image(dataset):
    tested = ImageReader(dataset, WHOLE, training=False)[0].image
    reader = ImageReader(dataset, WHOLE, training=True)
    mirrored = set()
    for epoch in range(8):
        reader.set_epoch(epoch)
        shown = reader[0].image
        mirrored.add(torch.equal(shown, tested.flip(1)))
        assert torch.equal(shown, tested) or torch.equal(shown, tested.flip(1))
    assert mirrored == {True, False}
    assert reader.nothing().images.shape == (0, 3, 48, 16)
