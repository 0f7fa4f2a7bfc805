"""Which way up a video is to be shown: what phones write instead of turning every picture."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from jaxtyping import UInt8


@dataclass(frozen=True)
class Orientation:
    """How pictures are turned, in whole quarters, and mirrored before they are shown."""

    transposed: bool = False
    """Whether rows become columns, before all else."""
    mirrored: bool = False
    """Whether left and right are exchanged then."""
    upside_down: bool = False
    """Whether top and bottom are exchanged then."""

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """Return the orientation that a frame's display matrix asks for.

        The matrix maps column x and row y to a x + c y and b x + d y; its first numbers are a, b
        and, after another one, c, d, in units of 1/65536 (ISO/IEC 14496-12, section 6.2.2). Of
        angles between the quarters the nearest is taken.
        """
        found = frame.side_data.get("DISPLAYMATRIX")
        if found is None:
            return _AS_STORED
        a, b, _, c, d = np.frombuffer(cast(bytes, found), dtype=np.int32)[:5].tolist()
        if abs(a) + abs(d) < abs(b) + abs(c):
            return cls(True, mirrored=c < 0, upside_down=b < 0)
        return cls(False, mirrored=a < 0, upside_down=d < 0)

    def size_hw(self, stored_hw: tuple[int, int]) -> tuple[int, int]:
        """Return rows and columns as shown of a picture with those as stored, or the reverse."""
        return (stored_hw[1], stored_hw[0]) if self.transposed else stored_hw

    def apply(self, picture: UInt8[np.ndarray, "hs ws 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Return a picture as it is to be shown."""
        if self.transposed:
            picture = picture.swapaxes(0, 1)
        columns, rows = (
            slice(None, None, -1 if f else 1) for f in (self.mirrored, self.upside_down)
        )
        return picture if self == _AS_STORED else np.ascontiguousarray(picture[rows, columns])


_AS_STORED = Orientation()


def shown_hw(frame: VideoFrame) -> tuple[int, int]:
    """Return rows and columns of a frame as it is to be shown."""
    return Orientation.of(frame).size_hw((frame.height, frame.width))
