import json
from importlib import metadata

import pytest

from attncli.workflows.doctor import numerics
from attncli.workflows.doctor import report as doctor


def by_check(stdout: str) -> dict[str, dict[str, str]]:
    return {row["check"]: row for row in json.loads(stdout)}


def test_a_machine_that_runs_the_tests_is_well(run_cli):
    code, stdout, stderr = run_cli("doctor", "--json")
    rows = by_check(stdout)
    assert (code, stderr) == (0, "")
    assert {row["status"] for row in rows.values()} <= {"ok", "absent"}
    assert rows["torch"]["found"] == metadata.version("torch")
    assert rows["decoder"]["found"].endswith("8 of 8 frames")
    assert rows.keys() >= {"fp32 on cpu", "bf16 on cpu", "channels-last on cpu", "weights cache"}


def test_a_missing_package_exits_four_after_the_table(run_cli, monkeypatch):
    monkeypatch.setattr(
        metadata, "requires", lambda _: ["no-such-package[x]>=1; python_version>'3'"]
    )
    code, stdout, stderr = run_cli("doctor")
    assert code == 4
    assert "attncli needs no-such-package" in stdout
    assert stderr == "attncli: error: missing: no-such-package; install attncli again\n"


def test_what_an_extra_brings_need_not_be_there(run_cli, monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-net>=1; extra == 'offline'"])
    code, stdout, _ = run_cli("doctor", "--json")
    row = by_check(stdout)["no-such-net"]
    assert (code, row["status"]) == (0, "absent")
    assert row["found"] == 'pip install "attncli[offline]" brings it'


def test_wrong_numbers_exit_one_and_say_which(run_cli, monkeypatch):
    monkeypatch.setattr(numerics, "convolution_errors", lambda device: {"bf16": 0.5})
    code, stdout, stderr = run_cli("doctor", "--json")
    assert code == 1
    assert by_check(stdout)["bf16 on cpu"]["status"] == "failed"
    assert stderr == "attncli: error: failed: bf16 on cpu; see the table\n"


@pytest.mark.parametrize("counted", [7, None])
def test_a_decoder_that_loses_a_frame_or_breaks_is_found(run_cli, monkeypatch, counted):
    def count(path):
        if counted is None:
            raise ImportError("libavcodec.so: cannot open shared object file")
        return counted

    monkeypatch.setattr("attncli.data.video.reading.count_frames", count)
    code, stdout, _ = run_cli("doctor", "--json")
    rows = by_check(stdout)
    assert code == 1
    assert rows["decoder"]["status"] == "failed"
    assert ("7 of 8" if counted else "cannot open") in rows["decoder"]["found"]
    assert "bf16 on cpu" in rows  # the other checks went on


def test_the_cached_weights_are_named_with_their_size(monkeypatch, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "x3d_m.pth").write_bytes(bytes(2_000_000))
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    row = next(row for row in doctor.examine().rows if row["check"] == "weights cache")
    assert row["found"] == f"{tmp_path}/checkpoints: x3d_m.pth (2 MB)"
