import json
from pathlib import Path

import pytest

from attncli.config.object_abn import ObjectAbnConfig, X3DConfig
from attncli.errors import AttncliError, UsageError
from attncli.files import runs


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runs.Run:
    monkeypatch.chdir(tmp_path)
    config = ObjectAbnConfig(data=Path("ucf101"), masks=Path("masks"), milestones=(), lr=0.1)
    classes = ("Apply Eye Makeup", "Äpfel")
    return runs.create(tmp_path / "run", config, "object-abn", classes, {"torch": "2"})


def test_a_run_comes_back_as_it_was_created(run: runs.Run) -> None:
    assert runs.load(run.directory.path) == run


def test_its_paths_hold_in_any_directory(run: runs.Run, tmp_path: Path) -> None:
    assert isinstance(run.config, ObjectAbnConfig)
    assert (run.config.data, run.config.masks) == (tmp_path / "ucf101", tmp_path / "masks")


def test_its_environment_is_json_with_a_format_version(run: runs.Run) -> None:
    environment = json.loads(run.directory.environment_path.read_text())
    assert environment == {"format_version": 1, "torch": "2"}


def test_files_lie_where_other_programs_look_for_them(tmp_path: Path) -> None:
    directory = runs.RunDirectory(tmp_path)
    paths = (
        directory.last_checkpoint_path,
        directory.best_checkpoint_path,
        directory.weights_path,
        directory.log_path,
        directory.tensorboard_path,
        directory.failures_path,
        directory.evaluation_path("val"),
    )
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        *("checkpoints/last.pt", "checkpoints/best.pt", "model.safetensors", "log.csv"),
        *("tensorboard", "failures.jsonl", "eval/val"),
    ]


def test_a_directory_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match="no such run"):
        runs.load(tmp_path / "nowhere")
    with pytest.raises(AttncliError, match=r"is not a run \(it has no config\.toml\)"):
        runs.load(tmp_path)
    (tmp_path / "config.toml").write_text("format_version = 1")
    with pytest.raises(AttncliError, match="is not a run; name a directory `attncli train` wrote"):
        runs.load(tmp_path)


def test_an_unknown_method_or_key_is_named(run: runs.Run) -> None:
    path = run.directory.config_path
    written = path.read_text()
    path.write_text(written.replace('"object-abn"', '"objekt-abn"'))
    with pytest.raises(AttncliError, match=r"config\.toml: no such method: 'objekt-abn'"):
        runs.load(run.directory.path)
    path.write_text(written + "speed = 3\n")
    with pytest.raises(UsageError, match="unknown key 'speed'"):
        runs.load(run.directory.path)


def test_a_run_without_its_classes_is_named(run: runs.Run) -> None:
    run.directory.classes_path.unlink()
    with pytest.raises(AttncliError, match=r"has no classes\.txt"):
        runs.load(run.directory.path)


def test_classes_that_are_no_text_are_named(run: runs.Run) -> None:
    run.directory.classes_path.write_bytes(b"\xf8\n")
    with pytest.raises(AttncliError, match=r"classes\.txt: cannot be read"):
        runs.load(run.directory.path)


def test_settings_without_a_value_stay_without(tmp_path: Path) -> None:
    config = X3DConfig(data=tmp_path, checkpoint_every=None, depth_factor=0.5)
    created = runs.create(tmp_path / "run", config, "x3d", ("a",), {})
    assert runs.load(tmp_path / "run").config == config == created.config
