import json
from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.files.metrics import read_metrics, write_metrics


def test_what_is_written_is_read_and_carries_the_formats_version(tmp_path: Path) -> None:
    metrics = {"run": "runs/ünï", "clips": 7, "top1": 12.5, "entropy": None}
    write_metrics(tmp_path / "metrics.json", metrics)
    assert read_metrics(tmp_path / "metrics.json") == metrics
    assert json.loads((tmp_path / "metrics.json").read_text())["format_version"] == 1


def test_a_figure_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_metrics(tmp_path / "metrics.json", {"top1": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format_version": 99}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(AttncliError, match=r"metrics\.json[:,] "):
        read_metrics(tmp_path / "metrics.json")
