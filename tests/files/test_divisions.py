import pytest

from attncli.errors import AttncliError
from attncli.files.divisions import read_parts, write_parts

IDS = ("a", "b", "c")
PARTS = ("train", "val")


def test_divisions_come_back_in_rising_order(tmp_path):
    path = tmp_path / "splits.csv"
    write_parts(path, {10: {"train": [2], "val": []}, 2: {"train": [0, 1], "val": [2]}}, IDS)
    assert path.read_text().splitlines()[:2] == ["split,id,part", "10,c,train"]
    found = read_parts(path, IDS, PARTS)
    assert list(found.items()) == [
        (2, {"train": [0, 1], "val": [2]}),
        (10, {"train": [2], "val": []}),
    ]


@pytest.mark.parametrize("row", ["1,d,train", "1,a,test", "one,a,train", "-1,a,val"])
def test_what_is_no_division_of_these_images_is_named(tmp_path, row):
    path = tmp_path / "splits.csv"
    path.write_text(f"split,id,part\n1,a,train\n{row}\n")
    with pytest.raises(AttncliError, match="line 3: does not divide these images; train the run"):
        read_parts(path, IDS, PARTS)
