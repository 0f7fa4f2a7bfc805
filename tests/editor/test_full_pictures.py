import io
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from attncli.editor.full_pictures import PictureProcess
from attncli.errors import AttncliError


def test_a_frame_is_told_at_the_videos_resolution(editor: Any) -> None:
    reply = editor.ask("GET", "/full/one/3")
    assert reply.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(reply.body)).size == (128, 96)
    for path in ("/full/one/6", "/full/one/-1", "/full/none/0"):
        assert editor.ask("GET", path).status == 404


def test_why_there_is_none_is_told(editor: Any) -> None:
    reply = editor.ask("GET", "/full/a%2Ftwo%2C%20more/0")
    assert (reply.status, reply.json) == (200, {"unavailable": "two.mp4: no such video"})


def test_pictures_come_from_another_process() -> None:
    make = partial(SimpleNamespace, picture=partial(bytes.replace, b"clip"))
    with PictureProcess(make) as pictures:
        assert pictures.ask("picture", b"c", b"C") == b"Clip"
    with pytest.raises(AttncliError, match="has ended"):
        pictures.picture("one", 3)
