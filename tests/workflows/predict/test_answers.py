import numpy as np

from attncli.workflows.predict.answers import Answer, joined


def test_answers_are_joined_in_their_order() -> None:
    maps = np.zeros((1, 2, 3, 3), np.float32)
    parts = [
        Answer(np.array([[0.2, 0.8]], np.float32), ("A", "B"), spatial=maps),
        Answer(np.array([[0.6, 0.4]], np.float32), ("A", "B"), spatial=maps + 1),
    ]
    answer = joined(parts)
    assert answer.predicted == ("B", "A")
    assert answer.spatial[:, 0, 0, 0].tolist() == [0, 1]
    assert answer.temporal is None


def test_an_answer_is_printed_without_its_numbers() -> None:
    answer = Answer(np.full((2, 3), 1 / 3, np.float32), ("a", "b", "c"))
    assert repr(answer) == "Answer(2 of 3 classes: scores (2, 3))"
