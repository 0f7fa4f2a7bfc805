"""The size a frame takes when its short side is given."""


def short_side_hw(size_hw: tuple[int, int], short_side_px: int) -> tuple[int, int]:
    """Return rows and columns whose shorter is `short_side_px`, in the aspect of `size_hw`.

    >>> short_side_hw((240, 320), 256)
    (256, 341)
    """
    height, width = size_hw
    if height <= width:
        return short_side_px, round(width * short_side_px / height)
    return round(height * short_side_px / width), short_side_px
