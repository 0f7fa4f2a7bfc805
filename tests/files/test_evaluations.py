import json

import pytest

from attncli.errors import AttncliError
from attncli.files.evaluations import MADE, is_made_from, write_made


@pytest.fixture
def evaluation(tmp_path):
    (tmp_path / "attention").mkdir()
    (tmp_path / "attention" / "clips.csv").write_text("row\n0\n")
    (tmp_path / "metrics.json").write_text("{}")
    write_made(tmp_path, "abc")
    return tmp_path


def test_an_evaluation_is_known_by_what_it_was_made_from(evaluation):
    assert is_made_from(evaluation, "abc")
    assert not is_made_from(evaluation, "abd")


def test_what_others_put_beside_it_changes_nothing(evaluation):
    (evaluation / "entropy.csv").write_text("id\n")
    assert is_made_from(evaluation, "abc")


@pytest.mark.parametrize("loss", ["gone", "shorter"])
def test_without_one_of_its_files_it_is_none(evaluation, loss):
    path = evaluation / "attention" / "clips.csv"
    path.unlink() if loss == "gone" else path.write_text("row\n")
    assert not is_made_from(evaluation, "abc")


def test_evaluations_of_earlier_versions_say_nothing(tmp_path):
    assert not is_made_from(tmp_path, "abc")


def test_one_of_another_format_is_made_anew(evaluation):
    content = json.loads((evaluation / MADE).read_text())
    (evaluation / MADE).write_text(json.dumps(content | {"format_version": 2}))
    assert not is_made_from(evaluation, "abc")


@pytest.mark.parametrize("text", ["{", "[]", '{"bytes": 3}'])
def test_a_damaged_one_is_named(evaluation, text):
    (evaluation / MADE).write_text(text)
    with pytest.raises(AttncliError, match=r"made\.json"):
        is_made_from(evaluation, "abc")
