from pathlib import Path

import pytest

from attncli.data.layouts.listed_rows import class_names, find_lists, read_rows, text_of
from attncli.errors import AttncliError


@pytest.fixture
def rows_of(tmp_path):
    def read(name, text):
        (tmp_path / name).write_text(text, newline="")
        return list(read_rows(tmp_path / name))

    return read


def test_a_list_is_a_file_by_its_suffix(make_tree):
    root = make_tree("a.CSV", "b.jsonl", "c.txt", "d.json", "e.avi")
    assert [find_lists(root / name) for name in ("a.CSV", "b.jsonl", "c.txt")] == [
        [root / "a.CSV"],
        [root / "b.jsonl"],
        [root / "c.txt"],
    ]
    assert find_lists(root / "d.json") == find_lists(root / "e.avi") == find_lists(root) == []


def test_a_directory_has_one_list_or_a_list_a_split(make_tree):
    root = make_tree("val.csv", "train.txt", "test.csv")
    assert find_lists(root) == [root / "train.txt", root / "val.csv"]
    make_tree("manifest.jsonl")
    assert find_lists(root) == [root / "manifest.jsonl"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "id,path,split,subject,age\n\n7,a.avi,test,s1,30\n"),
        (
            "list.jsonl",
            '\n\n{"id": 7, "path": "a.avi", "split": "test", "subject": "s1", "age": "30"}',
        ),
    ],
)
def test_a_row_says_path_id_split_and_subject_and_keeps_the_rest(rows_of, tmp_path, name, text):
    (row,) = rows_of(name, text)
    assert row.place == f"{tmp_path / name}, line 3"
    assert (row.path, row.id, row.split, row.subject) == ("a.avi", "7", "val", "s1")
    assert (row.text("age"), row.text("label")) == ("30", None)


@pytest.mark.parametrize(
    ("name", "split"),
    [("training.txt", "train"), ("valid.txt", "val"), ("testing.txt", "val"), ("list.txt", None)],
)
def test_a_row_without_a_split_is_of_the_one_its_list_is_called_after(rows_of, name, split):
    first, second = rows_of(name, "a b.avi 0\n \nc.avi\t1\n")
    assert (first.path, first.text("label"), first.split) == ("a b.avi", "0", split)
    assert (second.path, second.text("label"), second.place[-6:]) == ("c.avi", "1", "line 3")


def test_spaces_after_commas_belong_to_no_cell(rows_of):
    (row,) = rows_of("list.csv", "path, split, label\na b.avi, val, run\n")
    assert (row.path, row.split, row.text("label")) == ("a b.avi", "val", "run")


def test_a_row_may_say_another_split_than_its_list(rows_of):
    (row,) = rows_of("train.csv", "path,split\na.avi,Validation\n")
    assert row.split == "val"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("l.csv", "path,split\na.avi\n", r"l\.csv, line 2: expected 2 columns, as the header has"),
        ("l.csv", 'path\n"a\0b"\n', r"l\.csv, line 2: `path` has a NUL"),
        ("l.csv", "path\n" + "a" * 200_000 + "\n", r"l\.csv, line \d: is not valid CSV \(field"),
        ("l.csv", "name,split\na.avi,train\n", "line 2: has no `path`"),
        ("l.csv", "path,split\na.avi,dev\n", "line 2: split 'dev' is neither train nor val"),
        ("l.csv", "path,id\na.avi,/a\n", "line 2: id '/a' leads out of the directory it is to"),
        ("l.csv", "path,id\na.avi,b/../../a\n", r"line 2: id 'b/\.\./\.\./a' leads out"),
        ("l.jsonl", "\n3\n", "line 2: expected a JSON object"),
        ("l.jsonl", '{"path": ["a.avi"]}\n', "line 1: `path` is neither text nor a whole number"),
        ("l.jsonl", '{"path": "a", "subject": "\\u0007"}', r"`subject` '\\x07' has a control"),
        ("l.txt", "a.avi\n", "line 1: expected `path label`"),
    ],
)
def test_malformed_rows_are_named_by_file_and_line(rows_of, name, text, problem):
    with pytest.raises(AttncliError, match=problem):
        rows_of(name, text)


@pytest.mark.parametrize(
    ("value", "text"), [(None, None), ("", None), ("a", "a"), (0, "0"), (-3, "-3"), (" ", " ")]
)
def test_text_and_whole_numbers_are_text(value, text):
    assert text_of("here", "label", value) == text


@pytest.mark.parametrize("value", [True, 1.0, ["a"], {"a": 1}])
def test_other_values_are_no_text(value):
    with pytest.raises(AttncliError, match="here: `label` is neither text nor a whole number"):
        text_of("here", "label", value)


def test_only_a_path_may_have_a_control_character():
    assert text_of("here", "path", "a\nb") == "a\nb"
    with pytest.raises(AttncliError, match=r"here: `id` 'a\\nb' has a control character"):
        text_of("here", "id", "a\nb")


@pytest.mark.parametrize(
    ("path", "id_"),
    [
        ("clips/a.AVI", "clips/a"),
        ("clips/b.v2", "clips/b.v2"),
        ("../x/c.avi", "x/c"),
        ("/data/set/clips/d.avi", "clips/d"),
        ("/elsewhere/e.avi", "elsewhere/e"),
    ],
)
def test_the_id_of_a_row_is_its_path_below_the_list_without_suffix(rows_of, path, id_):
    (row,) = rows_of("list.csv", f"path\n{path}\n")
    assert row.id_below(Path("/data/set"), {".avi"}) == id_
    (named,) = rows_of("list.csv", f"path,id\n{path},own\n")
    assert named.id_below(Path("/data/set"), {".avi"}) == "own"


def test_a_path_that_is_no_name_needs_an_id(rows_of):
    (row,) = rows_of("list.csv", 'path\n"a\nb.avi"\n')
    with pytest.raises(AttncliError, match=r"line 3: a name cannot be made of `path` .*give it"):
        row.id_below(Path(), {".avi"})
    (row,) = rows_of("list.csv", 'path,id\n"a\nb.avi",ab\n')
    assert row.id_below(Path(), {".avi"}) == "ab"


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([], ()),
        (["2", "0", "2"], ("0", "1", "2")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["0", "00"], ("0", "00")),
        (["100000"], ("100000",)),
        (["b", "a", "b"], ("a", "b")),
    ],
)
def test_labels_that_count_are_numbers_and_others_names(labels, names):
    assert class_names(labels) == names
