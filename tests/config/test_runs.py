from pathlib import Path

import pytest

from attncli.config.fields import settings
from attncli.config.runs import RunsCall, SplitCall


def test_runs_have_to_be_named_and_figures_are_of_the_validation_split():
    with pytest.raises(TypeError, match="runs"):
        RunsCall()
    assert SplitCall(runs=(Path("a"), Path("b"))).split == "val"


def test_runs_are_words_and_the_split_is_an_option():
    is_argument = {name: found.option.is_argument for name, found in settings(SplitCall).items()}
    assert is_argument == {"runs": True, "split": False}
