from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.edit_directory import EditDirectory
from attncli.files.temporal_edits import read_temporal_edits
from attncli.reporting import Outcome, Silent
from attncli.workflows.edit.temporal.import_npy import import_for_dataset, import_into_directory


def save(path: Path, values: Any, dtype: Any = np.float32) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.array(values, dtype=dtype))
    return path


def import_(edits: EditDirectory, vectors: Path, **options: Any) -> Outcome:
    defaults = {"overwrite": False, "dry_run": False, "reporter": Silent()}
    return import_into_directory(edits.path, vectors, **(defaults | options))


@pytest.mark.parametrize("name", ["000123.npy", "87/000123.npy"])
def test_vectors_fill_the_edits_however_they_are_laid_out(
    make_edits: Callable[..., EditDirectory], tmp_path: Path, name: str
) -> None:
    edits = make_edits(**{"000123": 3, "b": 1})
    save(tmp_path / "vectors" / name, [0, 0.5, 1])
    (row,) = import_(edits, tmp_path / "vectors").rows
    found = edits.read_edits()
    assert found.scores["000123"].tolist() == [0, 0.5, 1]
    assert (found.ids, found.unedited) == (("000123",), ("b",))
    assert (row["edited"], row["unedited"]) == (1, 1)


def test_ids_that_are_paths_are_found(
    make_edits: Callable[..., EditDirectory], tmp_path: Path
) -> None:
    edits = make_edits(**{"Push/v_1.2": 1})
    save(tmp_path / "vectors" / "Push" / "v_1.2.npy", [1], dtype=np.float64)
    import_(edits, tmp_path / "vectors")
    assert edits.read_edits().scores["Push/v_1.2"].tolist() == [1]


def test_edits_that_are_there_stay_unless_they_may_go(
    make_edits: Callable[..., EditDirectory], tmp_path: Path
) -> None:
    edits = make_edits(a=1, b=1)
    save(tmp_path / "v" / "a.npy", [0.5])
    import_(edits, tmp_path / "v", dry_run=True)
    assert edits.read_edits().ids == ()
    import_(edits, tmp_path / "v")
    with pytest.raises(AttncliError, match="clip 'a' is edited already"):
        import_(edits, tmp_path / "v")
    save(tmp_path / "w" / "b.npy", [1])
    import_(edits, tmp_path / "w")
    assert edits.read_edits().ids == ("a", "b")


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        ([0, 1], np.float32, r"is of shape \(2,\), but its video has 3 frames"),
        ([[0, 1, 0]], np.float32, r"is of shape \(1, 3\)"),
        ([0, 1.5, 1], np.float32, r"frame 1: score 1.5 is not in \[0, 1\]"),
        ([0, 1, np.nan], np.float32, "frame 2: score nan is not in"),
        ([0, None, 1], object, "not a plain .npy array"),
        (["0", "x", "1"], None, "not a plain .npy array"),
        (["0", "0.5", "1"], None, "not a plain .npy array of numbers"),
        ([0, 1j, 1], None, "not a plain .npy array of numbers"),
        ([0, 0, 0], "M8[s]", "not a plain .npy array of numbers"),
    ],
)
def test_what_is_no_vector_of_scores_is_named(
    make_edits: Callable[..., EditDirectory],
    tmp_path: Path,
    values: Any,
    dtype: Any,
    message: str,
) -> None:
    edits = make_edits(a=3)
    file = save(tmp_path / "v" / "a.npy", values, dtype)
    with pytest.raises(AttncliError, match=message) as raised:
        import_(edits, tmp_path / "v")
    assert str(raised.value).startswith(f"{file}: ")
    assert edits.read_edits().ids == ()


def test_damaged_files_unknown_clips_and_doubles_are_refused(
    make_edits: Callable[..., EditDirectory], tmp_path: Path
) -> None:
    edits = make_edits(a=1)
    (tmp_path / "v").mkdir()
    with pytest.raises(AttncliError, match=r"v: holds no \.npy file; check --vectors"):
        import_(edits, tmp_path / "v")
    with pytest.raises(AttncliError, match="no such directory"):
        import_(edits, tmp_path / "none")
    (tmp_path / "v" / "a.npy").write_bytes(b"")
    with pytest.raises(AttncliError, match=r"a\.npy: is not a plain"):
        import_(edits, tmp_path / "v")
    save(tmp_path / "v" / "1" / "a.npy", [1])
    with pytest.raises(AttncliError, match="clip 'a' has a vector already"):
        import_(edits, tmp_path / "v")
    save(tmp_path / "w" / "z.npy", [1])
    with pytest.raises(AttncliError, match=r"z\.npy: no such clip: 'z'"):
        import_(edits, tmp_path / "w")


@pytest.fixture
def dataset(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    path = tmp_path / "manifest.csv"
    lines = [
        f"{id_},{make_video(id_, n)},Push,{split}\n"
        for id_, n, split in (("a", 3, "train"), ("b", 2, "train"), ("c", 2, "val"))
    ]
    path.write_text("id,path,label,split\n" + "".join(lines))
    return path


def import_for(dataset: Path, vectors: Path, out: Path, **options: Any) -> Outcome:
    defaults = {"layout": "auto", "overwrite": False, "dry_run": False, "reporter": Silent()}
    return import_for_dataset(out, vectors, dataset, **(defaults | options))


def test_vectors_become_edits_of_a_datasets_training_videos(dataset: Path, tmp_path: Path) -> None:
    save(tmp_path / "v" / "3" / "a.npy", [0, 0.5, 1])
    out = tmp_path / "edits.csv"
    import_for(dataset, tmp_path / "v", out, dry_run=True)
    assert not out.exists()
    (row,) = import_for(dataset, tmp_path / "v", out).rows
    assert (row["file"], row["edited"], row["frames"]) == (str(out), 1, 3)
    assert read_temporal_edits(out).scores["a"].tolist() == [0, 0.5, 1]
    for dry_run in (False, True):
        with pytest.raises(AttncliError, match="exists already"):
            import_for(dataset, tmp_path / "v", out, dry_run=dry_run)
    import_for(dataset, tmp_path / "v", out, overwrite=True)


def test_vectors_must_fit_the_videos_themselves(dataset: Path, tmp_path: Path) -> None:
    save(tmp_path / "v" / "a.npy", [0, 1])
    with pytest.raises(AttncliError, match=r"a\.npy: is of shape \(2,\), but its video has 3"):
        import_for(dataset, tmp_path / "v", tmp_path / "edits.csv")
    save(tmp_path / "w" / "c.npy", [0, 1])
    with pytest.raises(AttncliError, match="no such clip: 'c'"):
        import_for(dataset, tmp_path / "w", tmp_path / "edits.csv")
    assert not (tmp_path / "edits.csv").exists()


def test_videos_that_cannot_be_read_are_named_and_left_out(dataset: Path, tmp_path: Path) -> None:
    save(tmp_path / "v" / "a.npy", [0, 0, 1])
    save(tmp_path / "v" / "b.npy", [0, 1])
    for picture in (tmp_path / "videos" / "b").iterdir():
        picture.unlink()
    outcome = import_for(dataset, tmp_path / "v", tmp_path / "edits.csv")
    assert [failure.id for failure in outcome.failures] == ["b"]
    assert read_temporal_edits(tmp_path / "edits.csv").ids == ("a",)
