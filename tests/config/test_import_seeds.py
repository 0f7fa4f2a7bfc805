from pathlib import Path

import pytest

from attncli.config.import_seeds import ImportCall
from attncli.errors import UsageError


def call(**changes):
    return ImportCall(source=Path("out_cam"), data=Path("VOC2012"), **{"kind": "cam", **changes})


def test_pickles_are_not_read_unless_it_is_asked_for():
    assert not call().allow_pickle


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "label-maps", "allow_pickle": True}, "--allow-pickle: is for scores"),
        ({"labels": ""}, "--labels: must not be empty"),
        ({"train_list": ""}, "--train-list: must not be empty"),
        ({"workers": 0}, "--workers: must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        call(**changes)
