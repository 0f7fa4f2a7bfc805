import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attncli.config.object_abn import AbnConfig
from attncli.errors import UsageError
from attncli.files.runs import Run, RunDirectory
from attncli.workflows.runs.settings import planned, require_same_settings, values
from tests.support.networks import build
from tests.support.settings import tiny


def run_of(method: str = "abn", classes: tuple[str, ...] = ("Hop", "Run"), **changes: Any) -> Run:
    return Run(RunDirectory(Path("runs/a")), method, tiny(method, **changes), classes)


def test_settings_are_given_by_their_names() -> None:
    config = tiny("abn", lr=0.5)
    found = values(config)
    assert (found["lr"], found["frames"], found["data"]) == (0.5, 4, Path("data"))
    assert AbnConfig(**found) == config


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"epochs": 3},
        {"workers": 2},
        {"device": "cuda:1"},
        {"checkpoint_every": 10},
        {"epochs": 3, "schedule": "step", "milestones": (2,)},
    ],
)
def test_a_run_goes_on_with_what_leaves_its_weights_alone(change: dict[str, Any]) -> None:
    schedule = {name: change[name] for name in ("schedule", "milestones") if name in change}
    require_same_settings(run_of(**schedule), run_of(**change))


def test_the_length_of_a_cosine_cannot_be_changed() -> None:
    begun, wanted = (run_of(schedule="cosine", epochs=epochs) for epochs in (4, 5))
    with pytest.raises(UsageError, match=r"begun with other settings: --epochs; "):
        require_same_settings(begun, wanted)
    require_same_settings(begun, begun)


def test_all_that_differs_is_named_by_its_option_in_one_line() -> None:
    begun, wanted = run_of(lr=0.1, batch_size=3), run_of(lr=0.2, batch_size=6, epochs=9)
    with pytest.raises(UsageError) as refused:
        require_same_settings(begun, wanted)
    assert str(refused.value) == (
        "runs/a: this run was begun with other settings: --batch-size, --lr;"
        " leave them as in its config.toml, or give another --out"
    )


def test_another_method_and_other_classes_are_named_last() -> None:
    begun, wanted = run_of("x3d"), run_of("abn", ("Hop", "Walk"), lr=0.3)
    with pytest.raises(UsageError, match=r"--lr.*, the method, the dataset's classes; leave"):
        require_same_settings(begun, wanted)
    turned = replace(begun, classes=begun.classes[::-1])  # scores would mean other classes
    with pytest.raises(UsageError, match=r"other settings: the dataset's classes; "):
        require_same_settings(begun, turned)


def test_a_plan_counts_the_parameters_that_the_network_will_have() -> None:
    run = run_of("x3d", ("Hop", "Run", "Walk"))
    (plan,) = planned(run, {"clips": 7})
    weights = [*build("x3d", run.config, 3).model.parameters()]
    assert plan["parameters"] == sum(weight.numel() for weight in weights)
    assert plan["trained_parameters"] == plan["parameters"]
    (more,) = planned(run_of("x3d", ("Hop", "Run")), {})
    assert int(plan["parameters"]) > int(more["parameters"])  # a class has weights of its own


def test_parameters_that_stay_as_they_are_do_not_count_as_trained() -> None:
    (plan,) = planned(run_of("cam"), {})
    weights = [*build("cam", tiny("cam"), 2).model.parameters()]
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    assert plan["trained_parameters"] == trained < plan["parameters"]  # normalisations are kept


def test_a_plan_has_facts_first_and_then_settings_as_text_or_numbers() -> None:
    (plan,) = planned(run_of("x3d"), {"layout": "ucf101", "train_clips": 7})
    assert list(plan)[:7] == [
        *("method", "out", "classes", "layout", "train_clips"),
        *("parameters", "trained_parameters"),
    ]
    assert all(re.fullmatch("[a-z][a-z0-9_]*", key) for key in plan)
    assert (plan["method"], plan["out"], plan["classes"]) == ("x3d", "runs/a", 2)
    assert plan["layout"] == "ucf101"  # what `auto` was found to be
    assert (plan["data"], plan["milestones"], plan["clip_grad_norm"]) == ("data", "", None)


def test_a_plan_fetches_no_published_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: Any, **__: Any) -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", fetch)
    monkeypatch.setattr("torch.hub.download_url_to_file", fetch)
    (plan,) = planned(run_of("cam", weights="imagenet"), {})
    assert plan["weights"] == "imagenet"  # those that the training begins with
