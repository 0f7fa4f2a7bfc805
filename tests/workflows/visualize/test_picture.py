from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Silent
from attncli.visualization.clips import HeatStyle
from attncli.visualization.selection import Wish
from attncli.workflows.visualize.picture import Picture, figure_of, style_of, wish_of


def test_what_belongs_to_a_picture_has_its_name():
    picture = Picture(Path("out/fig2.png"))
    assert picture.table == Path("out/fig2.csv")
    assert picture.failures == Path("out/fig2.failures.jsonl")


def test_a_picture_or_a_table_that_is_there_may_not_go_unless_it_is_said(tmp_path):
    picture = Picture(tmp_path / "fig2.png")
    picture.claim()
    write(picture, 1.5)
    assert picture.table.read_text() == "id,entropy\na,1.5\n"
    for dry_run in (False, True):
        with pytest.raises(AttncliError, match="exists already"):
            picture.claim(dry_run=dry_run)
    picture.path.unlink()
    with pytest.raises(AttncliError, match=r"fig2\.csv: exists already"):
        picture.claim()
    Picture(picture.path, overwrite=True).claim()


@pytest.mark.parametrize("name", ["fig2.pdf", "fig2.mp4"])
def test_a_second_format_shares_a_table_that_says_the_same(tmp_path, name):
    write(Picture(tmp_path / "fig2.png"), 1.5)
    second = Picture(tmp_path / name)
    second.claim()
    with pytest.raises(AttncliError, match=r"fig2\.csv: exists already"):
        write(second, 2.5)
    assert not second.path.exists()
    write(second, 1.5)
    assert second.path.exists()
    write(Picture(tmp_path / name, overwrite=True), 2.5)
    assert second.table.read_text() == "id,entropy\na,2.5\n"


def write(picture, bits):
    table = pd.DataFrame({"id": ["a"], "entropy": [bits]})
    picture.write(lambda path: path.write_bytes(b"a picture"), table, ["a"], Silent())


def test_a_figure_is_saved_with_its_table(tmp_path):
    picture = Picture(tmp_path / "fig2.png")
    picture.save(Figure(figsize=(1, 1)), pd.DataFrame({"id": ["a"]}), ["a"], Silent())
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    assert picture.table.read_text() == "id\na\n"


def test_a_figure_needs_a_suffix_and_a_colour_map_there_are():
    assert figure_of(VisualizeConfig(out=Path("a.mp4"), format="pdf")).path == Path("a.pdf")
    with pytest.raises(UsageError, match=r"must end in \.png or \.pdf"):
        figure_of(VisualizeConfig(out=Path("a.mp4")))
    with pytest.raises(UsageError, match="jett"):
        figure_of(VisualizeConfig(colormap="jett"))


def test_four_random_clips_are_shown_and_one_in_a_video_unless_more_are_asked_for():
    assert wish_of(VisualizeConfig()) == Wish(order="random", clips=4, seed=0)
    video = {"out": Path("a.mp4"), "classes": ("A",), "seed": 3}
    assert wish_of(VisualizeConfig(**video)) == Wish(labels=("A",), clips=1, seed=3)
    assert wish_of(VisualizeConfig(**video, clips=3)).clips == 3


def test_colours_are_as_the_settings_say():
    assert style_of(VisualizeConfig()) == HeatStyle()
    found = style_of(VisualizeConfig(value_range="clip", colormap="gray", opacity=0.25))
    assert found == HeatStyle(value_range="clip", colormap="gray", opacity=0.25)
