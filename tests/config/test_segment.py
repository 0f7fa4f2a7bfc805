import pytest

from attncli.config.segment import SegmentConfig
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError


def test_settings_survive_the_way_to_the_file_and_back(tmp_path):
    settings = SegmentConfig(backend="motion", classes=("a", "b, c"), min_area_px=9)
    (tmp_path / "config.toml").write_text(dump(settings))
    assert resolve(SegmentConfig, tmp_path / "config.toml") == settings


@pytest.mark.parametrize(
    ("name", "good", "bad", "flag"),
    [
        ("score_threshold", 1.0, 1.1, "--score-threshold"),
        ("min_area_px", 0, -1, "--min-area-px"),
        ("frame_stride", 1, 0, "--frame-stride"),
        ("short_side_px", 16, 15, "--short-side-px"),
    ],
)
def test_a_setting_outside_its_range_is_named(name, good, bad, flag):
    assert getattr(SegmentConfig(**{name: good}), name) == good
    with pytest.raises(UsageError, match=f"{flag}: must be"):
        SegmentConfig(**{name: bad})
