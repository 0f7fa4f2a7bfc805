import json
import re
from http import HTTPStatus

import pytest

from attncli.editor.responses import (
    RefusedError,
    field_of,
    frame_position,
    json_response,
    known,
    page_file,
    page_files,
    parsed,
    picture,
)
from attncli.files.edit_directory import EditClip

CLIP = EditClip("a/b", "Push", "Pull", frames=3, fps=12.0)


@pytest.mark.parametrize("page", ["temporal_page", "spatial_page"])
def test_a_page_names_no_outside_resource_and_has_no_inline_script(page: str) -> None:
    for name, file in page_files(page).items():
        text = file.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|(?<!:)//[a-z]+\.|@import|url\(", text), name
        assert not re.search(r"<script(?![^>]* src=)|\son[a-z]+=|\sstyle=|innerHTML", text), name


@pytest.mark.parametrize("page", ["temporal_page", "spatial_page"])
def test_a_page_is_the_shared_one_with_what_is_its_own_in_its_place(page: str) -> None:
    index = page_file(page, "GET", "/")
    assert index == page_file(page, "GET", "/index.html")
    assert index.content_type == "text/html; charset=utf-8"
    assert b"<!-- clip -->" not in index.body
    assert "clip.html" not in page_files(page)


def test_other_files_and_other_methods_are_refused() -> None:
    with pytest.raises(RefusedError, match="no such page") as refusal:
        page_file("temporal_page", "GET", "/clip.html")
    assert refusal.value.status == HTTPStatus.NOT_FOUND
    with pytest.raises(RefusedError, match="PUT does nothing here") as refusal:
        page_file("temporal_page", "PUT", "/")
    assert refusal.value.status == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(("number", "position"), [("0", 0), ("2", 2), ("002", 2)])
def test_frames_are_counted_from_0(number: str, position: int) -> None:
    assert frame_position(CLIP, number) == position


@pytest.mark.parametrize("number", ["3", "-1", "1.0", "", "\u0661", "0000000001"])
def test_an_address_of_no_frame_is_refused(number: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(f"clip 'a/b' has no frame {number!r}")):
        frame_position(CLIP, number)


def test_a_picture_is_sent_as_it_lies_on_the_disk(edits) -> None:
    clip = edits.read_clips()["one"]
    shown = picture(edits, clip, "1")
    assert shown.body == edits.frame_path("one", 1).read_bytes()
    assert shown.content_type == "image/jpeg"
    edits.frame_path("one", 1).unlink()
    with pytest.raises(RefusedError, match="this frame has no thumbnail"):
        picture(edits, clip, "1")


def test_a_clip_is_known_by_its_id() -> None:
    assert known({"a/b": CLIP}, "a/b") is CLIP
    with pytest.raises(RefusedError, match="no such clip: 'c'"):
        known({"a/b": CLIP}, "c")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(RefusedError, match="what was sent is not JSON") as refusal:
        parsed(body)
    assert refusal.value.status == HTTPStatus.BAD_REQUEST


def test_a_field_is_had_where_there_is_one() -> None:
    assert field_of(parsed(b'{"scores": [1]}'), "scores") == [1]
    assert field_of({}, "scores") is None
    assert field_of([1], "scores") is None


def test_numbers_that_json_does_not_have_are_never_sent() -> None:
    assert json.loads(json_response({"a": [1.5, None]}).body) == {"a": [1.5, None]}
    with pytest.raises(ValueError, match="JSON"):
        json_response(float("nan"))
