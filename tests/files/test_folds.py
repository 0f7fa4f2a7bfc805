import pytest

from attncli.errors import AttncliError
from attncli.files.folds import FoldRow, read_fold_rows, write_fold_rows

ROWS = (
    FoldRow("S005/001", "S005", "happy", 1),
    FoldRow("S005/002", "S005", "fear", 1),
    FoldRow('a, "b"', "007", "fear", 2),
)
KNOWN = {row.id: (row.subject, row.label) for row in ROWS}
HEADER = "id,subject,label,fold\n"


def test_folds_survive_the_way_to_the_file_and_back(tmp_path):
    write_fold_rows(tmp_path / "folds.csv", ROWS)
    text = (tmp_path / "folds.csv").read_text()
    assert text.splitlines()[:2] == ["id,subject,label,fold", "S005/001,S005,happy,1"]
    assert read_fold_rows(tmp_path / "folds.csv") == ROWS
    assert read_fold_rows(tmp_path / "folds.csv", known=KNOWN) == ROWS


def test_a_spreadsheet_does_no_harm(tmp_path):
    path = tmp_path / "folds.csv"
    path.write_bytes(b"\xef\xbb\xbffold,id,subject,label\r\n 2 ,a,p,x\r\n,,,\r\n1,b,q,y\r\n")
    assert read_fold_rows(path) == (FoldRow("a", "p", "x", 2), FoldRow("b", "q", "y", 1))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,p,x,1\nb,q,x,0\n", "line 3: sequence 'b': fold '0' is not a whole number from 1; "),
        ("a,p,x,1.0\n", "line 2: sequence 'a': fold '1.0' is not a whole number"),
        ("a,p,x,\n", "line 2: sequence 'a': fold '' is not a whole number"),
        ("a,p,x,1\n\na,p,x,1\n", "line 4: sequence 'a' is listed twice"),
        (",p,x,1\n", "line 2: has no id"),
        ("a,,x,1\n", "line 2: has no subject"),
        ("a,p,x,1\nb,q,x,2\nc,p,x,2\n", "line 4: sequence 'c': subject 'p' is in fold 1 and in"),
        ("a,p,x,1\nb,q,x,3\n", "has a fold 3 but no fold 2; number"),
        ("a,p,x,2\nb,q,x,2\n", "has a fold 2 but no fold 1; number"),
        ("a,p,x,1\n", "has only one fold"),
        ("", "has no fold"),
    ],
)
def test_tables_that_cannot_be_are_refused_in_a_line(tmp_path, rows, message):
    path = tmp_path / "folds.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(AttncliError, match=message) as error:
        read_fold_rows(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"z": ("p", "x")}, r"folds\.csv: has no row for sequence 'z' \(1 of 1\)"),
        ({"S005/002": None}, "line 3: the dataset has no labelled sequence 'S005/002'"),
        ({"S005/002": ("S6", "fear")}, "line 3: .*'S005/002' has subject 'S005', in .* 'S6'"),
        ({"S005/001": ("S005", "fear")}, "line 2: .* has label 'happy', in the dataset 'fear'"),
    ],
)
def test_folds_of_another_dataset_are_refused(tmp_path, changed, message):
    write_fold_rows(tmp_path / "folds.csv", ROWS)
    known = {id_: row for id_, row in (KNOWN | changed).items() if row is not None}
    with pytest.raises(AttncliError, match=message):
        read_fold_rows(tmp_path / "folds.csv", known=known)
