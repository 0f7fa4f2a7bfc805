import numpy as np

from attncli.metrics.confusion import confusion, row_percent


def test_rows_are_true_classes_and_columns_what_they_were_taken_for():
    counts = confusion(np.array([0, 0, 0, 2]), np.array([0, 1, 1, 0]), n_classes=4)
    assert counts.tolist() == [[1, 2, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_percent_is_of_each_row_and_unknown_where_a_row_is_empty():
    percent = row_percent(np.array([[1, 3], [0, 0]]))
    np.testing.assert_array_equal(percent, [[25.0, 75.0], [np.nan, np.nan]])


def test_counts_are_left_as_they_were():
    counts = np.array([[2, 0], [1, 1]])
    row_percent(counts)
    assert counts.tolist() == [[2, 0], [1, 1]]
