import io

import numpy as np
import pytest
from PIL import Image

from attncli.data.images.reading import read_rgb, read_stored
from attncli.errors import AttncliError

TURNED_RIGHT = 6  # the orientation of EXIF that phones write of upright pictures


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def test_rgb_is_read_as_it_is(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), picture)


def test_grey_has_three_channels_alike(tmp_path, picture):
    Image.fromarray(picture[..., 0]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(
        read_rgb(tmp_path / "a.png"), np.repeat(picture[..., :1], 3, axis=2)
    )


def test_grey_of_16_bits_is_scaled_to_8(tmp_path):
    values = np.array([[0, 257, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read_rgb(tmp_path / "a.png")[0, :, 1].tolist() == [0, 1, 255]


def test_cmyk_is_converted(tmp_path):
    # Full yellow and nothing else is yellow: red and green, no blue.
    Image.new("CMYK", (16, 16), (0, 0, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    red, green, blue = read_rgb(tmp_path / "a.jpg")[8, 8]
    assert red > 250
    assert green > 250
    assert blue < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_left_out(tmp_path, mode):
    color = (9, 9, 9, 128) if mode == "RGBA" else (9, 128)
    Image.new(mode, (2, 2), color).save(tmp_path / "a.png")
    assert (read_rgb(tmp_path / "a.png") == 9).all()


def test_a_palette_is_looked_up(tmp_path):
    image = Image.new("P", (3, 2), 1)
    image.putpalette([1, 2, 3, 40, 50, 60])
    image.save(tmp_path / "a.png", transparency=b"\0\x80")
    assert read_rgb(tmp_path / "a.png")[1, 2].tolist() == [40, 50, 60]


def test_an_image_turned_by_exif_data_is_upright(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = TURNED_RIGHT
    Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), np.rot90(picture, -1))


@pytest.mark.parametrize("read", [read_rgb, read_stored])
def test_a_truncated_jpeg_is_named(tmp_path, picture, read):
    file = io.BytesIO()
    Image.fromarray(picture).resize((200, 100)).save(file, "JPEG")
    content = file.getvalue()
    path = tmp_path / "a.jpg"
    for broken in (content[: len(content) // 2], content[: len(content) // 2] + content[-2:]):
        path.write_bytes(broken)
        with pytest.raises(AttncliError, match=r"a\.jpg: image .*; get the file again"):
            read(path)


@pytest.mark.parametrize("read", [read_rgb, read_stored])
def test_what_is_no_image_is_named(tmp_path, read):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").mkdir()
    for name, problem in (
        ("a.png", "it is damaged, or no image"),
        ("b.png", "is a directory"),
        ("c.png", "no such file"),
    ):
        with pytest.raises(AttncliError, match=rf"{name}: image cannot be read \({problem}"):
            read(tmp_path / name)
