import json
from itertools import chain

import pytest

from attncli.workflows.demo.ssdd import BIASES, SsddDemo

TINY = (
    *("--backbone", "shufflenet_v2_x0_5", "--output-stride", "8", "--no-freeze-norms"),
    *("--freeze-stages", "0", "--crop-px", "64"),
    *("--workers", "0", "--device", "cpu"),
)
SYSTEMS = [
    *("cam", "psa", "psa+crf", "static"),
    *("segmentation-psa", "segmentation-static", "dynamic"),
]


def planned(demo: SsddDemo) -> list[list[str]]:
    return list(chain.from_iterable(demo.stages()))


def given(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def without(command: list[str], *options: str) -> list[str]:
    """What a training is told besides some options and where to write."""
    left = command[2 : command.index("-o")]
    for option in options:
        del left[left.index(option) : left.index(option) + 2]
    return left


def test_the_plan_is_the_papers_pipeline_in_order(run_cli, tmp_path):
    answer = run_cli("demo", "ssdd", "-o", tmp_path / "d", "--dry-run", "--json")
    commands = [row["command"].split()[1:3] for row in json.loads(answer.stdout)]
    assert answer.exit_code == 0
    assert not (tmp_path / "d").exists()
    named = [
        " ".join(words) if words[0] in ("train", "refine-seeds") else words[0] for words in commands
    ]
    assert named == [
        *("toy-data", "toy-data", "train cam", "train cam", "eval", "eval"),
        *("train psa", "refine-seeds psa", "refine-seeds crf"),
        *("train ssdd", "train segmentation", "refine-seeds ssdd"),
        *("train ssdd-dynamic", "train segmentation", "eval", "eval", "visualize", "visualize"),
    ]


def test_what_the_dynamic_method_is_compared_with_is_trained_as_long_and_as_fast(tmp_path):
    calls = planned(SsddDemo(out=tmp_path))
    of_psa, of_static = (c for c in calls if c[:2] == ["train", "segmentation"])
    (dynamic,) = (c for c in calls if c[:2] == ["train", "ssdd-dynamic"])
    assert without(of_psa, "--seeds") == without(of_static, "--seeds")
    assert given(of_static, "--seeds") == given(dynamic, "--seeds")
    of_dynamic = ("--difference-width", "--difference-rate", "--segmentation-epochs")
    assert without(dynamic, *of_dynamic) == without(of_static)


def test_static_ssdd_refines_the_pair_that_it_learnt_from_with_the_papers_biases(tmp_path):
    calls = planned(SsddDemo(out=tmp_path))
    (learnt,) = (c for c in calls if c[:2] == ["train", "ssdd"])
    (refined,) = (c for c in calls if c[:2] == ["refine-seeds", "ssdd"])
    for option, name in (("--knowledge", "psa"), ("--advice", "psa_crf")):
        assert given(learnt, option) == given(refined, option)
        assert given(learnt, option).endswith(f"seeds/seed0/{name}")
    assert BIASES == ("--advice-bias", "0.1", "--background-bias", "0.1")
    assert all(word in refined for word in BIASES)


def test_pretraining_sees_other_and_more_images(tmp_path):
    data, (pretraining,), *_ = SsddDemo(out=tmp_path).stages()
    told = {call[2]: (given(call, "--seed"), given(call, "--size")) for call in data}
    assert told == {
        str(tmp_path / "pretraining"): ("1", "480"),
        str(tmp_path / "voc2012"): ("0", "160"),
    }
    assert given(pretraining, "--data") == str(tmp_path / "pretraining")
    assert given(data[1], "--more-val") == "96"


def test_every_seed_has_a_chain_of_its_own(tmp_path):
    demo = SsddDemo(out=tmp_path, seeds=2)
    places = [given(call, "-o") for call in planned(demo) if call[0] in ("train", "refine-seeds")]
    assert len(set(places)) == len(places) == 1 + 2 * 9
    of_first = [place for place in places if "seed0" in place]
    assert [place.replace("seed0", "seed1") for place in of_first] == [
        place for place in places if "seed1" in place
    ]
    for call in planned(demo):
        if call[0] == "refine-seeds":
            assert len({word for seed in range(2) for word in call if f"seed{seed}" in word}) > 1
            assert sum(any(f"seed{seed}" in word for word in call) for seed in range(2)) == 1


def test_mean_ious_are_called_after_what_they_are_of(tmp_path):
    demo = SsddDemo(out=tmp_path)
    assert demo.figures_of({"split": "train", "miou": 50.0})["seed_miou"] == 50.0
    assert demo.figures_of({"split": "val", "miou": 60.0})["val_miou"] == 60.0
    assert demo.figures_of({"split": "train", "map": 70.0})["seed_miou"] is None


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_the_whole_pipeline_runs_and_ends_with_the_papers_tables(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("attncli.workflows.demo.ssdd.NETWORK", TINY)
    monkeypatch.setattr("attncli.workflows.demo.ssdd.IMAGE_PX", 64)
    sizes = ("--size", "10", "--pretraining-epochs", "1", "--epochs", "2")
    answer = run_cli("demo", "ssdd", "-o", tmp_path / "d", *sizes, "--json")
    assert answer.exit_code == 0, answer.stderr
    rows = {row["system"]: row for row in json.loads(answer.stdout)}
    assert list(rows) == SYSTEMS
    for name, row in rows.items():
        figure, other = ("seed_miou", "val_miou")[:: 1 if SYSTEMS.index(name) < 4 else -1]
        assert 0 <= row[figure] <= 100
        assert row[other] is None
    published = [row["published_seed_miou"] or row["published_val_miou"] for row in rows.values()]
    assert published == [None, 52.5, 48.0, 53.4, 58.4, 61.4, 64.7]
    assert (tmp_path / "d" / "seeds.png").exists()
    assert (tmp_path / "d" / "networks.png").exists()
