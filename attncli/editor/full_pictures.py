"""Pictures of frames at the video's own resolution, where it can still be read."""

from typing import Protocol, runtime_checkable

from attncli.editor.answers import AskedProcess
from attncli.editor.responses import Response, json_response
from attncli.errors import AttncliError


@runtime_checkable
class FullPictures(Protocol):
    """What can be asked for a large picture of a frame."""

    def picture(self, clip_id: str, frame: int) -> bytes:
        """Return a frame as JPEG, at the video's resolution.

        Args:
            clip_id: The video's id in its dataset.
            frame: Position in the video, counted from 0.

        Raises:
            AttncliError: The video cannot be read; the message says why.
        """
        ...


class PictureProcess(AskedProcess[FullPictures]):
    """Large pictures from a process of its own, so that saving never waits for a video."""

    def picture(self, clip_id: str, frame: int) -> bytes:
        """Return a frame as JPEG, once those asked for before are there."""
        picture: bytes = self.ask("picture", clip_id, frame)
        return picture


def full_picture(pictures: FullPictures, clip_id: str, frame: int) -> Response:
    """Return a large picture, or as JSON why there is none: the small one has to do then."""
    try:
        image = pictures.picture(clip_id, frame)
    except AttncliError as error:
        return json_response({"unavailable": str(error)})
    return Response(image, "image/jpeg", {"Cache-Control": "private, max-age=600"})
