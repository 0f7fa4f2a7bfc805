from pathlib import Path

import numpy as np
from PIL import Image

from attncli.reporting import Silent
from attncli.workflows.predict.faces import OwnFaces
from tests.support.settings import tiny


def write_frames(folder: Path, n: int) -> Path:
    folder.mkdir()
    for number in range(n):
        pixels = np.full((30, 40, 3), 8 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
    return folder


def test_a_file_whose_face_is_not_found_fails_alone(tmp_path: Path) -> None:
    own = OwnFaces(tiny("convlstm", fold=1, face_crop="detector"), ("A", "B"), ())
    opened = own.open([write_frames(tmp_path / "grey", 5)], reporter=Silent())
    assert not opened.dataset.samples
    (failure,) = opened.failures
    assert "no face is found" in failure.error


def test_clips_of_a_whole_sequence_end_with_it(tmp_path: Path) -> None:
    own = OwnFaces(tiny("convlstm", fold=1, face_crop="centre", clips="tail"), ("A", "B"), ())
    batches = list(own.passes(write_frames(tmp_path / "s", 8)))
    indices = np.concatenate([batch.frame_indices.numpy() for batch in batches])
    assert indices.tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
