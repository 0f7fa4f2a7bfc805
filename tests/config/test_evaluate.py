from pathlib import Path

import pytest

from attncli.config.evaluate import AskCall, EvaluateCall
from attncli.errors import UsageError

RUNS = (Path("a"),)


def test_the_last_weights_answer_about_the_runs_own_data_as_it_was_trained():
    call = EvaluateCall(runs=RUNS)
    assert (call.checkpoint, call.split) == ("last", "val")
    own = (call.data, call.workers, call.precision, call.frames, call.temporal_edits)
    assert own == (None,) * 5


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"batch_size": 0}, "--batch-size"),
        ({"workers": -1}, "--workers"),
    ],
)
def test_networks_cannot_be_asked_so(changes, option):
    with pytest.raises(UsageError, match=f"^{option}: must be"):
        AskCall(runs=RUNS, **changes)


def test_a_clip_has_a_frame():
    with pytest.raises(UsageError, match=r"^--frames: must be"):
        EvaluateCall(runs=RUNS, frames=0)
    assert EvaluateCall(runs=RUNS, frames=1, workers=0).frames == 1
