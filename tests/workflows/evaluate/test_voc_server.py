import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.config.evaluate import EvaluateCall
from attncli.data.layouts.voc2012 import CLASSES
from attncli.errors import AttncliError, UsageError
from attncli.files.label_maps import write_label_map
from attncli.workflows.evaluate.voc_server import pack, pack_run, require_packable
from tests.support.reporters import Told
from tests.support.runs import begin_run

IDS = ("2008_000002", "2008_000001")
FOLDER = "results/VOC2012/Segmentation/comp5_test_cls"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with label maps of VOC's test images, of which there are no labels."""
    voc = tmp_path / "VOC2012"
    for folder in ("JPEGImages", "ImageSets/Segmentation"):
        (voc / folder).mkdir(parents=True)
    (voc / "ImageSets" / "Segmentation" / "test.txt").write_text("\n".join(IDS) + "\n")
    run = begin_run(tmp_path / "seg", "segmentation", voc, CLASSES, seeds=tmp_path)
    for number, id_ in enumerate(IDS):
        Image.fromarray(np.zeros((6, 9, 3), np.uint8)).save(voc / "JPEGImages" / f"{id_}.jpg")
        write_label_map(maps(run) / f"{id_}.png", np.full((6, 9), 20 * number, np.uint8))
    return run


def maps(run: Path) -> Path:
    return run / "eval" / "test" / "label_maps"


def packed(run: Path, archive: Path) -> Told:
    reporter = Told()
    call = EvaluateCall(runs=(run,), split="test", pack=archive, competition="comp5")
    require_packable(call)
    pack_run(call, archive, reporter=reporter)
    return reporter


def test_the_archive_holds_the_servers_folder_of_indexed_images(run: Path, tmp_path: Path) -> None:
    reporter = packed(run, tmp_path / "a.tgz")
    with tarfile.open(tmp_path / "a.tgz") as tar:
        assert tar.getnames() == [f"{FOLDER}/{id_}.png" for id_ in sorted(IDS)]
        content: Any = tar.extractfile(f"{FOLDER}/2008_000001.png")
        with Image.open(content) as image:
            assert (image.mode, np.unique(image).tolist()) == ("P", [20])
    assert f"2 label maps in {FOLDER}/" in reporter.notes[0]


def test_the_same_label_maps_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    archives = [tmp_path / "a.tgz", tmp_path / "b.tgz"]
    for archive in archives:
        pack(maps(run), IDS, archive, folder=FOLDER)
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_what_the_server_would_not_take_is_not_packed(run: Path, tmp_path: Path) -> None:
    path, archive = maps(run) / f"{IDS[0]}.png", tmp_path / "a.tgz"
    undefined = np.zeros((6, 9), np.uint8)
    undefined[0, :3] = 255
    wrong = {
        "3 pixels have no class": undefined,
        "label map is 9x5, its image 9x6": np.zeros((5, 9), np.uint8),
        "value 21, which is no class": np.full((6, 9), 21, np.uint8),
    }
    for what, labels in wrong.items():
        write_label_map(path, labels)
        with pytest.raises(AttncliError, match=what):
            packed(run, archive)
    path.unlink()
    with pytest.raises(AttncliError, match=f"holds no label map of {IDS[0]}"):
        packed(run, archive)
    assert not archive.exists()


def test_a_run_that_tells_no_class_of_pixels_is_refused_first(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "cam", "cam", tmp_path)
    call = EvaluateCall(runs=(run,), split="test", pack=tmp_path / "a.tgz")
    with pytest.raises(UsageError, match=r"^--pack: .* does not tell the classes of pixels"):
        require_packable(call)
