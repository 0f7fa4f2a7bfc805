from pathlib import Path

from attncli.files.features import open_features
from attncli.workflows.svd_fc.table import finished_rows
from tests.support.features import make_features


def test_there_is_a_row_a_network(tmp_path: Path) -> None:
    ways = {"sources": ("I", "P"), "fusions": ("I+P",), "pool": "mpn-cbp"}
    found = open_features(make_features(tmp_path / "f", **ways))
    rows = finished_rows(found, 12.3456)
    assert [row["source"] for row in rows] == ["I", "P"]
    first = dict(rows[0])
    shares = first.pop("sigma_80_percent"), first.pop("sigma2_80_percent")
    assert all(isinstance(share, float) and 0 < share <= 100 for share in shares)
    assert first == {
        "run": str(tmp_path / "f"),
        "source": "I",
        "network": "resnet18",
        "classes": 10,
        "layers": "fc,svd-fc",
        "pooling": "mpn-cbp",
        "images": 36,
        "failed": 0,
        "images_per_sec": 12.35,
    }


def test_there_are_no_shares_without_a_basis(tmp_path: Path) -> None:
    path = make_features(tmp_path / "f")
    (path / "basis.npz").unlink()
    (row,) = finished_rows(open_features(path), None)
    assert row["sigma_80_percent"] is None
    assert row["images_per_sec"] is None
