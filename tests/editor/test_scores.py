import os
import threading
from pathlib import Path

import numpy as np
import pytest

from attncli.editor.scores import Score, ScoreFile, Scores, is_edited
from attncli.editor.store import EditStore
from attncli.errors import AttncliError
from attncli.files.temporal_edits import read_temporal_edits

N_FRAMES = {"one": 3, "two": 2}


def open_scores(path: Path, clips: tuple[str, ...] = ("one", "two")) -> EditStore[Scores, Score]:
    return EditStore(ScoreFile(path, clips, n_frames=N_FRAMES))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "annotators" / "anna.csv"


def test_a_new_file_begins_with_blank_scores(path: Path) -> None:
    with open_scores(path) as scores:
        assert np.isnan(scores.of("one")).all()
        assert not is_edited(scores.of("one"))
    assert path.read_text() == "id,frame,score\none,0,\none,1,\none,2,\ntwo,0,\ntwo,1,\n"


def test_a_change_is_on_disk_when_it_is_made(path: Path) -> None:
    with open_scores(path) as scores:
        assert scores.change("one", [(1, 0.5), (2, 1)]).tolist()[1:] == [0.5, 1]
        assert path.read_text() == "id,frame,score\none,0,\none,1,0.5\none,2,1\ntwo,0,\ntwo,1,\n"


def test_a_clip_is_edited_when_all_its_frames_have_scores(path: Path) -> None:
    with open_scores(path) as scores:
        scores.change("two", [(0, 0)])
        assert not is_edited(scores.of("two"))
        scores.change("two", [(1, 0)])
        assert is_edited(scores.of("two"))
        scores.change("two", [(0, None)])
        assert not is_edited(scores.of("two"))


def test_scores_are_found_again_beside_those_of_other_parts(path: Path) -> None:
    with open_scores(path, ("one",)) as scores:
        scores.change("one", [(0, 0.5), (1, 0.1)])
    with open_scores(path, ("two",)) as scores:
        scores.change("two", [(0, 1)])
    found = read_temporal_edits(path, allow_partial=True).scores
    assert found["one"].tolist()[:2] == pytest.approx([0.5, 0.1])
    assert found["two"][0] == 1


def test_a_file_without_changes_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    text = "\ufeffid,frame,score\r\none,0,0.50\r\none,1,\r\none,2,\r\n"
    path.write_bytes(text.encode())
    with open_scores(path, ("one",)):
        pass
    assert path.read_bytes() == text.encode()


def test_two_editors_cannot_have_one_file_open(path: Path) -> None:
    with open_scores(path), pytest.raises(AttncliError, match=r"anna\.csv: is in use by process"):
        open_scores(path)
    with open_scores(path):
        pass


def test_a_file_that_cannot_be_read_is_let_go(path: Path) -> None:
    with open_scores(path):
        pass
    whole = path.read_text()
    path.write_text(whole.replace("one,0,", "one,0,7"))
    with pytest.raises(AttncliError, match="not in"):
        open_scores(path)
    path.write_text(whole)
    with open_scores(path):
        pass


@pytest.mark.parametrize("vanishes", [True, False])
def test_a_file_that_another_program_changed_is_not_overwritten(path: Path, vanishes: bool) -> None:
    with open_scores(path) as scores:
        if vanishes:
            path.unlink()
        else:
            path.write_text("id,frame,score\none,0,1\n")
        with pytest.raises(AttncliError, match="another program has changed"):
            scores.change("one", [(0, 0.5)])
        assert np.isnan(scores.of("one")).all()
    assert path.exists() != vanishes


def test_what_cannot_be_written_is_not_remembered(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with open_scores(path) as scores:
        before = path.read_text()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match="No space left"):
                scores.change("one", [(0, 1)])
        assert np.isnan(scores.of("one")).all()
        assert path.read_text() == before
        scores.change("one", [(1, 1)])
    assert read_temporal_edits(path, allow_partial=True).scores["one"][1] == 1


def test_nothing_changes_once_the_file_is_closed(path: Path) -> None:
    with open_scores(path) as scores:
        pass
    with pytest.raises(AttncliError, match="ended"):
        scores.change("one", [(0, 1)])


def test_changes_from_several_threads_are_all_kept(tmp_path: Path) -> None:
    n_frames = {f"clip{number}": 20 for number in range(4)}
    with EditStore(ScoreFile(tmp_path / "edits.csv", n_frames, n_frames=n_frames)) as scores:

        def fill(clip: str) -> None:
            for frame in range(20):
                scores.change(clip, [(frame, frame / 20)])

        threads = [threading.Thread(target=fill, args=(clip,)) for clip in n_frames]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = read_temporal_edits(tmp_path / "edits.csv").scores
    for clip in n_frames:
        np.testing.assert_allclose(found[clip], np.arange(20) / 20, rtol=1e-6)
