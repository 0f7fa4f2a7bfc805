import pytest

from attncli.config.entropy import Measure
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError


def test_the_papers_measure_is_the_default():
    measure = Measure()
    assert (measure.bins, measure.value_range, measure.masks) == (10, "frame", None)


def test_settings_survive_the_way_to_the_file_and_back(tmp_path):
    (tmp_path / "config.toml").write_text(dump(Measure(bins=4, threshold=0.25)))
    assert resolve(Measure, tmp_path / "config.toml") == Measure(bins=4, threshold=0.25)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bins": 1}, r"--bins: must be in \[2, 65536\]"),
        ({"bins": 65537}, r"--bins: must be in \[2, 65536\]"),
        ({"threshold": 1.5}, r"--threshold: must be in \[0, 1\]"),
        ({"threshold": float("nan")}, r"--threshold: must be in \[0, 1\]"),
    ],
)
def test_a_setting_outside_its_range_is_named(changes, message):
    with pytest.raises(UsageError, match=message):
        Measure(**changes)
