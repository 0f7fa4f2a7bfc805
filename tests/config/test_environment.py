from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from attncli.catalog import load, method
from attncli.config.demo import DemoConfig
from attncli.config.environment import (
    from_environment,
    misspelt,
    variable_of,
    without_settings,
)
from attncli.config.fields import ARGUMENT, Option, settings
from attncli.config.toy_data import ToyDataConfig
from attncli.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Settings of every sort."""

    data: Annotated[Path, ARGUMENT] = Path("d")
    """Dataset."""
    out: Path = Path("o")
    """Place."""
    masks: Path | None = None
    """Masks."""
    batch_size: int = 1
    """Samples."""
    lr: float = 0.1
    """Rate."""
    compile: bool = False
    """Compile."""
    order: Literal["first", "last"] = "first"
    """Which come first."""
    widths: tuple[int, ...] = ()
    """Channels."""
    ids: Annotated[tuple[str, ...], Option(flag="--id", is_repeated=True)] = ()
    """Clips."""


def test_variables_give_settings_of_every_type():
    found = from_environment(
        Looks,
        {
            "ATTNCLI_MASKS": "m",
            "ATTNCLI_BATCH_SIZE": " 8 ",
            "ATTNCLI_LR": "1e-3",
            "ATTNCLI_COMPILE": "Yes",
            "ATTNCLI_ORDER": "last",
            "ATTNCLI_WIDTHS": "8, 16",
            "ATTNCLI_ID": "a,b",
        },
    )
    assert found == {
        "masks": Path("m"),
        "batch_size": 8,
        "lr": 0.001,
        "compile": True,
        "order": "last",
        "widths": (8, 16),
        "ids": ("a", "b"),
    }


def test_what_is_empty_or_unset_or_about_one_call_alone_says_nothing():
    others = {"ATTNCLI_LR": "", "ATTNCLI_DATA": "x", "ATTNCLI_OUT": "y", "LR": "3"}
    assert from_environment(Looks, others) == {}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ATTNCLI_BATCH_SIZE", "x", "ATTNCLI_BATCH_SIZE: must be an integer, not 'x'"),
        ("ATTNCLI_LR", "much", "ATTNCLI_LR: must be a number, not 'much'"),
        ("ATTNCLI_COMPILE", "maybe", "ATTNCLI_COMPILE: must be true or false, not 'maybe'"),
        ("ATTNCLI_ORDER", "random", "ATTNCLI_ORDER: must be first or last, not 'random'"),
        ("ATTNCLI_WIDTHS", "8,x", "ATTNCLI_WIDTHS: must be a list of an integer, not '8,x'"),
    ],
)
def test_what_is_no_such_value_is_refused_by_the_name_of_the_variable(name, value, message):
    with pytest.raises(UsageError) as refusal:
        from_environment(Looks, {name: value})
    assert str(refusal.value) == message


def test_a_variable_is_named_as_the_option():
    assert variable_of(settings(Looks)["ids"]) == "ATTNCLI_ID"
    assert variable_of(settings(Looks)["batch_size"]) == "ATTNCLI_BATCH_SIZE"


def test_a_call_that_is_told_everything_hears_none_of_them():
    assert without_settings({"ATTNCLI_LR": "1", "HOME": "/h"}) == {"HOME": "/h"}


def test_a_list_that_holds_nothing_is_refused():
    with pytest.raises(UsageError, match=r"^ATTNCLI_WIDTHS: ',' holds no value$"):
        from_environment(Looks, {"ATTNCLI_WIDTHS": ","})


def test_settings_of_toy_data_are_typed_alone():
    assert from_environment(ToyDataConfig, {"ATTNCLI_FRAMES": "4", "ATTNCLI_SEED": "1"}) == {}
    assert from_environment(DemoConfig, {"ATTNCLI_EPOCHS": "1"}) == {}


def test_a_variable_that_all_but_is_one_is_found_unless_another_training_has_it():
    heard = {"ATTNCLI_EPOCH": "3", "ATTNCLI_SEEDS": "d", "ATTNCLI_OTHER": "1", "EPOCH": "1"}
    assert misspelt([load(method("x3d").config)], heard) == {"ATTNCLI_EPOCH": "ATTNCLI_EPOCHS"}
    assert misspelt([DemoConfig], heard) == {}
