from importlib import metadata

import pytest

from attncli.workflows.doctor import report


def by_check():
    return {row["check"]: row for row in report.examine().rows}


def test_every_package_is_named_with_its_version_whatever_its_requirement_says(monkeypatch):
    required = ["numpy>=1.26", "pytorchvideo==0.1.5", "absent[x]>=1; python_version > '3'"]
    monkeypatch.setattr(metadata, "requires", lambda _: required)
    rows = by_check()
    assert (rows["numpy"]["status"], rows["numpy"]["found"]) == ("ok", metadata.version("numpy"))
    assert rows["pytorchvideo"]["status"] == "ok"
    assert rows["absent"]["status"] == "missing"
    assert rows["absent"]["found"] == f"attncli needs {required[2]}"


def test_packages_of_an_extra_need_not_be_there(monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda _: ["absent>=1; extra == 'some'"])
    row = by_check()["absent"]
    assert row["status"] == "absent"
    assert row["found"] == 'pip install "attncli[some]" brings it'


def test_a_check_that_raises_has_failed_in_one_line_and_the_others_go_on(monkeypatch):
    def broken():
        raise OSError("no space\nleft on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", broken)
    rows = by_check()
    assert rows["temporary files"] == {
        "check": "temporary files",
        "status": "failed",
        "found": "OSError: no space left on device",
    }
    assert rows["attncli"]["status"] == "ok"


def test_the_cache_of_weights_is_named_with_sizes_or_as_empty(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    assert by_check()["weights cache"]["found"] == f"{tmp_path}/checkpoints: empty"
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "x3d_m.pth").write_bytes(bytes(2_000_000))
    expected = f"{tmp_path}/checkpoints: x3d_m.pth (2 MB)"
    assert by_check()["weights cache"]["found"] == expected


@pytest.mark.parametrize(("error", "status"), [(0.0019, "ok"), (0.0021, "failed")])
def test_numbers_are_held_against_their_tolerance(monkeypatch, error, status):
    where = "attncli.workflows.doctor.numerics.convolution_errors"
    monkeypatch.setattr(where, lambda _: {"fp32": error})
    row = by_check()["fp32 on cpu"]
    assert row["status"] == status
    assert row["found"] == f"error {error:.1e} of at most 2e-03"
