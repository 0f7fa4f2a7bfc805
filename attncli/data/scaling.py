"""The size frames take when their short side is given."""


def short_side_hw(size_hw: tuple[int, int], short_side_px: int) -> tuple[int, int]:
    """Return rows and columns whose shorter is `short_side_px`, in the aspect of `size_hw`.

    >>> short_side_hw((240, 320), 256)
    (256, 341)
    """
    height, width = size_hw
    if height <= width:
        return short_side_px, round(width * short_side_px / height)
    return round(height * short_side_px / width), short_side_px


def reduced_hw(size_hw: tuple[int, int], short_side_px: int) -> tuple[int, int]:
    """Return `size_hw` with its shorter side reduced to `short_side_px` where it is longer.

    >>> reduced_hw((240, 320), 256)
    (240, 320)
    """
    return size_hw if min(size_hw) <= short_side_px else short_side_hw(size_hw, short_side_px)
