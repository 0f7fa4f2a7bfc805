from pathlib import Path

import pytest

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump, resolve
from attncli.errors import UsageError


def test_the_papers_rule_is_the_default() -> None:
    settings = SelectConfig(run=Path("run"))
    assert (settings.below_percent, settings.weakest_classes, settings.split) == (50, None, "train")


def test_settings_survive_the_way_to_the_file_and_back(tmp_path: Path) -> None:
    settings = SelectConfig(run=Path("/run"), weakest_classes=8, max_clips=20)
    (tmp_path / "config.toml").write_text(dump(settings))
    assert resolve(SelectConfig, tmp_path / "config.toml") == settings


def test_there_is_one_way_to_choose_classes() -> None:
    message = "--weakest-classes and --below-percent: exclude each other"
    with pytest.raises(UsageError, match=message):
        SelectConfig(run=Path("run"), weakest_classes=8, below_percent=30.0)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"below_percent": 0.0}, "--below-percent"),
        ({"below_percent": 101.0}, "--below-percent"),
        ({"below_percent": float("nan")}, "--below-percent"),
        ({"weakest_classes": 0}, "--weakest-classes"),
        ({"max_clips": 0}, "--max-clips"),
    ],
)
def test_settings_that_choose_nothing_are_refused(changes: dict[str, float], option: str) -> None:
    with pytest.raises(UsageError, match=option):
        SelectConfig(run=Path("run"), **changes)
