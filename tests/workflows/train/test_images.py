"""Images from the native layout of VOC2012 to figures, good ones and such as users have."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.files.failures import read_failures
from attncli.files.score_maps import read_score_maps

Run = Callable[..., Any]
TRAIN, VAL = ("a", "b", "img-7.a", "deep"), ("v1", "turned")
TINY = (
    *("--backbone", "resnet18", "--weights", "none", "--output-stride", "32", "--workers", "0"),
    *("--crop-px", "32", "--long-side-min-px", "32", "--long-side-max-px", "40"),
    *("--epochs", "1", "--batch-size", "4", "--device", "cpu", "--json"),
)
CAT, DOG = 8, 12
"""Labels of label maps: positions among VOC's classes, from 1."""


def picture(seed: int, size_hw: tuple[int, int] = (30, 40)) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (*size_hw, 3), np.uint8))


def label_map(path: Path, value: int, size_hw: tuple[int, int] = (30, 40)) -> None:
    labels = np.zeros(size_hw, np.uint8)
    labels[:10, :10] = value
    Image.fromarray(labels).save(path)


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Four training images, of which one is CMYK and one of 16 bits, and two for validation.

    One of the latter is turned by its EXIF data; the training list has two columns and CRLF.
    """
    root = tmp_path / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClassAug", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    images, maps = root / "JPEGImages", root / "SegmentationClassAug"
    picture(0).save(images / "a.jpg")
    picture(1).convert("CMYK").save(images / "b.jpg")
    picture(2).save(images / "img-7.a.jpg")
    deep = np.random.default_rng(3).integers(0, 1 << 16, (30, 40), np.uint16)
    Image.fromarray(deep).save(images / "deep.png")
    picture(4).save(images / "v1.jpg")
    turned = Image.Exif()
    turned[0x0112] = 6  # shown upright it is 30 wide and 40 high
    picture(5).save(images / "turned.jpg", exif=turned)
    for number, name in enumerate((*TRAIN, "v1")):
        label_map(maps / f"{name}.png", CAT if number % 2 == 0 else DOG)
    label_map(maps / "turned.png", DOG, (40, 30))
    lines = [f"/JPEGImages/{n}.jpg /SegmentationClassAug/{n}.png" for n in TRAIN[:3]]
    lines.append("/JPEGImages/deep.png /SegmentationClassAug/deep.png")
    lists = root / "ImageSets" / "Segmentation"
    (lists / "train_aug.txt").write_bytes(("\r\n".join(lines) + "\r\n").encode())
    (lists / "val.txt").write_text("v1\n\nturned\n")
    return root


@pytest.fixture
def trained(voc: Path, tmp_path: Path, run_cli: Run) -> Path:
    answer = run_cli("train", "cam", "--data", voc, "-o", tmp_path / "run", *TINY)
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["method"], row["images"], row["failed"], row["unlabelled"]) == ("cam", 2, 0, 0)
    noted, opening, epoch, *_, evaluated, written = answer.stderr.splitlines()
    assert noted == "image labels are from label maps"
    assert answer.stderr.count(noted) == 1  # not by the evaluation too
    assert re.fullmatch(r"training cam on cpu \(.*: 4 images, 2 to validate, .*", opening)
    assert re.match(r"epoch 1/\d+  loss .*  train exact .*  val mAP .* \(best\)  lr ", epoch)
    assert evaluated == f"wrote {tmp_path / 'run' / 'eval' / 'val'}"
    assert written == f"wrote {tmp_path / 'run'}"
    return tmp_path / "run"


def test_from_images_to_maps_to_a_figure(trained: Path, tmp_path: Path, run_cli: Run) -> None:
    maps = trained / "eval" / "val" / "score_maps"
    assert read_score_maps(maps, "turned").scores.shape[1:] == (40, 30)
    answer = run_cli("eval", trained, "--split", "train", "--json", "--device", "cpu")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["images"], row["split"]) == (4, "train")
    of_train = trained / "eval" / "train" / "score_maps"
    labels = {"a": CAT, "b": DOG, "img-7.a": CAT, "deep": DOG}
    for name, label in labels.items():
        assert read_score_maps(of_train, name).classes.tolist() == [label]
    figure = tmp_path / "cams.png"
    answer = run_cli("visualize", trained, "--split", "train", "--clips", "3", "-o", figure)
    assert answer.exit_code == 0, answer.stderr
    with Image.open(figure) as drawn:
        assert drawn.width > 500
    assert figure.with_suffix(".csv").read_text().startswith("id,label,run,class,mean,max\n")
    answer = run_cli("visualize", trained, "--id", "nobody", "-o", tmp_path / "other.png")
    assert (answer.exit_code, "no such name: 'nobody'" in answer.stderr) == (2, True)


def test_a_copied_run_is_still_complete(
    trained: Path, voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy, copy_function=shutil.copyfile)  # without the times of files
    for file in (copy / "eval").rglob("*"):
        if file.is_file():
            file.touch()
    (copy / "model.safetensors").touch()  # now newer than its evaluation
    answer = run_cli("train", "cam", "--data", voc, "-o", copy, *TINY, "--resume")
    assert answer.exit_code == 0, answer.stderr
    assert "this run is complete; nothing to do" in answer.stderr


def test_options_about_videos_are_refused(trained: Path, tmp_path: Path, run_cli: Run) -> None:
    figure = tmp_path / "x.png"
    for option in (("--masks", tmp_path), ("--range", "frame"), ("--order", "sharpest")):
        answer = run_cli("visualize", trained, "-o", figure, *option)
        assert (answer.exit_code, figure.exists()) == (2, False)
        assert option[0] in answer.stderr
    answer = run_cli("eval", trained, "--frames", "4")
    assert (answer.exit_code, "--frames: " in answer.stderr) == (2, True)
    answer = run_cli("invert-spatial", trained)
    assert (answer.exit_code, "cam has no spatial attention" in answer.stderr) == (1, True)


def test_an_absent_image_is_named_and_the_rest_is_done(
    voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    (voc / "JPEGImages" / "a.jpg").unlink()
    run = tmp_path / "run"
    answer = run_cli("train", "cam", "--data", voc, "-o", run, *TINY)
    assert answer.exit_code == 3, answer.stderr
    assert [failure.id for failure in read_failures(run / "failures.jsonl")] == ["a"]
    assert "a.jpg" in answer.stderr


def test_one_image_is_a_dataset(voc: Path, tmp_path: Path, run_cli: Run) -> None:
    lists = voc / "ImageSets" / "Segmentation"
    (lists / "train_aug.txt").write_text("a")
    (lists / "val.txt").write_text("v1")
    answer = run_cli("train", "cam", "--data", voc, "-o", tmp_path / "run", *TINY)
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)[0]["images"] == 1


def test_an_image_without_a_label_is_refused_before_anything_is_trained(
    voc: Path, tmp_path: Path, run_cli: Run
) -> None:
    (voc / "labels.csv").write_text("id,label\na,cat\nb,dog;cat\ndeep,cat\nv1,cat\nturned,dog\n")
    labels = ("--labels", voc / "labels.csv")
    answer = run_cli("train", "cam", "--data", voc, *labels, "-o", tmp_path / "run", *TINY)
    assert (answer.exit_code, (tmp_path / "run").exists()) == (1, False)
    assert "1 images of split 'train' have no label, such as img-7.a" in answer.stderr


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda path: label_map(path, 21), "21, which is no class"),
        (
            lambda path: picture(9).save(path),
            "not in PASCAL VOC's palette",
        ),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "a.png"),
        (lambda path: path.unlink(), "a"),
    ],
    ids=["an unknown class", "a photograph", "damaged", "absent"],
)
def test_a_label_map_that_says_no_labels_is_named(
    voc: Path, tmp_path: Path, run_cli: Run, spoil: Callable[[Path], object], problem: str
) -> None:
    spoil(voc / "SegmentationClassAug" / "a.png")
    answer = run_cli("train", "cam", "--data", voc, "-o", tmp_path / "run", *TINY)
    assert (answer.exit_code, (tmp_path / "run").exists()) == (1, False)
    assert problem in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_videos_are_no_images(
    make_video: Callable[..., Path], tmp_path: Path, run_cli: Run
) -> None:
    lines = "".join(f"{make_video(f'v{n}', 3)} {n % 2}\n" for n in range(2))
    for split in ("train", "val"):
        (tmp_path / f"{split}.txt").write_text(lines)
    answer = run_cli("train", "cam", "--data", tmp_path, "-o", tmp_path / "run", *TINY)
    assert (answer.exit_code, (tmp_path / "run").exists()) == (1, False)
    assert "Traceback" not in answer.stderr
