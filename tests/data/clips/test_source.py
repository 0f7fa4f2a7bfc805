from dataclasses import replace

import pytest

from attncli.config.st_abn import StAbnConfig
from attncli.data.clips.reading import ClipReader
from attncli.data.clips.source import VideoSource
from attncli.data.source import Source

CLASSES = ("Moving left", "Moving right")


@pytest.fixture
def manifest(make_video, tmp_path):
    rows = ["id,path,label,split"]
    for number in range(4):
        make_video(f"{number}.avi", 10, seed=number)
        split = "train" if number < 3 else "val"
        rows.append(f"{number},{number}.avi,{CLASSES[number % 2]},{split}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "manifest.csv"


@pytest.fixture
def config(manifest):
    return StAbnConfig(
        data=manifest,
        frames=4,
        crop_px=32,
        short_side_min_px=40,
        short_side_max_px=48,
        short_side_val_px=40,
    )


def test_splits_are_those_of_the_datasets_lists(config):
    source = VideoSource.of_run(config, config.data.parent)
    assert isinstance(source, Source)
    ids = {split: [s.id for s in source.open(split).samples] for split in ("train", "val", "all")}
    assert ids == {"train": ["0", "1", "2"], "val": ["3"], "all": ["0", "1", "2", "3"]}


def test_other_data_is_read_in_whatever_layout_it_has(config, manifest, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(f"id,path,label,split\nx,{manifest.parent / '0.avi'},Moving left,val\n")
    run = replace(config, layout="manifest")
    source = VideoSource.of_run(run, tmp_path, other)
    assert (source.config.data, source.config.layout) == (other, "auto")
    assert [sample.id for sample in source.open("val").samples] == ["x"]
    assert VideoSource.of_run(run, tmp_path).config is run


def test_training_clips_change_from_epoch_to_epoch_and_validation_clips_do_not(config):
    source = VideoSource(config)
    dataset = source.open("train")
    for training in (True, False):
        reader = source.reader(dataset, training=training)
        assert isinstance(reader, ClipReader)
        crops = []
        for epoch in range(4):
            reader.set_epoch(epoch)
            crops.append(reader[0].crop)
        assert (len(set(map(tuple, crops))) > 1) == training


def test_classes_that_name_a_side_keep_clips_from_being_mirrored(config):
    source = VideoSource(config)
    (note,) = source.notes(source.open("train"))
    assert "mirror" in note
    plain = VideoSource(replace(config, flip="none"))
    assert list(plain.notes(plain.open("train"))) == []


def test_a_run_keeps_nothing_and_nothing_guides_it(config, tmp_path):
    source = VideoSource(config)
    (tmp_path / "run").mkdir()
    source.keep(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
    assert source.guidance(source.open("train")).facts() == {}


def test_some_classes_and_so_many_clips_of_a_split_are_opened(config, tmp_path):
    of_one = VideoSource(replace(config, classes=("Moving right",)))
    assert [sample.id for sample in of_one.open("train").samples] == ["1"]
    assert of_one.open("val").classes == ("Moving right",)
    few = VideoSource(replace(config, limit=2))
    counts = [len(few.open(split).samples) for split in ("train", "val", "all")]
    assert counts == [2, 1, 4]


def test_of_other_data_all_clips_are_opened(config, tmp_path):
    source = VideoSource.of_run(replace(config, limit=1), tmp_path, config.data)
    assert len(source.open("train").samples) == 3
