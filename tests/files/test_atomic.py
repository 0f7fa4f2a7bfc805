import subprocess
import sys
from pathlib import Path

import av
import pytest

from attncli.files.atomic import replacing, replacing_directory, write_text


def test_text_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "é\n")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "é\n"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_a_failure_while_writing_keeps_what_was_there(tmp_path):
    path = tmp_path / "b.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_name_keeps_the_suffix_that_decides_the_format(tmp_path):
    with replacing(tmp_path / "b.mp4") as temporary:
        assert temporary.suffix == ".mp4"
        temporary.touch()


def test_a_process_killed_while_writing_keeps_what_was_there(tmp_path):
    path = tmp_path / "b.txt"
    path.write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from attncli.files.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == -9
    assert path.read_text() == "old"


def test_a_directory_replaces_the_one_before_it(tmp_path):
    path = tmp_path / "d"
    path.mkdir()
    (path / "old.txt").touch()
    with replacing_directory(path) as temporary:
        (temporary / "new.txt").touch()
        assert (path / "old.txt").exists()
    assert [entry.name for entry in path.iterdir()] == ["new.txt"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_while_filling_a_directory_keeps_the_one_before(tmp_path):
    path = tmp_path / "d"
    path.mkdir()
    (path / "old.txt").touch()
    with pytest.raises(ZeroDivisionError), replacing_directory(path) as temporary:
        (temporary / "new.txt").touch()
        _ = 1 / 0
    assert [entry.name for entry in path.iterdir()] == ["old.txt"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "b.txt"
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it is what fails
    full.write("x")
    with pytest.raises(OSError, match="No space left on device") as error, replacing(path):
        full.close()
    assert error.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [av.error.OSError(28, "full"), OSError("full")])
def test_errors_that_name_no_file_are_told_of_it(tmp_path, error):
    path = tmp_path / "b.txt"
    with pytest.raises(OSError, match="full") as raised, replacing(path):
        raise error
    assert (raised.value.errno, raised.value.strerror) == (error.errno, "full")
    assert raised.value.filename == str(path)
