import pytest

from attncli.config.crf import CrfConfig
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError


def test_the_defaults_are_the_papers() -> None:
    config = CrfConfig()
    assert (config.crf_iterations, config.gaussian_px, config.gaussian_weight) == (10, 3, 3)
    assert (config.bilateral_px, config.bilateral_color, config.bilateral_weight) == (80, 13, 10)


def test_settings_survive_the_way_to_the_file_and_back(tmp_path) -> None:
    settings = CrfConfig(crf_iterations=0, gaussian_px=1.5, crf_backend="torch")
    (tmp_path / "config.toml").write_text(dump(settings))
    assert resolve(CrfConfig, tmp_path / "config.toml") == settings


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("crf_iterations", 0, -1),
        ("gaussian_px", 0.1, 0.0),
        ("gaussian_weight", 0.0, -1.0),
        ("bilateral_px", 0.1, 0.0),
        ("bilateral_color", 0.1, float("inf")),
        ("bilateral_weight", 0.0, float("nan")),
    ],
)
def test_a_setting_outside_its_range_is_named(name, good, bad) -> None:
    assert getattr(CrfConfig(**{name: good}), name) == good
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must be"):
        CrfConfig(**{name: bad})
