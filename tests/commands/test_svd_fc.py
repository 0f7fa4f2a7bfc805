import json
from pathlib import Path
from typing import Any

from attncli.files.features import open_features
from tests.support.image_folder import write_image_folder

NETWORK = "shufflenet_v2_x0_5"


def test_features_are_written_and_what_failed_is_named(run_cli: Any, tmp_path: Path) -> None:
    data = write_image_folder(tmp_path / "data")
    (data / "train" / "a" / "0.png").write_bytes(b"no image")
    words = ("svd-fc", data, "--weights", "I=none", "--network", NETWORK, "--layers", "conv5,conv4")
    words = (*words, "-j", 0, "--device", "cpu", "--resize-px", 70, "--crop-px", 64)
    answer = run_cli(*words, "-o", tmp_path / "out", "--json")
    assert answer.exit_code == 3, answer.stderr
    assert "1 could not be used" in answer.stderr
    assert "0.png" in answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["source"], row["layers"], row["images"], row["failed"]) == (
        "I",
        "conv5,conv4",
        9,
        1,
    )
    assert open_features(tmp_path / "out").layers == ("conv5", "conv4")


def test_a_name_given_twice_is_an_error_of_usage(run_cli: Any, tmp_path: Path) -> None:
    data = write_image_folder(tmp_path / "data")
    words = ("svd-fc", data, "--weights", "I=none", "--weights", "I=imagenet")
    answer = run_cli(*words, "-o", tmp_path / "out", "--dry-run")
    assert answer.exit_code == 2
    assert "--weights: names source I twice; give each network a name of its own" in answer.stderr
    assert not (tmp_path / "out").exists()
