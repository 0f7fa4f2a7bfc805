"""Edit directories small enough to be made for every test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump
from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.temporal_edits import write_temporal_edits

MakeEdits = Callable[..., EditDirectory]


@pytest.fixture
def make_edits(tmp_path: Path) -> MakeEdits:
    """Makes an edit directory of clips with the given numbers of frames, and blank scores."""

    def make(**frames: int) -> EditDirectory:
        directory = EditDirectory(tmp_path / "edits")
        directory.annotators_path.mkdir(parents=True)
        directory.config_path.write_text(dump(SelectConfig(run=tmp_path / "run")))
        directory.write_clips(EditClip(id_, "Push", "Pull", n, 12.0) for id_, n in frames.items())
        blank = {id_: np.full(n, np.nan, np.float32) for id_, n in frames.items()}
        own = {id_: np.full(n, 0.25, np.float32) for id_, n in frames.items()}
        write_temporal_edits(directory.edits_path, blank)
        write_temporal_edits(directory.attention_path, own)
        return directory

    return make


@pytest.fixture
def vector() -> Callable[..., np.ndarray]:
    """Makes the scores of a clip; NaN where None is given."""

    def make(*scores: float | None) -> np.ndarray:
        return np.array([np.nan if s is None else s for s in scores], dtype=np.float32)

    return make
