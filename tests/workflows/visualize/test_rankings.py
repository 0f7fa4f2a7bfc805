import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.workflows.visualize.rankings import Identified, open_identified
from tests.support.people import write_rankings

CURVES = {("conv4", "I"): [50, 75.5], ("all", "I"): [60, 70], ("all", "P"): [60, 90]}
LINES = [("q", 2, "b", "8", "2", 0), ("q", 1, "a", "7", "2", 1)]


@pytest.fixture
def found(tmp_path):
    path = write_rankings(tmp_path / "run", {("conv4", "I"): LINES}, CURVES)
    return Identified(path, "run", "val")


def test_curves_are_read_by_layer_and_source_in_their_order(found):
    assert found.keys == [("conv4", "I"), ("all", "I"), ("all", "P")]
    curve = found.curve(("conv4", "I"))
    assert curve["rank"].tolist() == [1, 2]
    assert curve["percent"].tolist() == [50.0, 75.5]


def test_the_best_feature_finds_most_at_rank_1_and_is_the_first_of_those(found):
    assert found.best == ("all", "I")


def test_layers_are_those_named_of_all_sources_or_the_usual_ones(found):
    assert found.chosen((), [("all", "I")]) == [("all", "I")]
    assert found.chosen(("all", "conv4"), []) == [("all", "I"), ("all", "P"), ("conv4", "I")]
    with pytest.raises(UsageError, match="--layer: no such name: 'conv5' in the runs"):
        found.chosen(("conv5",), [])


def test_a_ranking_is_read_nearest_first(found):
    lines = found.ranking(("conv4", "I"))
    assert lines["id"].tolist() == ["a", "b"]
    assert lines["right"].tolist() == [True, False]
    with pytest.raises(AttncliError, match="holds no ranking by all of P; make them: attncli"):
        found.ranking(("all", "P"))


def test_a_run_that_was_not_evaluated_says_how(tmp_path):
    (one,) = open_identified([tmp_path / "x"], VisualizeConfig(split="train"))
    with pytest.raises(AttncliError) as refused:
        _ = one.curves
    assert str(refused.value) == (
        f"{tmp_path / 'x'}: holds no rankings of split 'train';"
        f" make them: attncli eval {tmp_path / 'x'} --split train"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a CSV table"),
        ("layer,source,rank,percent\n", "holds nothing"),
        ("layer,source,rank\na,I,1\n", "has no column 'percent'"),
        ("layer,source,rank,percent\na,I,1,many\n", "line 2: 'many' is not a number"),
        ("layer,source,rank,percent\na,I,first,5\n", "line 2: 'first' is not a number"),
    ],
)
def test_curves_that_are_none_are_refused(found, text, message):
    (found.directory / "cmc.csv").write_text(text)
    with pytest.raises(AttncliError, match=message):
        _ = found.curves


def test_a_ranking_that_says_neither_right_nor_wrong_is_refused(found):
    path = found.directory / "rankings" / "I" / "conv4.csv"
    path.write_text(path.read_text().replace(",0\n", ",maybe\n").replace(",0\r\n", ",maybe\r\n"))
    with pytest.raises(
        AttncliError, match="line 2: 'maybe' is not true or false; evaluate the run again"
    ):
        found.ranking(("conv4", "I"))
