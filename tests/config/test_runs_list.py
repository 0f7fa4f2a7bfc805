from pathlib import Path

import pytest

from attncli.config.fields import settings
from attncli.config.runs_list import RunsListCall


def test_runs_are_looked_for_where_training_puts_them() -> None:
    assert RunsListCall().directories == (Path("runs"),)


@pytest.mark.parametrize("name", ["directories", "split", "sort"])
def test_every_setting_can_be_left_out(name: str) -> None:
    assert not settings(RunsListCall)[name].is_required
