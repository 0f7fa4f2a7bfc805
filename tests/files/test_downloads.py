import hashlib
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from attncli.errors import AttncliError
from attncli.files.downloads import published_file


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where downloads are kept."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hub" / "checkpoints"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a directory whose files have addresses."""
    (tmp_path / "web").mkdir()
    return tmp_path / "web"


def test_a_file_is_fetched_once(kept: Path, source: Path) -> None:
    (source / "X3D_M.pyth").write_bytes(b"weights")
    url = (source / "X3D_M.pyth").as_uri()
    assert published_file(url) == kept / "X3D_M.pyth"
    (source / "X3D_M.pyth").unlink()
    assert published_file(url).read_bytes() == b"weights"


def test_a_file_of_the_hash_in_its_name_is_taken(source: Path) -> None:
    path = source / f"resnet18-{hashlib.sha256(b'weights').hexdigest()[:8]}.pth"
    path.write_bytes(b"weights")
    assert published_file(path.as_uri()).read_bytes() == b"weights"


def test_a_file_of_another_hash_is_not_kept(kept: Path, source: Path) -> None:
    (source / "resnet18-f37072fd.pth").write_bytes(b"half of the wei")
    with pytest.raises(AttncliError, match=r"f37072fd\.pth: cannot be downloaded \(invalid hash"):
        published_file((source / "resnet18-f37072fd.pth").as_uri())
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [URLError("no route to host"), TimeoutError("no route to host"), IncompleteRead(b"", 9)],
)
def test_what_cannot_be_fetched_is_one_line_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    with pytest.raises(AttncliError) as caught:
        published_file("https://example.org/w.pth")
    told = "no route to host" if "route" in str(error) else str(error).lower()
    assert str(caught.value) == (
        f"https://example.org/w.pth: cannot be downloaded ({told});"
        " fetch it elsewhere and pass --weights FILE, or, to train, --weights none"
    )


def test_a_place_that_cannot_be_written_is_named(
    kept: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.parent.mkdir(parents=True)
    kept.write_text("a file where the directory should be")
    with pytest.raises(AttncliError, match=r"w\.pth: cannot be downloaded"):
        published_file((source / "w.pth").as_uri())


def test_without_a_home_it_is_said_how_to_name_a_place(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "~/.cache/torch/hub")
    with pytest.raises(AttncliError, match="the home directory is unknown; set TORCH_HOME"):
        published_file((source / "X3D_M.pyth").as_uri())
