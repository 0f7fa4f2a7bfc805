import re
import zlib

import pytest
from PIL import Image

from attncli.visualization.clips import HeatStyle
from attncli.visualization.comparison import draw_comparison
from attncli.visualization.saving import save_figure


def test_a_png_has_the_figures_size_in_pixels(make_clip, tmp_path):
    figure = draw_comparison([make_clip()], ["a", "b"], style=HeatStyle(), width_in=4.0, dpi=120)
    save_figure(figure, tmp_path / "fig2.png")
    with Image.open(tmp_path / "fig2.png") as image:
        assert image.size == pytest.approx(figure.get_size_inches() * 120, abs=1)
        assert image.size[0] == pytest.approx(480, abs=1)
        assert image.info["dpi"] == pytest.approx((120, 120), abs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["fig2.png"]


def test_text_in_a_pdf_is_text_in_truetype(make_clip, tmp_path):
    figure = draw_comparison([make_clip()], ["abn", "obj_abn"], style=HeatStyle(), dpi=50)
    save_figure(figure, tmp_path / "fig2.pdf")
    content = (tmp_path / "fig2.pdf").read_bytes()
    assert b"/Subtype /Type42" in content or b"/FontFile2" in content
    assert b"/Type3" not in content
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    pages = [text for text in map(inflated, streams) if b"BT" in text]
    letters = [re.sub(rb"\) -?[\d.]+\s\(", b"", page).replace(b"\0", b"") for page in pages]
    assert any(b"obj_abn" in text for text in letters)


def test_a_png_has_its_colours_in_full(make_clip, tmp_path):
    clip = make_clip(size_hw=(64, 64))
    save_figure(draw_comparison([clip], ["a", "b"], style=HeatStyle()), tmp_path / "fig2.png")
    with Image.open(tmp_path / "fig2.png") as image:
        assert image.mode in ("RGB", "RGBA")
        assert len(image.convert("RGB").getcolors(2**24)) > 2000  # a palette has 256


def inflated(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_the_same_figure_gives_the_same_bytes(make_clip, tmp_path, suffix):
    for name in ("one", "two"):
        figure = draw_comparison([make_clip()], ["a", "b"], style=HeatStyle(), dpi=50)
        save_figure(figure, tmp_path / f"{name}{suffix}")
    one, two = (tmp_path / f"{name}{suffix}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_figure_that_cannot_be_written_leaves_the_one_before(make_clip, tmp_path, monkeypatch):
    figure = draw_comparison([make_clip(1)], ["a"], style=HeatStyle(), dpi=50)
    path = tmp_path / "fig2.png"
    path.write_bytes(b"before")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="No space left"):
        save_figure(figure, path)
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["fig2.png"]
