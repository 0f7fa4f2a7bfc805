import io

import numpy as np
import pytest
from PIL import Image

from attncli.data.images.damage import damage


def encoded(format_: str, *, size: tuple[int, int] = (96, 64), **options: object) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    mode = options.pop("mode", "RGB")
    file = io.BytesIO()
    Image.fromarray(noise).convert(str(mode)).save(file, format_, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart", [0, 3])
def test_whole_jpeg_files_of_any_kind_are_whole(mode, progressive, restart):
    for quality in (5, 95):
        for size in ((1, 1), (33, 17)):
            content = encoded(
                "JPEG",
                size=size,
                mode=mode,
                quality=quality,
                progressive=progressive,
                restart_marker_blocks=restart,
            )
            assert damage(content) is None


def test_what_follows_the_end_of_a_jpeg_image_does_not_matter():
    film = b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 9
    assert damage(encoded("JPEG") + film) is None
    assert damage(encoded("JPEG", exif=b"Exif\0\0" + encoded("JPEG", size=(16, 16)))) is None


def test_a_jpeg_file_that_is_cut_short_is_damaged():
    content = encoded("JPEG")
    half = len(content) // 2
    assert damage(content[:half]) == "is cut short: its JPEG data has no end"
    # The disk was full: the rest of the file is zeros.
    assert damage(content[:half] + bytes(half)) == "is cut short: its JPEG data has no end"


def test_a_jpeg_file_that_lacks_its_middle_is_damaged_though_pillow_fills_it_with_grey():
    content = encoded("JPEG")
    half = len(content) // 2
    broken = content[:half] + content[-2:]
    Image.open(io.BytesIO(broken)).load()
    assert damage(broken) == "is damaged: part of its JPEG data is missing or wrong"


def test_a_png_file_with_a_changed_byte_is_damaged():
    content = encoded("PNG")
    assert damage(content) is None
    changed = bytearray(content)
    changed[len(content) // 2] ^= 1
    assert damage(bytes(changed)) == "is damaged: part of its PNG data is missing or wrong"


def test_other_files_are_not_judged():
    assert damage(encoded("BMP")) is None
    assert damage(b"") is None
