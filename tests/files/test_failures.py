import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.errors import AttncliError, Failure
from attncli.files.failures import read_failures, write_failures

failures = st.builds(Failure, id=st.text(), path=st.text(), error=st.text())


@given(written=st.sets(failures))
def test_failures_come_back_as_they_were_written(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("failures") / "failures.jsonl"
    write_failures(path, written)
    assert set(read_failures(path)) == written
    assert path.exists() == bool(written)


def test_failures_are_sorted_and_written_once(tmp_path):
    path = tmp_path / "failures.jsonl"
    write_failures(path, [Failure("b", "b.avi", "bad"), Failure("a", "a.avi", "bad")] * 2)
    assert [failure.id for failure in read_failures(path)] == ["a", "b"]


def test_a_run_without_failures_removes_the_file_of_one_before(tmp_path):
    path = tmp_path / "failures.jsonl"
    write_failures(path, [Failure("b", "b.avi", "bad")])
    write_failures(path, [])
    assert not path.exists()
    assert read_failures(path) == []


def test_file_names_that_are_no_utf8_survive_as_json_escapes(tmp_path):
    name = os.fsdecode(b"A/caf\xe9.mp4")
    path = tmp_path / "failures.jsonl"
    write_failures(path, [Failure(name, f"d/{name}", "動画: bad")])
    assert read_failures(path) == [Failure(name, f"d/{name}", "動画: bad")]
    assert json.loads(path.read_bytes().decode("utf-8"))["path"] == f"d/{name}"
    assert "動画" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"null",
        b'["a", "a.avi", "bad"]',
        b'{"id": "a"}',
        b'{"id": "a", "path": "p", "error": "e", "more": 1}',
        b"[" * 100_000,
        b"1" * 5000,
        b"",
    ],
)
def test_a_line_that_is_no_failure_is_named(tmp_path, line):
    path = tmp_path / "failures.jsonl"
    path.write_bytes(b'{"id": "a", "path": "a.avi", "error": "bad"}\n' + line + b"\n")
    problem = r"failures\.jsonl, line 2: (is not valid JSON|expe|cannot)"
    with pytest.raises(AttncliError, match=problem):
        read_failures(path)


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "failures.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(AttncliError, match=r"failures\.jsonl: cannot be read \(it is not UTF-8"):
        read_failures(tmp_path / "failures.jsonl")
