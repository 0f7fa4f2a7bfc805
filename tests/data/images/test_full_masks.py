from dataclasses import replace
from pathlib import Path

import pytest

from attncli.data.images.full_masks import choose_full_masks
from attncli.data.samples import ImageDataset, ImageSample
from attncli.errors import AttncliError


@pytest.fixture
def dataset(tmp_path: Path) -> ImageDataset:
    label_map = tmp_path / "map.png"
    label_map.touch()
    samples = tuple(
        ImageSample(f"2007_{number:06}", Path("a.jpg"), frozenset(), label_map=label_map)
        for number in range(400)
    )
    return ImageDataset("voc2012", tmp_path, ("a",), samples, labels_from="here")


def test_about_the_share_is_chosen_and_more_of_it_holds_less(dataset: ImageDataset) -> None:
    few, many = (choose_full_masks(dataset, share, seed=0).keys() for share in (0.1, 0.3))
    assert 20 <= len(few) <= 60
    assert 90 <= len(many) <= 150
    assert few < many
    assert choose_full_masks(dataset, 0.0, seed=0) == {}
    assert len(choose_full_masks(dataset, 1.0, seed=0)) == 400


def test_ids_and_seed_alone_decide(dataset: ImageDataset) -> None:
    chosen = choose_full_masks(dataset, 0.3, seed=0).keys()
    part = replace(dataset, samples=dataset.samples[::-2])
    expected = {sample.id for sample in part.samples} & chosen
    assert choose_full_masks(part, 0.3, seed=0).keys() == expected
    assert choose_full_masks(dataset, 0.3, seed=1).keys() != chosen


def test_a_chosen_image_without_a_label_map_is_named(dataset: ImageDataset) -> None:
    bare = tuple(replace(sample, label_map=None) for sample in dataset.samples)
    with pytest.raises(AttncliError, match=r"2007_\d+ has no label map .*--full-mask-share"):
        choose_full_masks(replace(dataset, samples=bare), 0.3, seed=0)
    assert choose_full_masks(replace(dataset, samples=bare), 0.0, seed=0) == {}
