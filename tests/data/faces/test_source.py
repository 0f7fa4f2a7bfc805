from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from attncli.config.ram import SequenceConfig
from attncli.data.faces.people import divide_people
from attncli.data.faces.sequences import SequenceReader
from attncli.data.faces.source import FoldSource
from attncli.data.source import NoGuidance, Source
from attncli.errors import UsageError
from attncli.reporting import Silent


@pytest.fixture
def config(tmp_path):
    rows = ["id,path,label,split,subject"]
    for person in ("anna", "ben", "carl"):
        for label in ("left", "right"):
            name = f"{person}_{label}"
            (tmp_path / name).mkdir()
            for frame in range(4):
                Image.new("L", (40, 32), 50 * frame).save(tmp_path / name / f"{frame}.png")
            rows.append(f"{name},{name},{label},train,{person}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return SequenceConfig(
        data=tmp_path / "manifest.csv",
        folds=3,
        fold=2,
        face_crop="centre",
        face_px=16,
        margin_px=2,
        frames=2,
    )


@pytest.fixture
def source(config):
    return FoldSource(config, divide_people(replace(config, fold=None), Silent()))


def test_a_folds_people_are_for_validation_and_everybody_else_to_learn(source):
    assert isinstance(source, Source)
    val, train = (source.open(split) for split in ("val", "train"))
    tested = {sample.subject for sample in val.samples}
    assert len(tested) == 1
    assert {sample.subject for sample in train.samples} == {"anna", "ben", "carl"} - tested
    # Of 4 frames, clips of 2 at a step of 2: two of each of the two sequences.
    assert (len(val.samples), len(train.samples)) == (4, 8)


def test_what_a_run_keeps_opens_the_same_samples(source, config, tmp_path):
    run = tmp_path / "fold02"
    run.mkdir()
    source.keep(run)
    again = FoldSource.of_run(config, run)
    assert again.open("val").samples == source.open("val").samples


def test_a_fold_is_asked_about_its_own_people_only(config):
    with pytest.raises(UsageError, match="--data: a fold is tested on its own people only"):
        FoldSource.of_run(config, Path("run/fold02"), Path("other"))


def test_all_folds_at_once_are_refused_with_the_name_of_one(config):
    with pytest.raises(UsageError, match="run holds 3 folds; name one, such as run/fold01"):
        FoldSource.of_run(replace(config, fold=None), Path("run"))


def test_readers_share_the_pictures_of_their_people(source):
    guidance = source.guidance(source.open("train"))
    assert isinstance(guidance, NoGuidance)
    train, val = (
        source.reader(source.open(split), training=split == "train", guidance=guidance)
        for split in ("train", "val")
    )
    assert isinstance(train, SequenceReader)
    assert val[0].frames.shape == train[0].frames.shape == (2, 16, 16, 3)


def test_classes_that_name_a_side_keep_clips_from_being_mirrored(source):
    (note,) = source.notes(source.open("train"))
    assert note.startswith("no clip is mirrored: 'left' names a side")
