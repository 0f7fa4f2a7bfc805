from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from attncli.data.video.frame_folders import (
    FRAME_NUMBER,
    by_series,
    frame_files,
    image_size_hw,
    missing_numbers,
    read_image,
)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


def names(folder: Path) -> list[str]:
    return [file.name for file in frame_files(folder)]


@pytest.mark.parametrize(
    "series",
    [
        ["1.png", "2.png", "10.png"],
        ["img_00001.jpg", "img_00002.jpg"],
        ["v_Jump_g01_c02_0009.jpg", "v_Jump_g01_c02_0010.jpg"],
        ["frame7_rgb.webp", "frame8_rgb.webp"],
        ["1305031102.175304.png", "1305031103.211214.png"],
        ["0.1.png", "0.10.png", "0.2.png"],
        ["a.bmp", "b.bmp"],
        ["1.JPG", "2.jpg"],
    ],
)
def test_one_series_of_names_is_one_video(tmp_path: Path, series: list[str]) -> None:
    touch(tmp_path, *series, ".hidden_3.png", "notes.txt")
    assert sorted(names(tmp_path)) == sorted(series)


@pytest.mark.parametrize(
    ("others", "named"),
    [
        (["flow_x_00001.jpg", "flow_y_00001.jpg"], r"1 of flow_x_\*\.jpg, 1 of flow_y_\*\.jpg, 2"),
        (["img_00001.png", "img_00002.png"], r"2 of img_\*\.jpg, 2 of img_\*\.png"),
        (["thumbnail.jpg"], r"2 of img_\*\.jpg, 1 of \*\.jpg"),
        ([f"{letter}_1.jpg" for letter in "abcdefg"], r"1 of d_\*\.jpg and 4 more"),
    ],
)
def test_several_series_are_refused_by_name(tmp_path: Path, others: list[str], named: str) -> None:
    touch(tmp_path, "img_00001.jpg", "img_00002.jpg", *others)
    with pytest.raises(ValueError, match=f"several series of images: .*{named}"):
        frame_files(tmp_path)


def test_images_are_sorted_into_series_by_all_but_their_numbers() -> None:
    files = [Path(name) for name in ("x_1.jpg", "y_1.jpg", "x_2.JPG", "x_3.png", "a.jpg", "b.jpg")]
    found = {str(series): [file.name for file in its] for series, its in by_series(files).items()}
    assert found == {
        "x_*.jpg": ["x_1.jpg", "x_2.JPG"],
        "y_*.jpg": ["y_1.jpg"],
        "x_*.png": ["x_3.png"],
        "*.jpg": ["a.jpg", "b.jpg"],
    }


@pytest.mark.parametrize(
    ("stem", "number"),
    [("v_Jump_g01_c02_0009", "0009"), ("frame7_rgb", "7"), ("t0.25", "0.25"), ("a1.2.3", "2.3")],
)
def test_the_number_of_a_frame_is_the_last_of_its_name(stem: str, number: str) -> None:
    found = FRAME_NUMBER.search(stem)
    assert found is not None
    assert found[0] == number


def test_two_images_of_one_number_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "1.png", "01.png", "2.png")
    with pytest.raises(ValueError, match=r"01\.png and 1\.png are the same frame; keep one"):
        frame_files(tmp_path)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([1, 2, 3], None),
        ([0, 5, 10, 15], None),
        ([7], None),
        ([], None),
        ([1, 2, 4, 5], "no frame between f2.png and f4.png (1 is missing)"),
        ([0, 5, 20, 25, 30, 40], "no frame between f5.png and f20.png (3 are missing)"),
        ([3, 100, 101, 1000], None),  # of which no two steps are alike, as of key frames
    ],
)
def test_gaps_are_said(numbers: list[int], said: str | None) -> None:
    assert missing_numbers([Path(f"f{number}.png") for number in numbers]) == said


def test_time_stamps_and_names_without_numbers_have_no_gaps() -> None:
    stamps = ("0.1", "0.2", "0.9", "1.0")
    assert missing_numbers([Path(f"{stamp}.png") for stamp in stamps]) is None
    assert missing_numbers([Path("a.png"), Path("c.png")]) is None


PICTURE = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)


@pytest.mark.parametrize("suffix", ["png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_shown_the_way_up_their_exif_data_asks_for(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"1.{suffix}"
    Image.fromarray(PICTURE).save(path, exif=exif, lossless=True)
    with Image.open(path) as image:
        expected = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    assert image_size_hw(path) == expected.shape[:2] == ((6, 4) if orientation < 5 else (4, 6))
    np.testing.assert_array_equal(read_image(path, expected.shape[:2]), expected)


def test_grey_values_of_16_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256, 257], [1000, 32768, 65534, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "1.png")
    shown = read_image(tmp_path / "1.png", (2, 4))
    expected = [[0, 1, 1, 1], [4, 128, 255, 255]]  # values / 257, rounded
    np.testing.assert_array_equal(shown, np.repeat(np.array(expected)[..., None], 3, axis=2))


def test_pictures_no_memory_holds_are_errors_that_name_them(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    Image.new("1", (20_000, 20_000)).save(path)
    for read in (image_size_hw, lambda file: read_image(file, (20_000, 20_000))):
        with pytest.raises(OSError, match=r"1\.png: Image size \(400000000 pixels\) exceeds"):
            read(path)


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])])
def test_a_palette_with_transparent_colours_is_read_without_a_warning(
    tmp_path: Path, transparency: int | bytes
) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "1.png", transparency=transparency)
    shown = read_image(tmp_path / "1.png", (1, 2))
    np.testing.assert_array_equal(shown, [[[10, 20, 30], [40, 50, 60]]])
