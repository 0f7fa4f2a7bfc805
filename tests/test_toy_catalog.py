import pytest

from attncli.catalog import load
from attncli.toy_catalog import TOY_DATA, toy_data


@pytest.mark.parametrize("row", TOY_DATA, ids=lambda row: row.name)
def test_each_dataset_is_found_by_its_name_and_can_be_made(row) -> None:
    assert toy_data(row.name) is row
    assert callable(load(row.make))
    assert callable(load(row.count))
    assert row.fewest_frames is None or load(row.fewest_frames) <= row.frames


def test_another_name_is_none_of_them() -> None:
    with pytest.raises(KeyError):
        toy_data("kinetics")
