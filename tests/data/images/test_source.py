from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.config.images import ImageConfig
from attncli.data.images.source import ImageSource
from attncli.data.source import NoGuidance, Source
from attncli.errors import UsageError
from attncli.workflows.runs.source import open_source
from tests.support.settings import tiny


@pytest.fixture
def config(tmp_path):
    for place in ("train/a/1.png", "train/b/1.png", "val/a/2.png"):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 9, 3), 7, dtype=np.uint8)).save(file)
    return ImageConfig(data=tmp_path, crop_px=8, long_side_min_px=8, long_side_max_px=8)


def test_it_is_a_source_of_images(config, tmp_path):
    source = ImageSource.of_run(config, tmp_path)
    assert isinstance(source, Source)
    dataset = source.open("train")
    assert [sample.id for sample in dataset.samples] == ["train/a/1", "train/b/1"]
    assert isinstance(source.guidance(dataset), NoGuidance)
    assert source.notes(dataset) == ["image labels are from folders"]
    reader = source.reader(dataset, training=True, guidance=source.guidance(dataset))
    assert reader.collate([reader[0], reader[1]]).images.shape == (2, 3, 8, 8)
    (image,) = source.open("val").samples
    val = source.reader(source.open("val"), training=False)
    assert val.collate([val[0]]).images.shape == (1, 3, 8, 9)
    assert image.id == "val/a/2"


def test_nothing_is_kept_with_a_run(config, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    ImageSource.of_run(config, run).keep(run)
    assert list(run.iterdir()) == []


def test_other_data_are_read_in_their_own_layout(config, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("path,label,split\ntrain/a/1.png,a;b,val\ntrain/b/1.png,,val\n")
    settings = ImageConfig(data=Path("gone"), layout="voc2012", labels="l.csv", train_list="t")
    source = ImageSource.of_run(settings, tmp_path / "run", other)
    dataset = source.open("val")
    assert dataset.layout == "manifest"
    assert dataset.samples[0].labels == {0, 1}
    assert source.notes(dataset)[1] == "1 of 2 images have no labels"


def test_some_classes_and_so_many_images_of_a_split_are_opened(config, tmp_path):
    of_one = ImageSource(replace(config, classes=("b",))).open("train")
    assert [(sample.id, sample.labels) for sample in of_one.samples] == [("train/b/1", {0})]
    few = replace(config, limit=1)
    assert len(ImageSource(few).open("train").samples) == 1
    assert len(ImageSource.of_run(few, tmp_path, config.data).open("train").samples) == 2


@pytest.mark.parametrize("method", ["psa", "segmentation", "ssdd", "pcb"])
def test_no_class_is_left_out_where_all_are_needed(config, tmp_path, method):
    settings = tiny(method, data=config.data, classes=("a",))
    with pytest.raises(UsageError, match=r"^--classes: .*; leave it out$"):
        open_source(method, settings, tmp_path).open("train")
