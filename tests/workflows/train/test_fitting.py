import pytest

from attncli.errors import AttncliError, UsageError
from attncli.workflows.train import fitting
from attncli.workflows.train.fitting import (
    GIB,
    processes_for,
    require_one_process,
)


def test_as_many_fits_at_a_time_as_cores_memory_and_fits_allow(monkeypatch):
    monkeypatch.setattr(fitting, "usable_cores", lambda: 8)
    assert processes_for(None, 100, GIB, 100 * GIB) == 8
    assert processes_for(None, 3, GIB, 100 * GIB) == 3
    assert processes_for(None, 100, GIB, 5 * GIB) == 5
    assert processes_for(None, 100, GIB, None) == 8
    assert processes_for(2, 100, GIB, 5 * GIB) == 2
    assert processes_for(0, 100, GIB, 5 * GIB) == 1


def test_more_than_memory_holds_is_refused():
    with pytest.raises(AttncliError, match=r"a fit takes about 8.0 GiB of memory, and 5.0 are"):
        processes_for(None, 100, 8 * GIB, 5 * GIB)
    with pytest.raises(UsageError, match=r"--workers: 4 fits of about 2.0 GiB .* give 2 or fewer"):
        processes_for(4, 100, 2 * GIB, 5 * GIB)


def test_torchrun_is_refused(monkeypatch):
    require_one_process()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="start it without torchrun"):
        require_one_process()
