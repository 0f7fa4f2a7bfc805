from hypothesis import given
from hypothesis import strategies as st

from attncli.errors import Failure
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
