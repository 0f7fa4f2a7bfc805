import os
import shutil
from pathlib import Path

from attncli import machine
from attncli.machine import free_disk_bytes, free_memory_bytes, usable_cores

PLACE = machine.MEMORY


def test_cores_are_those_that_this_process_may_run_on(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert usable_cores() == 3


def test_where_the_system_does_not_say_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_free_memory_is_what_the_system_says_and_the_container_leaves(monkeypatch, tmp_path):
    for name in ("MEMORY", "LIMIT", "USED"):
        monkeypatch.setattr(machine, name, tmp_path / name)
    assert free_memory_bytes() is None
    (tmp_path / "MEMORY").write_text("MemTotal:  9 kB\nMemAvailable:   4 kB\n")
    assert free_memory_bytes() == 4096
    (tmp_path / "USED").write_text("1000\n")
    (tmp_path / "LIMIT").write_text("max\n")
    assert free_memory_bytes() == 4096
    (tmp_path / "LIMIT").write_text("3000\n")
    assert free_memory_bytes() == 2000
    assert Path("/proc/meminfo") == PLACE


def test_what_can_be_written_below_a_path_that_is_not_there_is_what_the_disk_has(
    tmp_path, monkeypatch
):
    asked = []

    def usage(path):
        asked.append(path)
        return shutil._ntuple_diskusage(10, 3, 7)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert free_disk_bytes(tmp_path / "a" / "b") == 7
    assert asked == [tmp_path]
