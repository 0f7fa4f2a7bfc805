"""What goes back to an editor's page, whatever is edited: its files, pictures, JSON, refusals."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any, TypeVar

from attncli.files.clip_directory import ClipDirectory, EditClip

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
SHARED = "shared_page"
"""Folder of the files that every page is made of, besides those of its own."""
CLIP = "clip.html"
"""What a page has in the place of the comment `clip` of the shared `index.html`."""

C = TypeVar("C", bound=EditClip)


class RefusedError(Exception):
    """A request that cannot be answered.

    Args:
        status: What is wrong, as HTTP says it.
        reason: What is wrong, for people.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Response:
    """What goes back to the page."""

    body: bytes
    """The content."""
    content_type: str = "application/json"
    """What kind of content that is."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers besides those of every response."""


@cache
def page_files(page: str) -> Mapping[str, Response]:
    """Return the files a page is made of, by name; `page` is the folder of its own ones."""
    editor = resources.files("attncli.editor")
    files = {f.name: f.read_bytes() for place in (SHARED, page) for f in (editor / place).iterdir()}
    files["index.html"] = files["index.html"].replace(b"<!-- clip -->", files.pop(CLIP).strip())
    return {
        name: Response(content, CONTENT_TYPES[kind])
        for name, content in files.items()
        if (kind := f".{name.rpartition('.')[2]}") in CONTENT_TYPES
    }


def page_file(page: str, method: str, path: str) -> Response:
    """Return the file of a page at a path.

    Raises:
        RefusedError: It has no such file, or it is not to be had by this method.
    """
    if method != "GET":
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} does nothing here")
    name = path.removeprefix("/") or "index.html"
    if name not in page_files(page):
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such page")
    return page_files(page)[name]


def picture(directory: ClipDirectory, clip: EditClip, number: str) -> Response:
    """Return the picture of a frame, given by its position in the video from 0.

    Raises:
        RefusedError: There is none.
    """
    position = frame_position(clip, number)
    try:
        image = directory.frame_path(clip.id, position).read_bytes()
    except FileNotFoundError:
        raise RefusedError(HTTPStatus.NOT_FOUND, "this frame has no thumbnail") from None
    return Response(image, "image/jpeg", {"Cache-Control": "private, max-age=600"})


def frame_position(clip: EditClip, number: str) -> int:
    """Return the position of a frame in its video, counted from 0, that an address gives.

    Raises:
        RefusedError: The clip has no such frame.
    """
    if not re.fullmatch("[0-9]{1,9}", number) or int(number) >= clip.frames:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"clip {clip.id!r} has no frame {number!r}")
    return int(number)


def known(clips: Mapping[str, C], clip_id: str) -> C:
    """Return the clip of an id.

    Raises:
        RefusedError: There is none.
    """
    if clip_id not in clips:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"no such clip: {clip_id!r}")
    return clips[clip_id]


def parsed(body: bytes) -> Any:
    """Return what was sent.

    Raises:
        RefusedError: It is no JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "what was sent is not JSON") from None


def field_of(sent: Any, name: str) -> Any:
    """Return a field of what was sent; None where there is none."""
    return sent.get(name) if isinstance(sent, dict) else None


def json_response(value: Any) -> Response:
    """Return a value as JSON."""
    return Response(json.dumps(value, allow_nan=False).encode())
