from pathlib import Path

import pytest

from attncli.config.evaluate import AskCall, EvaluateCall, Views
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


def test_views_given_are_those_asked_for_otherwise():
    assert EvaluateCall(runs=RUNS).views == {}
    call = EvaluateCall(runs=RUNS, scales=(0.5, 1.0), flip=False, compat_reference=True)
    assert call.views == {"scales": (0.5, 1.0), "flip": False, "compat_reference": True}


@pytest.mark.parametrize("scales", [(), (0.0,), (1.0, -1.0)])
def test_an_image_is_looked_at_in_some_size(scales):
    with pytest.raises(UsageError, match=r"^--scales"):
        Views(scales=scales)


def test_scales_are_within_reason():
    with pytest.raises(UsageError, match=r"^--scales: must be in \[0.1, 4\]"):
        EvaluateCall(runs=RUNS, scales=(1.0, 40.0))


@pytest.mark.parametrize("way", [{"background_power": 16.0}, {"background_score": 0.2}])
def test_the_background_is_scored_in_one_way(way):
    assert EvaluateCall(runs=RUNS, **way).about_seeds
    with pytest.raises(UsageError, match="exclude each other"):
        EvaluateCall(runs=RUNS, background_oracle=True, **way)


def test_what_is_packed_is_one_run_on_the_test_images():
    pack = {"split": "test", "pack": Path("a.tgz")}
    assert EvaluateCall(runs=RUNS, **pack).competition == "comp6"
    for wrong in ({"split": "val"}, {"runs": (Path("a"), Path("b"))}, {"pack": Path("a.zip")}):
        with pytest.raises(UsageError, match=r"^--pack"):
            EvaluateCall(**{"runs": RUNS} | pack | wrong)


def test_how_people_are_ranked_is_told_by_two_options():
    assert EvaluateCall(runs=RUNS).about_people == ()
    call = EvaluateCall(runs=RUNS, unmatched="zero", multi_query=True)
    assert call.about_people == ("--unmatched", "--multi-query")
