from dataclasses import replace

import pytest
from PIL import Image

from attncli.config.ram import SequenceConfig
from attncli.data.faces.people import divide_people, read_people, write_people
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Silent

PEOPLE = ("anna", "ben", "carl", "dora")


class Listener(Silent):
    """Keeps notes."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def manifest(tmp_path):
    """Two sequences of four people, and one that nobody has labelled."""
    rows = ["id,path,label,split,subject"]
    for person in PEOPLE:
        for label in ("angry", "glad", *([""] if person == "anna" else [])):
            name = f"{person}_{label or 'unknown'}"
            (tmp_path / name).mkdir()
            for frame in range(3):
                Image.new("L", (40, 32), 60 * frame).save(tmp_path / name / f"{frame}.png")
            rows.append(f"{name},{name},{label},train,{person}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "manifest.csv"


@pytest.fixture
def config(manifest):
    sizes = {"face_px": 16, "margin_px": 2, "frames": 2}
    return SequenceConfig(data=manifest, folds=2, face_crop="centre", **sizes)


@pytest.fixture
def run(config, tmp_path):
    """The directory of a run, with its tables."""
    directory = tmp_path / "run"
    directory.mkdir()
    write_people(divide_people(config, Silent()), directory)
    return directory


def ids(dataset):
    return {sample.id for sample in dataset.samples}


def test_sequences_without_a_label_are_left_out_and_counted(config):
    listener = Listener()
    people = divide_people(config, listener)
    assert people.subjects == 4
    assert len(people.dataset.samples) == 8
    assert "1 of 9 sequences without a label left out" in listener.notes
    assert "faces of 8 sequences by centre" in listener.notes


def test_nobody_is_in_both_parts_and_everybody_is_in_one(config):
    people = divide_people(config, Silent())
    for fold in (1, 2):
        train, val = (people.part(fold, split) for split in ("train", "val"))
        assert {s.subject for s in train.samples}.isdisjoint(s.subject for s in val.samples)
        assert ids(train) | ids(val) == ids(people.dataset)
        assert people.part(fold, "all") is people.dataset
    assert people.part(None, "val") is people.dataset


def test_people_that_are_written_are_read_as_they_were(config, run):
    made, read = divide_people(config, Silent()), read_people(config, run / "fold01")
    assert read.folds == made.folds
    assert read.faces.boxes == made.faces.boxes
    assert ids(read.dataset) == ids(made.dataset)


def test_the_folds_of_a_run_share_the_pictures_they_have_read(config, run):
    one, other = (
        read_people(replace(config, fold=number), run / f"fold{number:02d}") for number in (1, 2)
    )
    assert one.store is other.store
    divide_people(config, Silent())  # which may be written over them
    assert read_people(config, run / "fold01").store is not one.store


@pytest.mark.parametrize("name", ["folds.csv", "faces.csv"])
def test_a_missing_table_is_named(config, run, name):
    (run / name).unlink()
    with pytest.raises(AttncliError, match=f"has no {name}, so its"):
        read_people(config, run / "fold01")


@pytest.mark.parametrize("name", ["folds.csv", "faces.csv"])
def test_a_table_that_changed_after_training_is_noticed(config, run, name):
    fold = run / "fold01"
    fold.mkdir()
    write_people(divide_people(config, Silent()), fold)
    read_people(config, fold)
    (fold / name).write_text((fold / name).read_text() + "\n")
    with pytest.raises(AttncliError, match=f"fold01: was trained with another {name} than its"):
        read_people(config, fold)


def test_a_fold_by_itself_has_its_own_tables(config, run, tmp_path):
    alone = tmp_path / "elsewhere" / "fold01"
    alone.mkdir(parents=True)
    write_people(divide_people(config, Silent()), alone)
    assert ids(read_people(config, alone).dataset) == ids(read_people(config, run).dataset)


def test_folds_of_a_file_are_taken_if_there_are_as_many(config, run):
    taken = divide_people(replace(config, folds_file=run / "folds.csv", folds_seed=9), Silent())
    assert taken.folds == read_people(config, run / "fold01").folds
    with pytest.raises(UsageError, match=r"--folds: .*folds\.csv has 2 folds, not 3; pass"):
        divide_people(replace(config, folds=3, folds_file=run / "folds.csv"), Silent())


def test_a_dataset_without_any_label_is_refused(config, manifest):
    text = manifest.read_text()
    manifest.write_text(text.replace(",angry,", ",,").replace(",glad,", ",,"))
    with pytest.raises(AttncliError, match="label"):
        divide_people(config, Silent())


def test_so_many_sequences_and_some_classes_are_dealt_out_and_read_again(config, tmp_path):
    few = replace(config, limit=6)
    people = divide_people(few, Silent())
    labels = [sample.label for sample in people.dataset.samples]
    assert sorted(labels) == [0, 0, 0, 1, 1, 1]
    directory = tmp_path / "few"
    directory.mkdir()
    write_people(people, directory)
    assert ids(read_people(few, directory).dataset) == ids(people.dataset)
    glad = divide_people(replace(config, classes=("glad",)), Silent()).dataset
    assert (glad.classes, len(glad.samples)) == (("glad",), 4)
