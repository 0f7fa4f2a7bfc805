"""Room on disk: what features of all images take, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attncli.config.svd_fc import SvdFcConfig
from attncli.errors import AttncliError
from attncli.workflows.svd_fc import room
from attncli.workflows.svd_fc.room import image_bytes, require_room

MIB = 2**20
PROBE = {"I": {"conv5": torch.zeros(1, 6, 4, 2), "fc": torch.zeros(1, 10)}}


@pytest.mark.parametrize(
    ("settings", "n_fusions", "numbers"),
    [
        ({"pool": "none"}, 0, 6 * 4 * 2 + 10),
        ({"pool": "gap"}, 0, 6 + 10),
        ({"pool": "mpn-cbp", "sketch_dim": 50}, 0, 50 + 50),
        ({"pool": "mpn-cbp", "sketch_dim": 50}, 1, 2 * 50 + 2 * 50),
    ],
)
def test_an_image_takes_four_bytes_a_number(
    settings: dict[str, Any], n_fusions: int, numbers: int
) -> None:
    config = SvdFcConfig(weights=("I=none",), layers=("conv5", "fc"), **settings)
    assert image_bytes(config, PROBE, n_fusions) == 4 * numbers


def test_what_does_not_go_on_the_disk_is_refused_with_what_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_disk_bytes", lambda _: 1536 * MIB)
    require_room(tmp_path, 1536, MIB, begins_anew=False)
    message = r"features take 2.000 GiB on disk, and 1.500 are free there; name fewer --layers"
    with pytest.raises(AttncliError, match=message):
        require_room(tmp_path, 2048, MIB, begins_anew=False)


def test_what_is_there_counts_as_done_or_as_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_disk_bytes", lambda _: 200)
    monkeypatch.setattr(room, "done_in", lambda _, n: np.arange(n) >= 2)
    require_room(tmp_path, 8, 100, begins_anew=False)
    with pytest.raises(AttncliError, match="on disk"):
        require_room(tmp_path, 8, 101, begins_anew=False)
    with pytest.raises(AttncliError, match="on disk"):
        require_room(tmp_path, 8, 100, begins_anew=True)
    np.save(tmp_path / "old.npy", np.ones(MIB))
    require_room(tmp_path, 8, 100, begins_anew=True)
