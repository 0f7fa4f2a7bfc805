import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.data.scaling import reduced_hw, short_side_hw

SIDES = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("size_hw", "short_side_px", "expected"),
    [
        ((240, 320), 256, (256, 341)),  # 320 * 256 / 240 = 341.3
        ((320, 240), 256, (341, 256)),
        ((100, 100), 7, (7, 7)),
        ((3, 8), 2, (2, 5)),  # 8 * 2 / 3 = 5.3
    ],
)
def test_the_short_side_is_what_was_asked_for_and_the_other_keeps_the_aspect(
    size_hw, short_side_px, expected
):
    assert short_side_hw(size_hw, short_side_px) == expected


@given(SIDES, SIDES, SIDES)
def test_frames_are_reduced_and_never_enlarged(height: int, width: int, short_side_px: int) -> None:
    reduced = reduced_hw((height, width), short_side_px)
    assert min(reduced) == min(height, width, short_side_px)
    if min(height, width) <= short_side_px:
        assert reduced == (height, width)


@given(SIDES, SIDES, SIDES)
def test_turned_frames_have_turned_sizes(height: int, width: int, short_side_px: int) -> None:
    turned = short_side_hw((width, height), short_side_px)
    assert short_side_hw((height, width), short_side_px) == turned[::-1]
