from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from attncli.visualization.clips import HeatStyle
from attncli.visualization.page.heading import Heading
from attncli.visualization.whole_video import LEAST_WIDTH_PX, WholeVideo, draw_whole_video

STYLE = HeatStyle(colormap="gray", opacity=1.0)


def pictures(**changes: Any) -> list[np.ndarray]:
    frames = [np.full((60, 400, 3), value, np.uint8) for value in (90, 91, 92)]
    given = {
        "heading": Heading("a.mp4", ("Hop",)),
        "frames": iter(frames),
        "rate": Fraction(25),
        "box_xyxy": (100.0, 0.0, 300.0, 60.0),
        "seen": np.array([True, False, True]),
        "spatial": np.stack([np.full((2, 2), value, np.float32) for value in (1, 1, 0)]),
    }
    return list(draw_whole_video(WholeVideo(**(given | changes)), STYLE))


def body(picture: np.ndarray, value: int) -> int:
    """The first row of the frame, by a pixel outside the box."""
    return int(np.flatnonzero((picture[:, 5] == value).all(axis=1))[0])


def test_attention_lies_on_what_was_seen_alone() -> None:
    drawn = pictures()
    assert len({picture.shape for picture in drawn}) == 1
    top = body(drawn[0], 90)
    middle = drawn[0][top + 30]
    assert (middle[5] == 90).all() and (middle[395] == 90).all()
    assert (middle[200] == 255).all()  # attention 1 is white
    assert (drawn[1][top : top + 60] == 91).all()  # no clip showed it
    assert (drawn[2][top + 30, 200] == 92).all()  # attention 0 lets the frame through


def test_the_pointer_walks_along_temporal_attention() -> None:
    plain, drawn = pictures(), pictures(temporal=np.array([0, 0.5, 1], np.float32))
    assert drawn[0].shape[0] > plain[0].shape[0]
    top = body(drawn[0], 90) + 60
    tips = [np.flatnonzero((p[top + 16] == 0).all(axis=1)).mean() for p in drawn]
    assert tips == pytest.approx([66, 200, 333], abs=2)


def test_small_frames_are_enlarged() -> None:
    frames = iter([np.zeros((9, 50, 3), np.uint8)])
    (drawn,) = pictures(frames=frames, box_xyxy=(0.0, 0.0, 50.0, 9.0))
    assert drawn.shape[1] >= LEAST_WIDTH_PX


def test_frames_are_taken_one_at_a_time() -> None:
    taken = []

    def frames() -> Any:
        for number in range(3):
            taken.append(number)
            yield np.zeros((60, 400, 3), np.uint8)

    drawn = draw_whole_video(
        WholeVideo(
            Heading("a", ("",)), frames(), Fraction(25), (0.0, 0.0, 9.0, 9.0), np.ones(3, bool)
        ),
        STYLE,
    )
    next(drawn)
    assert taken == [0]
