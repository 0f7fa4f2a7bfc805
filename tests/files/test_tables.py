from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.files.tables import read_table, write_table

COLUMNS = ("id", "frame")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_cells_stay_text_and_keep_their_lines(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "frame,id\n0,000123\n\n,\n1,NA\n"), COLUMNS)
    assert table.cells["id"].tolist() == ["000123", "NA"]
    assert table.cells["frame"].tolist() == ["0", "1"]
    assert str(table.error(1, "is odd")) == f"{tmp_path / 't.csv'}, line 5: is odd"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfid,frame\r\na,1\r\n",
        "id,frame\na,1\n\n\n,\n,\n",
        'id,frame\n"a","1"\n',
        "id, frame\na, 1",
    ],
)
def test_what_spreadsheets_leave_does_no_harm(tmp_path: Path, content: str | bytes) -> None:
    table = read_table(write(tmp_path / "t.csv", content), COLUMNS)
    assert table.cells[list(COLUMNS)].to_numpy().tolist() == [["a", "1"]]


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "id,frame\n"), COLUMNS)
    assert table.cells["id"].tolist() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a CSV table"),
        ("\n\n", "is not a CSV table"),
        ("id,score\n", "no column 'frame'"),
        ("id;frame\na;1\n", "no column 'id'"),
        ("id,frame,note\na,1,x\n", "unknown column 'note'"),
        ("id,frame,frame\na,1,1\n", "double column 'frame'"),
        ("id,frame\na,0,5\n", "is not a CSV table .*line 2"),
        ('id,frame\n"a,1\n', "is not a CSV table"),
        (b"id,frame\n\xff\xfe,1\n", "is not a CSV table"),
        (b"PK\x03\x04\x00\x00", "is not a CSV table|no column"),
    ],
)
def test_other_files_are_refused_in_one_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    path = write(tmp_path / "t.csv", content)
    with pytest.raises(AttncliError, match=message) as raised:
        read_table(path, COLUMNS)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match="no such file"):
        read_table(tmp_path / "none.csv", COLUMNS)
    with pytest.raises(AttncliError, match="is a directory"):
        read_table(tmp_path, COLUMNS)


def test_a_table_that_is_written_is_read(tmp_path: Path) -> None:
    rows = [("a, b", "1"), ('"c"', "2"), ("line\nbreak", "3")]
    write_table(tmp_path / "t.csv", COLUMNS, rows)
    table = read_table(tmp_path / "t.csv", COLUMNS)
    assert [tuple(row) for row in table.cells.to_numpy()] == rows
