import os

import pytest

from attncli.editor.exclusive import require_unchanged, stamp
from attncli.errors import AttncliError


def test_a_file_that_nobody_touched_is_unchanged(tmp_path):
    path = tmp_path / "edits.csv"
    require_unchanged(path, stamp(path))  # not there, and still not there
    path.write_text("a")
    before = stamp(path)
    path.read_text()
    require_unchanged(path, before)


def written(path):
    path.write_text("b")
    os.utime(path, ns=(0, 1))


def replaced(path):
    status = path.stat()
    other = path.with_name("other")
    other.write_text("b")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def lengthened(path):
    status = path.stat()
    path.write_text("ab")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [written, replaced, lengthened, os.remove])
def test_whatever_another_program_did_to_it_is_noticed(tmp_path, change):
    path = tmp_path / "edits.csv"
    path.write_text("a")
    before = stamp(path)
    change(path)
    with pytest.raises(AttncliError, match=r"edits\.csv: another program has changed this file;"):
        require_unchanged(path, before)


def test_a_file_that_appeared_is_noticed(tmp_path):
    path = tmp_path / "edits.csv"
    path.write_text("a")
    with pytest.raises(AttncliError, match="start the editor again"):
        require_unchanged(path, None)
