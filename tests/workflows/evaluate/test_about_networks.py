from pathlib import Path

import pytest

from attncli.config.evaluate import EvaluateCall
from attncli.errors import UsageError
from attncli.workflows.evaluate.about_networks import refuse_what_is_about_networks

RUNS = (Path("r"),)


def test_what_features_answer_is_let_through():
    refuse_what_is_about_networks(EvaluateCall(runs=RUNS, split="train", multi_query=True))


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        ({"split": "test"}, "--split test"),
        ({"checkpoint": "best"}, "--checkpoint"),
        ({"batch_size": 3}, "--batch-size"),
        ({"precision": "fp32"}, "--precision"),
        ({"frames": 3}, "--frames"),
        ({"temporal_edits": Path("e")}, "--temporal-edits"),
        ({"scales": (1.0,)}, "--scales"),
        ({"compat_reference": True}, "--compat-reference"),
    ],
)
def test_what_networks_answer_is_refused(settings, flag):
    with pytest.raises(UsageError, match=f"^{flag}: is about networks, .*; leave it out"):
        refuse_what_is_about_networks(EvaluateCall(runs=RUNS, **settings))
