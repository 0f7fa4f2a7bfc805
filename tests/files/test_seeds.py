from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.seeds import (
    SeedDirectory,
    hash_of_ids,
    holds_seeds,
    open_seeds,
    require_unscored_background,
    write_description,
    write_seed,
)

LABELS = np.array([[0, 1], [255, 0], [1, 1]], dtype=np.uint8)
SCORES = np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 3, 2)


def make(path: Path, *, classes: tuple[str, ...] = ("cat", "dog")) -> SeedDirectory:
    write_seed(path, "2007/a.b", LABELS, np.array([0, 1]), SCORES)
    write_description(
        path,
        stage="psa",
        parameters={"power": 8, "unset": None},
        classes=classes,
        ids=["b", "a"],
        parents={"cams": "00ff"},
    )
    return open_seeds(path)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = make(tmp_path / "seeds")
    assert (found.stage, found.classes) == ("psa", ("cat", "dog"))
    assert (found.parameters, found.parents) == ({"power": 8}, {"cams": "00ff"})
    # printf 'a\nb\n' | sha256sum
    assert found.ids_sha256.startswith("911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5")
    assert found.label_map_path("2007/a.b") == tmp_path / "seeds" / "2007" / "a.b.png"
    assert found.has("2007/a.b")
    assert not found.has("2007/a")
    assert open_seeds(tmp_path / "seeds", classes=("cat", "dog")) == found


def test_the_order_of_images_does_not_matter() -> None:
    assert hash_of_ids(["b", "a"]) == hash_of_ids(["a", "b"]) != hash_of_ids(["ab"])


def test_files_are_the_same_bytes_whenever_they_are_written(tmp_path: Path) -> None:
    first, again = make(tmp_path / "1"), make(tmp_path / "2")
    for path in (first.path / "2007").iterdir():
        assert path.read_bytes() == (again.path / "2007" / path.name).read_bytes()
    assert first.sha256 == again.sha256


def test_class_activation_maps_are_found_in_their_run(tmp_path: Path) -> None:
    run = tmp_path / "cam"
    maps = run / "eval" / "train" / "score_maps"
    make(maps)
    (run / "config.toml").write_text("format_version = 1")
    assert open_seeds(run).path == maps
    assert not holds_seeds(run)
    with pytest.raises(AttncliError, match=r"cam: holds no .* of split 'val'.*--split val"):
        open_seeds(run, split="val")


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        (("cat", "cow"), "class 2 is dog here and cow there"),
        (("cat",), "class 2 is dog here and none there"),
        (("cat", "dog", "cow"), "class 3 is none here and cow there"),
        (("dog", "cat"), "class 1 is cat here and dog there"),
    ],
)
def test_seeds_of_other_classes_are_refused(
    tmp_path: Path, classes: tuple[str, ...], what: str
) -> None:
    make(tmp_path)
    with pytest.raises(AttncliError, match=what):
        open_seeds(tmp_path, classes=classes)


@pytest.mark.parametrize("content", ["", "stage = 3", "no toml", "format_version = 1\nstage = 'a'"])
def test_another_description_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "seeds.toml").write_text(content)
    with pytest.raises(AttncliError, match=r"seeds\.toml"):
        open_seeds(tmp_path)


def test_a_directory_without_seeds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"holds no seeds\.toml"):
        open_seeds(tmp_path)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    path = tmp_path / "seeds.toml"
    path.write_text(path.read_text().replace("format_version = 1", "format_version = 2"))
    with pytest.raises(AttncliError, match="format version 2"):
        open_seeds(tmp_path)


def test_seeds_that_score_the_background_are_told_from_class_activation_maps(
    tmp_path: Path,
) -> None:
    made = make(tmp_path)
    with pytest.raises(AttncliError, match="is of stage psa, whose seeds have their background"):
        require_unscored_background(made)
    require_unscored_background(replace(made, stage="cam"))
