import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from attncli.files import atomic
from attncli.files.atomic import (
    naming,
    replacing,
    replacing_directory,
    sweep,
    write_text,
)


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


def test_names_as_long_as_names_may_be_are_written(tmp_path):
    path = tmp_path / ("動" * 83 + ".jsonl")  # 255 bytes
    write_text(path, "whole")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    path = tmp_path / ("v." + "s" * 250)
    write_text(path, "whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_rights_are_those_the_umask_gives_and_setgid_stays(tmp_path, umask):
    group = tmp_path / "group"
    group.mkdir()
    group.chmod(0o2775)
    before = os.umask(umask)
    try:
        write_text(group / "file", "text")
        (group / "plain").mkdir()
        with replacing_directory(group / "made") as made:
            (made / "inside").mkdir()
        with replacing_directory(group / "made"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((group / "file").stat().st_mode) == 0o666 & ~umask
    plain = (group / "plain").stat().st_mode
    assert (group / "made").stat().st_mode == plain
    assert plain & stat.S_ISGID


def _run(code: str, *arguments: object) -> int:
    call = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(call, check=False).returncode


KILLED_WRITING = (
    "import os, signal, sys; from pathlib import Path\n"
    "from attncli.files.atomic import replacing, replacing_directory\n"
    "root = Path(sys.argv[1])\n"
    "with replacing_directory(root / 'd') as made, replacing(root / 'b.txt') as temporary:\n"
    "    (made / 'half').touch(); temporary.write_text('half'); os.kill(os.getpid(), 9)"
)


def test_what_killed_processes_left_is_swept_away_and_nothing_else(tmp_path):
    assert _run(KILLED_WRITING, tmp_path) == -9
    (tmp_path / ".last.pt.4321.tmp.pt").touch()  # as version 0.3.0 called it
    (tmp_path / ".hidden").touch()
    (tmp_path / ".attncli-notes.txt").touch()
    (tmp_path / ".notes.7.tmp.bak").touch()
    assert len(list(tmp_path.iterdir())) == 6
    with replacing(tmp_path / "mine.txt") as temporary:
        sweep(tmp_path)
        assert temporary.exists()
    names = {entry.name for entry in tmp_path.iterdir()}
    assert names == {".hidden", ".attncli-notes.txt", ".notes.7.tmp.bak", "mine.txt"}


def test_sweeping_one_directory_leaves_those_below_alone(tmp_path):
    for folder in (tmp_path, tmp_path / "below"):
        folder.mkdir(exist_ok=True)
        (folder / ".attncli-0123abcd.tmp.png").touch()
    (tmp_path / ".theirs.png.7.tmp.png").touch()
    sweep(tmp_path, below=False)
    assert {path.name for path in tmp_path.iterdir()} == {"below", ".theirs.png.7.tmp.png"}
    assert len(list((tmp_path / "below").iterdir())) == 1
    sweep(tmp_path)
    assert list((tmp_path / "below").iterdir()) == []


def test_what_was_left_beside_a_directory_goes_when_it_is_written_again(tmp_path):
    assert _run(KILLED_WRITING, tmp_path) == -9
    with replacing_directory(tmp_path / "d") as made:
        (made / "whole").touch()
    assert [entry.name for entry in tmp_path.iterdir()] == ["d"]


def test_what_another_process_is_writing_stays(tmp_path):
    code = KILLED_WRITING.replace("os.kill(os.getpid(), 9)", "print('there', flush=True); input()")
    call = [sys.executable, "-c", code, tmp_path]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"there\n"
        sweep(tmp_path)
        with replacing_directory(tmp_path / "d") as made:
            (made / "mine").touch()
        other.communicate(b"\n")
        assert other.returncode == 0
    assert {entry.name for entry in tmp_path.iterdir()} == {"b.txt", "d"}
    assert [entry.name for entry in (tmp_path / "d").iterdir()] == [
        "half"
    ]  # theirs, as it came last


def test_there_is_no_moment_without_a_directory_that_is_replaced(tmp_path):
    path = tmp_path / "d"
    path.mkdir()
    (path / "0").touch()
    stop, missing = threading.Event(), []

    def watch():
        while not stop.is_set():
            missing.extend([1] if not path.exists() else [])

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(200):
        with replacing_directory(path) as made:
            (made / str(number)).touch()
    stop.set()
    watcher.join()
    assert missing == []


def test_two_writers_of_one_directory_end_with_one_of_theirs(tmp_path):
    def write(name):
        for _ in range(100):
            with replacing_directory(tmp_path / "d") as made:
                for part in "12":
                    (made / f"{name}{part}").touch()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    names = sorted(entry.name for entry in (tmp_path / "d").iterdir())
    assert len(names) == 2
    assert names[0][0] == names[1][0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["d"]


def test_who_sweeps_late_leaves_what_has_taken_the_name(tmp_path, monkeypatch):
    path = tmp_path / ".attncli-0123abcd.tmp"
    path.mkdir()
    late = os.open(path, os.O_RDONLY)  # a second sweeper, whom the first one was faster than
    path.rmdir()
    path.mkdir()
    (path / "new").touch()
    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "open", lambda *_: late)
        atomic._remove_abandoned(path)
    assert (path / "new").exists()


def test_a_system_that_cannot_exchange_names_replaces_and_recovers(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.ctypes, "CDLL", lambda *_, **__: None)
    path = tmp_path / "d"
    for number in range(3):
        with replacing_directory(path) as made:
            (made / str(number)).touch()
        assert [entry.name for entry in path.iterdir()] == [str(number)]
    path.rename(tmp_path / ".d.attncli-old")  # as a kill between the two renames leaves it
    with pytest.raises(ZeroDivisionError), replacing_directory(path):
        _ = 1 / 0
    assert [entry.name for entry in path.iterdir()] == ["2"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["d"]


def test_a_full_disk_names_the_directory_or_the_file_in_it(tmp_path):
    with pytest.raises(OSError, match="full") as error, replacing_directory(tmp_path / "d"):
        raise OSError(28, "full")
    assert error.value.filename == str(tmp_path / "d")
    with pytest.raises(OSError, match="full") as error, replacing_directory(tmp_path / "d") as made:
        raise OSError(28, "full", str(made / "attention" / "a.npy"))
    assert error.value.filename == str(tmp_path / "d" / "attention" / "a.npy")
    with pytest.raises(OSError, match="full") as error, naming(tmp_path / "a.npy"):
        raise OSError(28, "full")
    assert error.value.filename == str(tmp_path / "a.npy")


@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("kind", ["file", "link", "broken link"])
def test_a_file_or_a_link_is_replaced_itself(tmp_path, monkeypatch, kind, can_exchange):
    if not can_exchange:
        monkeypatch.setattr(atomic.ctypes, "CDLL", lambda *_, **__: None)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    if kind == "file":
        (tmp_path / "d").touch()
    else:
        (tmp_path / "d").symlink_to("elsewhere" if kind == "link" else "nowhere")
    with replacing_directory(tmp_path / "d") as made:
        (made / "new").touch()
    assert [entry.name for entry in (tmp_path / "d").iterdir()] == ["new"]
    assert not (tmp_path / "d").is_symlink()
    assert {entry.name for entry in tmp_path.iterdir()} == {"d", "elsewhere"}
    assert (tmp_path / "elsewhere" / "kept").exists()
