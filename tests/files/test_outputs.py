import pytest

from attncli.errors import AttncliError, UsageError
from attncli.files.locks import held
from attncli.files.outputs import claim, claim_file


@pytest.fixture
def full(tmp_path):
    """Return a directory with a file, a subdirectory and a link out of it."""
    path = tmp_path / "full"
    (path / "sub").mkdir(parents=True)
    (path / "sub" / "old.txt").write_text("old")
    (path / "old.txt").write_text("old")
    (path / "config.toml").write_text("format_version = 1")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept.txt").write_text("kept")
    (path / "link").symlink_to(tmp_path / "outside")
    return path


def test_a_new_output_is_allowed_and_not_made(tmp_path):
    claim(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()


def test_an_empty_directory_is_as_good_as_none(tmp_path):
    claim(tmp_path)


def test_what_is_there_is_refused_with_what_to_do(full):
    with pytest.raises(AttncliError, match="exists already; pass --overwrite, or write elsewhere"):
        claim(full / "old.txt")
    with pytest.raises(AttncliError, match="exists already; pass --overwrite or --resume, or"):
        claim(full, resume=False)


def test_resuming_leaves_everything(full):
    claim(full, resume=True)
    assert (full / "sub" / "old.txt").read_text() == "old"


def test_overwriting_empties_a_directory_but_follows_no_link(full, tmp_path):
    claim(full, overwrite=True)
    assert list(full.iterdir()) == []
    assert (tmp_path / "outside" / "kept.txt").read_text() == "kept"


@pytest.mark.parametrize("settings", [None, "", "format_version", "size = 3", b"\xff"])
def test_overwriting_never_empties_a_directory_somebody_else_wrote(full, settings):
    (full / "config.toml").unlink()
    if settings is not None:
        content = settings if isinstance(settings, bytes) else settings.encode()
        (full / "config.toml").write_bytes(content)
    with pytest.raises(AttncliError, match="is not an output of attncli; remove it yourself"):
        claim(full, overwrite=True)
    assert (full / "old.txt").exists()


def test_overwriting_leaves_a_file_for_its_replacement(full):
    claim(full / "old.txt", overwrite=True)
    assert (full / "old.txt").read_text() == "old"


def test_overwriting_never_empties_inputs_the_home_or_the_working_directory(
    full, tmp_path, monkeypatch
):
    with pytest.raises(AttncliError, match="must stay"):
        claim(full, overwrite=True, inputs=[full / "sub"])
    monkeypatch.chdir(full / "sub")
    with pytest.raises(AttncliError, match="must stay"):
        claim(full, overwrite=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(full))
    with pytest.raises(AttncliError, match="must stay"):
        claim(full, overwrite=True)
    assert (full / "sub" / "old.txt").exists()


def test_overwriting_and_resuming_exclude_each_other(tmp_path):
    with pytest.raises(UsageError, match="exclude each other"):
        claim(tmp_path, overwrite=True, resume=True)


def test_a_directory_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(AttncliError, match=f"{tmp_path}: cannot be written"):
        claim(tmp_path / "a" / "b")


def test_a_file_where_a_directory_should_be_is_refused(full):
    with pytest.raises(AttncliError, match=r"old\.txt: is a file, not a directory"):
        claim(full / "old.txt" / "run")


def test_a_directory_is_never_emptied_for_a_file(full, tmp_path):
    with pytest.raises(AttncliError, match="is a directory, not a file; name a file"):
        claim_file(full, overwrite=True)
    assert (full / "sub" / "old.txt").read_text() == "old"
    claim_file(full / "old.txt", overwrite=True)
    claim_file(tmp_path / "new.txt")
    with pytest.raises(AttncliError, match="exists already"):
        claim_file(full / "old.txt")


def test_a_directory_of_clips_for_editing_is_emptied_only_by_who_looked_for_edits(full):
    (full / "clips.csv").write_text("id")
    (full / "frames").mkdir()
    with pytest.raises(AttncliError, match="holds people's edits; remove it yourself"):
        claim(full, overwrite=True)
    assert (full / "sub" / "old.txt").read_text() == "old"
    claim(full, overwrite=True, may_hold_edits=True)
    assert list(full.iterdir()) == []


def test_what_killed_processes_left_goes_when_an_output_is_claimed_again(tmp_path):
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.toml").write_text("format_version = 1\n")
    left = [run / ".attncli-0123abcd.tmp.toml", run / "checkpoints" / ".last.pt.99.tmp.pt"]
    for path in (*left, tmp_path / ".attncli-89abcdef.tmp.png"):
        path.touch()
    claim(run, resume=True)
    assert sorted(path.name for path in run.rglob("*")) == ["checkpoints", "config.toml"]
    claim_file(tmp_path / "fig.png")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_lock_is_no_output(tmp_path):
    with held(tmp_path / "run"):
        claim(tmp_path / "run")
        (tmp_path / "run" / "config.toml").write_text("format_version = 1\n")
        claim(tmp_path / "run", overwrite=True)
        assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
