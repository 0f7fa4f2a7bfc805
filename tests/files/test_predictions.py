from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.errors import AttncliError
from attncli.files.predictions import (
    Predictions,
    read_answers,
    read_predictions,
    write_predictions,
)

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    classes=st.lists(NAMES | st.sampled_from(["id", "NA"]), min_size=1, max_size=5),
    answers=st.lists(st.tuples(NAMES, NAMES | st.just(""), NAMES), max_size=5),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_written_is_read_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory,
    classes: list[str],
    answers: list[tuple[str, str, str]],
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("eval") / "predictions.csv"
    shape = (len(answers), len(classes))
    probabilities = np.random.default_rng(seed).random(shape, dtype=np.float32)
    ids, labels, predicted = ([answer[i] for answer in answers] for i in range(3))
    write_predictions(path, Predictions(ids, labels, predicted, classes, probabilities))
    found = read_predictions(path)
    assert (found.ids, found.labels, found.predicted) == (ids, labels, predicted)
    assert found.classes == classes
    np.testing.assert_array_equal(found.probabilities, probabilities)
    assert [tuple(row) for row in read_answers(path).to_numpy()] == answers


def test_a_line_reads_as_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    probabilities = np.array([[0.25, 0.75]], dtype=np.float32)
    write_predictions(path, Predictions(["A/1"], [""], ["B"], ["A", "B"], probabilities))
    assert path.read_text() == "id,label,predicted,A,B\nA/1,,B,0.25,0.75\n"


@pytest.mark.parametrize("text", ["", "a,b\n", "id,label,predicted,A\nx,A,A,much\n"])
def test_other_tables_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(AttncliError, match=r"predictions\.csv: "):
        read_predictions(tmp_path / "predictions.csv")


@pytest.mark.parametrize("text", ["", "a,b\n", "a,b,c\n1,2,3\n"])
def test_answers_are_not_read_from_other_tables(tmp_path: Path, text: str) -> None:
    (tmp_path / "predictions.csv").write_text(text)
    with pytest.raises(AttncliError, match=r"predictions\.csv: "):
        read_answers(tmp_path / "predictions.csv")
