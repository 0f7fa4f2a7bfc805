import threading
import time

import pytest

from attncli.data.video.read_ahead import read_ahead


def test_items_come_in_order():
    assert list(read_ahead(range(100), 3)) == list(range(100))
    assert list(read_ahead([], 3)) == []
    assert list(read_ahead([None, None], 1)) == [None, None]


def test_an_error_comes_in_its_place():
    def items():
        yield 1
        raise ValueError("broken")

    reader = read_ahead(items(), 3)
    assert next(reader) == 1
    with pytest.raises(ValueError, match="broken"):
        next(reader)


def test_no_more_than_depth_are_made_ahead():
    made = []
    reader = read_ahead((made.append(i) or i for i in range(100)), 4)
    assert next(reader) == 0
    time.sleep(0.3)
    assert len(made) <= 1 + 4 + 1  # taken, waiting, and the one that waits for a place
    reader.close()


def test_closing_ends_the_thread():
    before = threading.active_count()
    reader = read_ahead(iter(int, 1), 2)
    next(reader)
    reader.close()
    assert threading.active_count() == before
