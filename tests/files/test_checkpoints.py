import os
import re
import resource
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from attncli.errors import AttncliError
from attncli.files.checkpoints import (
    load_weights,
    read_checkpoint,
    read_metadata,
    read_weights,
    write_checkpoint,
    write_weights,
)


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4))


@pytest.fixture
def small_disk() -> Iterator[int]:
    """Let no file grow beyond a thousand bytes, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield 1000
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {"model": {"w": torch.rand(3)}, "progress": {"best": None, "rows": [{"loss": 0.1}]}}
    write_checkpoint(tmp_path / "a" / "last.pt", state)
    back = read_checkpoint(tmp_path / "a" / "last.pt")
    assert torch.equal(back["model"]["w"], state["model"]["w"])
    assert back["progress"] == state["progress"]


def test_weights_come_back_with_what_is_beside_them(tmp_path: Path, model: nn.Module) -> None:
    write_weights(tmp_path / "model.safetensors", model, {"method": "x3d", "epochs": 3})
    assert read_metadata(tmp_path / "model.safetensors") == {"method": "x3d", "epochs": 3}
    for source in (tmp_path, tmp_path / "model.safetensors"):
        weights = read_weights(source)
        assert weights.keys() == model.state_dict().keys()
        assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())


def test_the_same_weights_are_the_same_bytes(tmp_path: Path, model: nn.Module) -> None:
    for name in ("a", "b"):
        write_weights(tmp_path / name, model, {"method": "x3d", "epochs": 3, "attncli": "1"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_are_read_from_a_checkpoint(tmp_path: Path, model: nn.Module) -> None:
    write_checkpoint(tmp_path / "best.pt", {"model": model.state_dict()})
    assert read_weights(tmp_path / "best.pt").keys() == model.state_dict().keys()


@pytest.mark.parametrize("name", ["trap.pt", "trap.pth"])
def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path: Path, name: str) -> None:
    trap = {"format_version": 1, "model": Trap(tmp_path / "sprung")}
    torch.save(trap, tmp_path / name)
    for read in (read_checkpoint, read_weights):
        with pytest.raises(AttncliError, match=f"{name}: refused, as it holds code"):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_a_truncated_file_is_named(tmp_path: Path, model: nn.Module) -> None:
    write_checkpoint(tmp_path / "last.pt", model.state_dict())
    write_weights(tmp_path / "model.safetensors", model, {})
    for path in (tmp_path / "last.pt", tmp_path / "model.safetensors"):
        path.write_bytes(path.read_bytes()[:300])
        for read in (read_weights, read_metadata):
            with pytest.raises(AttncliError, match=f"{path.name}: cannot be read"):
                read(path)


def test_a_checkpoint_must_hold_what_is_asked_for(tmp_path: Path, model: nn.Module) -> None:
    write_checkpoint(tmp_path / "last.pt", {"model": model.state_dict(), "progress": {}})
    assert "progress" in read_checkpoint(tmp_path / "last.pt", holding=("model", "progress"))
    message = r"last\.pt: holds weights but no optimizer and no scaler, .*; put the run's own"
    with pytest.raises(AttncliError, match=message):
        read_checkpoint(tmp_path / "last.pt", holding=("optimizer", "progress", "scaler"))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        AttncliError, match=r"last\.pt: no such file; use a checkpoint `attncli train` wrote"
    ):
        read_checkpoint(tmp_path / "last.pt")
    with pytest.raises(AttncliError, match=r"model\.safetensors: no such weights"):
        read_weights(tmp_path)


def test_another_program_s_checkpoint_is_not_taken(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(AttncliError, match="is not a checkpoint that this version of attncli"):
        read_checkpoint(tmp_path / "other.pt")


@pytest.mark.parametrize("state", [{}, {"model": None}, {"model": [1]}, {"model": {"w": 1}}])
def test_a_checkpoint_without_weights_is_refused(tmp_path: Path, state: dict[str, object]) -> None:
    write_checkpoint(tmp_path / "last.pt", state)
    for read in (read_checkpoint, read_weights):
        with pytest.raises(AttncliError, match=r"last\.pt: is not a checkpoint"):
            read(tmp_path / "last.pt")


def test_weights_of_another_architecture_are_told_by_their_keys(model: nn.Module) -> None:
    weights = dict(model.state_dict())
    weights["more"] = weights.pop("0.bias")
    weights["1.weight"] = torch.zeros(7)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(
        AttncliError,
        match=r"missing: 0\.bias; unexpected: more; of another shape: 1\.weight",
    ):
        load_weights(model, weights, where=Path("x.pt"))
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_full_disk_leaves_the_checkpoint_that_was_there(tmp_path: Path, small_disk: int) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(b"the last good one")
    with pytest.raises(AttncliError, match=r"last\.pt: cannot be written \(.*make room"):
        write_checkpoint(path, {"model": {"w": torch.zeros(10 * small_disk)}})
    assert path.read_bytes() == b"the last good one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_no_half_of_the_weights(tmp_path: Path, small_disk: int) -> None:
    with pytest.raises(AttncliError, match=r"model\.safetensors: cannot be written"):
        write_weights(tmp_path / "model.safetensors", nn.Linear(100, 100), {})
    assert list(tmp_path.iterdir()) == []


def test_the_same_checkpoint_is_the_same_bytes(tmp_path: Path, model: nn.Module) -> None:
    state = {"model": model.state_dict(), "progress": {"epoch": 1}}
    for name in ("last.pt", "best.pt"):
        write_checkpoint(tmp_path / name, state)
    assert (tmp_path / "last.pt").read_bytes() == (tmp_path / "best.pt").read_bytes()


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_weights_have_the_rights_that_other_files_have(
    tmp_path: Path, model: nn.Module, umask: int
) -> None:
    before = os.umask(umask)
    try:
        write_weights(tmp_path / "model.safetensors", model, {})
        write_checkpoint(tmp_path / "last.pt", {"model": model.state_dict()})
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize(
    ("key", "change", "complaint"),
    [
        ("0.weight", lambda w: w.to(torch.int8), "0.weight is of int8, not of float32"),
        ("0.bias", lambda w: w.to(torch.complex64), "0.bias is of complex64, not of float32"),
        ("1.num_batches_tracked", Tensor.float, "tracked is of float32, not of int64"),
        ("1.weight", lambda w: w * torch.nan, "1.weight holds a value that is not finite"),
        ("1.running_var", lambda w: w / 0, "1.running_var holds a value that is not finite"),
    ],
)
def test_weights_of_another_kind_or_not_finite_are_named(
    model: nn.Module, key: str, change: Callable[[Tensor], Tensor], complaint: str
) -> None:
    weights = dict(model.state_dict())
    weights[key] = change(weights[key])
    with pytest.raises(AttncliError, match=complaint):
        load_weights(model, weights, where=Path("m.safetensors"))
    assert torch.isfinite(model.state_dict()["1.running_var"]).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_another_width_are_weights(model: nn.Module, dtype: torch.dtype) -> None:
    weights = {
        key: value.to(dtype) if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    load_weights(model, weights, where=Path("m.safetensors"))
    torch.testing.assert_close(model.state_dict()["0.weight"], weights["0.weight"].float())


@pytest.mark.parametrize("name", ["model.safetensors", "last.pt"])
def test_a_file_that_may_not_be_read_is_not_said_to_be_missing(
    tmp_path: Path, model: nn.Module, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / name
    write_weights(path, model, {}) if name.endswith("s") else write_checkpoint(
        path, {"model": model.state_dict()}
    )

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root may read whatever the rights are
    with pytest.raises(AttncliError, match=rf"{re.escape(name)}: permission denied; change its"):
        read_weights(path)


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 100_000])
def test_metadata_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "m.safetensors", metadata={"attncli": text})
    with pytest.raises(AttncliError, match=r"m\.safetensors"):
        read_metadata(tmp_path / "m.safetensors")
