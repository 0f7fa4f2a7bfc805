import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from attncli.errors import AttncliError
from attncli.files.tensors import read_tensors

NAMES = ("weights.pt", "weights.safetensors")


class Trap:
    """Touches a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize("name", NAMES)
def test_tensors_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    tensors = {"w": torch.rand(3), "n": torch.tensor(7)}
    (save_file if name.endswith(".safetensors") else torch.save)(tensors, tmp_path / name)
    read = read_tensors(tmp_path / name, remedy="none")
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[key], tensors[key]) for key in tensors)


def test_files_of_old_versions_of_torch_are_read(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_tensors(tmp_path / "w.pth", remedy="none")["w"], torch.ones(2))


@pytest.mark.parametrize(
    "save", [torch.save, lambda trap, path: path.write_bytes(pickle.dumps(trap))]
)
def test_code_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: object
) -> None:
    monkeypatch.chdir(tmp_path)
    save({"w": Trap()}, tmp_path / "weights.pt")
    with pytest.raises(AttncliError, match=r"weights\.pt: refused, as it holds code.*; do this"):
        read_tensors(tmp_path / "weights.pt", remedy="do this")
    assert not Path("sprung").exists()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "content",
    [b"", b"no checkpoint", pickle.dumps({"a": 1}), b"PK\x03\x04 truncated", b"export A=1\n"],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AttncliError) as caught:
        read_tensors(path, remedy="do this")
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_file_is_named(tmp_path: Path, name: str) -> None:
    tensors = {"w": torch.rand(1000)}
    (save_file if name.endswith(".safetensors") else torch.save)(tensors, tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:300])
    with pytest.raises(AttncliError, match=f"{name}: cannot be read .*copy or make it anew"):
        read_tensors(tmp_path / name, remedy="do this")


def test_an_archive_with_a_broken_pickle_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "last.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"hello")
        archive.writestr("archive/version", "3")
    with pytest.raises(AttncliError, match=r"last\.pt: cannot be read"):
        read_tensors(tmp_path / "last.pt", remedy="do this")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(AttncliError, match=f"{name}: no such file; do this"):
        read_tensors(tmp_path / name, remedy="do this")


@pytest.mark.parametrize("name", NAMES)
def test_a_directory_is_no_file_of_tensors(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(AttncliError, match=f"{name}: cannot be read"):
        read_tensors(tmp_path / name, remedy="do this")
