from pathlib import Path

import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import UsageError

OF_CLIPS = {
    "--clips": {"clips": 2},
    "--id": {"ids": ("A/1",)},
    "--order": {"order": "first"},
    "--masks": {"masks": Path("m")},
    "--edits": {"edits": Path("e")},
}


@pytest.mark.parametrize("flag", OF_CLIPS)
def test_options_about_clips_do_not_go_with_classes(flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}: is about single clips; omit --by"):
        VisualizeConfig(by_class=True, **OF_CLIPS[flag])


@pytest.mark.parametrize("flag", sorted(OF_CLIPS.keys() - {"--id"}))
def test_options_about_clips_do_not_go_with_the_apex(flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}: is about single clips; omit --a"):
        VisualizeConfig(apex=True, **OF_CLIPS[flag])


def test_the_apex_of_a_certain_sequence_can_be_asked_for() -> None:
    assert VisualizeConfig(apex=True, ids=("S005/001",)).ids == ("S005/001",)


def test_there_is_one_layout() -> None:
    with pytest.raises(UsageError, match="--by-class and --apex: exclude each other"):
        VisualizeConfig(by_class=True, apex=True)


@pytest.mark.parametrize("more", [{"clips": 2}, {"classes": ("A",)}, {"order": "first"}])
def test_ids_leave_no_other_choice(more: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="--id: chooses the clips by itself"):
        VisualizeConfig(ids=("A/1",), **more)


@pytest.mark.parametrize(
    ("out", "format_", "is_video"),
    [("a.mp4", None, True), ("a.png", "mp4", True), ("a.MOV", None, True), ("a.mp4", "pdf", False)],
)
def test_the_format_goes_before_the_suffix(out: str, format_: str | None, is_video: bool) -> None:
    assert VisualizeConfig(out=Path(out), format=format_).is_video == is_video


@pytest.mark.parametrize(
    ("name", "bad", "flag"),
    [
        ("clips", 0, "--clips"),
        ("opacity", 1.5, "--opacity"),
        ("opacity", float("nan"), "--opacity"),
        ("frames", 0, "--frames"),
        ("width_in", 1.5, "--width-in"),
        ("dpi", 1201, "--dpi"),
        ("seed", -1, "--seed"),
        ("font_size", 3.0, "--font-size"),
    ],
)
def test_a_number_out_of_range_is_named(name: str, bad: float, flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}: must be"):
        VisualizeConfig(**{name: bad})


@pytest.mark.parametrize("layout", ["by_class", "apex", "errors", "contact_sheet"])
def test_a_figure_of_features_is_no_other_layout(layout: str) -> None:
    flag = f"--{layout.replace('_', '-')}"
    with pytest.raises(UsageError, match=f"--show and {flag}: exclude each other"):
        VisualizeConfig(show="maps", **{layout: True})


def test_a_class_of_a_source_is_about_maps() -> None:
    assert VisualizeConfig(source_classes=("I=3",), ids=("a",)).show is None
    with pytest.raises(UsageError, match="--source-class: is about the maps of a class"):
        VisualizeConfig(source_classes=("3",), show="mean-maps")


def test_a_layer_is_about_figures_of_peoples_features() -> None:
    assert VisualizeConfig(layers=("conv5",), show="cmc").layers == ("conv5",)
    assert VisualizeConfig(layers=("conv5",)).show is None
    with pytest.raises(UsageError, match="--layer: is about people's features; choose --show"):
        VisualizeConfig(layers=("conv5",), show="table")


def test_a_figure_is_laid_out_for_the_size_of_its_text() -> None:
    assert VisualizeConfig().layout_in == 7
    assert VisualizeConfig(font_size=13.0).layout_in == 3.5
    with pytest.raises(UsageError, match=r"--font-size: is too large for a figure 3.25 in wide"):
        VisualizeConfig(width_in=3.25, font_size=13.0)
