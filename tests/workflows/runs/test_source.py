from pathlib import Path

import pytest
from PIL import Image

from attncli.data.clips.source import VideoSource
from attncli.data.images.source import ImageSource
from attncli.errors import AttncliError, UsageError
from attncli.workflows.runs.source import open_source, require_samples
from tests.support.settings import tiny

RUN = Path("runs/a")


def manifest(path: Path, *lines: str) -> Path:
    """Write a manifest and the videos it names, which nobody opens."""
    path.write_text("".join(f"{line}\n" for line in ("id,path,label,split", *lines)))
    for line in lines:
        (path.parent / line.split(",")[1]).touch()
    return path


def test_the_clips_of_a_run_are_those_of_its_dataset_or_of_another_one(tmp_path: Path) -> None:
    own = manifest(tmp_path / "own.csv", "a,a.avi,Hop,train", "b,b.avi,Run,val")
    other = manifest(tmp_path / "other.csv", "c,c.avi,Run,val", "d,d.avi,Hop,val")
    config = tiny("abn", data=own, layout="manifest")
    for data, ids in ((None, ["b"]), (other, ["c", "d"])):
        source = open_source("abn", config, RUN, data)
        assert isinstance(source, VideoSource)
        dataset = source.open("val")
        assert [sample.id for sample in dataset.samples] == ids
        assert dataset.classes == ("Hop", "Run")
    assert config.data == own  # the run's settings stay as they were


def test_other_data_may_be_in_another_layout_than_the_runs_own(tmp_path: Path) -> None:
    other = manifest(tmp_path / "other.csv", "c,c.avi,Run,val", "d,d.avi,Hop,val")
    config = tiny("x3d", data=tmp_path / "UCF101", layout="ucf101")
    assert len(open_source("x3d", config, RUN, other).open("val").samples) == 2


def test_images_of_other_data_forget_the_lists_and_labels_of_the_runs_own(tmp_path: Path) -> None:
    for name, shade in (("cat/a", 10), ("dog/b", 200)):
        file = tmp_path / "other" / "val" / f"{name}.png"
        file.parent.mkdir(parents=True)
        Image.new("RGB", (8, 6), (shade, 0, 0)).save(file)
    own = {"data": tmp_path / "VOC2012", "layout": "voc2012", "labels": "annotations"}
    config = tiny("cam", **own, train_list="train")
    source = open_source("cam", config, RUN, tmp_path / "other")
    assert isinstance(source, ImageSource)
    assert source.open("val").classes == ("cat", "dog")
    assert open_source("cam", config, RUN) == ImageSource(config)


def test_a_fold_is_asked_about_no_other_data() -> None:
    config = tiny("convlstm", fold=1)
    with pytest.raises(UsageError, match="--data: a fold is tested on its own people only; leave"):
        open_source("convlstm", config, RUN / "fold01", Path("other"))


def test_a_run_of_several_folds_names_one_to_ask() -> None:
    with pytest.raises(UsageError, match=r"runs/a holds 10 folds; name one, such as runs/a/fold01"):
        open_source("convlstm", tiny("convlstm", folds=10), RUN)


def test_a_fold_whose_people_are_not_known_is_refused(tmp_path: Path) -> None:
    config = tiny("convlstm", data=tmp_path, fold=1)
    with pytest.raises(AttncliError, match=r"ram/fold01: has no folds\.csv, so its"):
        open_source("convlstm", config, tmp_path / "ram" / "fold01")


def test_a_run_that_was_fitted_to_features_has_no_samples() -> None:
    message = "runs/a: is a run of linear-svm, fitted to features: it has no network and no samples"
    with pytest.raises(UsageError, match=message):
        open_source("linear-svm", None, RUN)
    with pytest.raises(UsageError, match="name a run of a network"):
        require_samples("linear-svm", RUN)
    require_samples("abn", RUN)
