import os

import pytest

from attncli import __main__


@pytest.mark.parametrize(("before", "after"), [(None, "passive"), ("active", "active")])
def test_threads_wait_without_spinning_unless_the_user_said_otherwise(monkeypatch, before, after):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if before is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", before)
    seen = []
    monkeypatch.setattr(__main__, "run", lambda: seen.append(os.environ["OMP_WAIT_POLICY"]) or 3)
    with pytest.raises(SystemExit) as ending:
        __main__.main()
    assert ending.value.code == 3
    assert seen == [after]
