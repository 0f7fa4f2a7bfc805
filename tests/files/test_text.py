from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.files.text import lines_of, parse_json, read_text


def test_text_comes_without_a_mark_and_with_newlines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert lines_of(read_text(tmp_path / "a.txt")) == ["a", "b", "c"]
    assert lines_of("") == []
    assert lines_of("a\n\n") == ["a", ""]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone", "no such file or directory"),
        ("folder", "is a directory"),
        ("latin", "it is not UTF-8: .* at byte 3"),
    ],
)
def test_files_that_are_no_text_are_named(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes("caf\xe9".encode("latin-1"))
    with pytest.raises(AttncliError, match=rf"{name}: cannot be read \({problem}\); mend it"):
        read_text(tmp_path / name, remedy="mend it")


def test_json_is_told_from_what_is_none_by_file_and_line() -> None:
    assert parse_json('{"a": [1, null]}', where=Path("a.json")) == {"a": [1, None]}
    for text in ('{"a":\n}', "[\nNaN"):
        problem = r"^a\.json(, line 2)?: (is not valid JSON|cannot be read)"
        with pytest.raises(AttncliError, match=problem):
            parse_json(text, where=Path("a.json"))
    for text in ("[" * 100_000, "1" * 5000, "[Infinity]", "[1e400]"):
        with pytest.raises(AttncliError, match=r"^a\.json, entry 7: cannot be read \("):
            parse_json(text, where="a.json, entry 7")
