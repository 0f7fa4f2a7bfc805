from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.metrics.comparison import mcnemar


def answers(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(True, True)] * both + [(True, False)] * first
    pairs += [(False, True)] * second + [(False, False)] * neither
    table = np.array(pairs, dtype=bool).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def test_the_textbook_case():
    # 2 against 10: P = 2 * (1 + 12 + 66) / 2^12
    found = mcnemar(*answers(40, 2, 10, 5))
    assert (found.only_first, found.only_second) == (2, 10)
    assert found.p == pytest.approx(2 * 79 / 4096)


def test_classifiers_that_agree_everywhere_do_not_differ():
    assert mcnemar(*answers(7, 0, 0, 3)).p == 1.0


@given(st.integers(0, 20), st.integers(0, 20))
def test_p_is_the_two_sided_binomial_tail(first, second):
    n, least = first + second, min(first, second)
    tail = sum(comb(n, k) for k in range(least + 1)) / 2**n
    assert mcnemar(*answers(3, first, second, 2)).p == pytest.approx(min(1.0, 2 * tail))
