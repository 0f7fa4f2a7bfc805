import http.client
import json
import os
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from attncli.editor.answers import ClipAnswer
from attncli.editor.responses import CLIP, page_files
from attncli.editor.server import LARGEST_BODY, EditorServer
from attncli.errors import AttncliError

CHANGE = {"changes": [[0, 0.5]]}
ONE = "/api/clips/one"
WRITERS = 40
EVERYTHING = [
    ("GET", "/"),
    ("GET", "/editor.js"),
    ("GET", "/api/session"),
    ("GET", ONE),
    ("PATCH", ONE),
    ("POST", "/api/answers/one"),
    ("GET", "/frames/one/0"),
    ("OPTIONS", ONE),
    ("PUT", ONE),
    ("DELETE", ONE),
    ("HEAD", "/"),
    ("GET", "/no/such/page"),
]


def test_the_printed_address_opens_the_page_and_leaves_a_cookie(editor: Any) -> None:
    address = editor.server.access.address
    path = address.removeprefix(f"http://127.0.0.1:{editor.port}")
    reply = editor.ask("GET", path, token=None)
    assert reply.status == 200
    assert b"<!doctype html>" in reply.body
    cookie = reply.headers["Set-Cookie"].partition(";")[0]
    again = editor.ask("GET", "/api/session", token=None, headers={"Cookie": cookie})
    assert again.status == 200


@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_every_request_without_the_token_is_refused(editor: Any, token: str | None) -> None:
    for method, path in EVERYTHING:
        reply = editor.ask(method, path, CHANGE if method == "PATCH" else None, token=token)
        assert reply.status == 403, (method, path)
        assert "Set-Cookie" not in reply.headers
    assert editor.on_disk("one") == [None] * 6


def test_a_wrong_token_in_the_address_is_refused(editor: Any) -> None:
    assert editor.ask("GET", "/?token=wrong").status == 403
    assert editor.ask("GET", f"{ONE}?token={editor.server.access.token}", token=None).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "null"},
    ],
)
def test_a_foreign_host_or_origin_is_refused_even_with_the_token(
    editor: Any, headers: dict[str, str]
) -> None:
    sent = {name: value.format(port=editor.port) for name, value in headers.items()}
    for method in ("GET", "PATCH"):
        assert editor.ask(method, ONE, CHANGE, headers=sent).status == 403
    assert editor.on_disk("one") == [None] * 6


def test_a_forwarded_port_is_refused_with_a_way_out(editor: Any) -> None:
    other = editor.port % 65535 + 1
    reply = editor.ask("GET", "/", headers={"Host": f"localhost:{other}"})
    assert reply.status == 403
    assert f"ssh -L {editor.port}:127.0.0.1:{editor.port} ..." in reply.body.decode()


def test_it_listens_on_this_machine_only(editor: Any) -> None:
    assert editor.server.server_address[0] == "127.0.0.1"


def test_nothing_comes_from_outside(editor: Any) -> None:
    for path in ("/", "/editor.js", ONE, "/no/such/page"):
        headers = editor.ask("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert not re.search(r"https?:|\*|data:", policy)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_every_file_of_the_page_is_served(editor: Any) -> None:
    editor_files = resources.files("attncli.editor")
    folders = [editor_files / folder for folder in ("shared_page", "temporal_page")]
    files = page_files("temporal_page")
    names = {file.name for folder in folders for file in folder.iterdir()} - {CLIP}
    assert names == set(files)
    for name in names:
        reply = editor.ask("GET", f"/{name}")
        assert reply.status == 200
        assert reply.body == files[name].body
    assert editor.ask("GET", "/editor.js").headers["Content-Type"].startswith("text/javascript")


def test_no_path_leads_out(editor: Any) -> None:
    paths = [
        "/../edits.csv",
        "/%2e%2e/edits.csv",
        "/..%2f..%2fedits.csv",
        "/page/index.html",
        "//etc/passwd",
        "/frames/../0",
        "/frames/one/../../../edits.csv",
        "/frames/%2e%2e/0",
        "/frames/one/%2e%2e%2f%2e%2e%2fedits.csv",
        "/frames//0",
        "/api/clips/..",
    ]
    for path in paths:
        assert editor.ask("GET", path).status == 404, path


@pytest.mark.parametrize(
    "number", ["6", "-1", "1.0", "x", "", "00000000000000", "\u0661", "999999999"]
)
def test_a_frame_that_is_not_there_is_not_found(editor: Any, number: str) -> None:
    assert editor.ask("GET", f"/frames/one/{quote(number)}").status == 404


def test_thumbnails_are_those_of_the_clip(editor: Any) -> None:
    reply = editor.ask("GET", "/frames/a%2Ftwo%2C%20more/3")
    assert reply.headers["Content-Type"] == "image/jpeg"
    assert reply.body == editor.directory.frame_path("a/two, more", 3).read_bytes()
    editor.directory.frame_path("one", 2).unlink()
    assert editor.ask("GET", "/frames/one/2").status == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b"7", b"\xff\xfe", b'{"changes": [[0, NaN]]}', b"[" * 100_000],
    ids=["empty", "cut", "list", "number", "bytes", "nan", "deep"],
)
def test_bad_json_is_refused(editor: Any, body: bytes) -> None:
    reply = editor.ask("PATCH", ONE, body=body)
    assert reply.status == 400
    assert reply.json["error"]
    assert editor.on_disk("one") == [None] * 6


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_an_unknown_clip_is_not_found(editor: Any, method: str) -> None:
    path = "/api/answers/three" if method == "POST" else "/api/clips/three"
    reply = editor.ask(method, path, CHANGE)
    assert reply.status == 404
    assert "'three'" in reply.json["error"]


def test_a_form_of_another_site_cannot_look_like_the_page(editor: Any) -> None:
    kind = {"Content-Type": "text/plain"}
    assert editor.ask("PATCH", ONE, CHANGE, headers=kind).status == 415


def test_too_much_content_is_refused_unread(editor: Any) -> None:
    for length in (str(LARGEST_BODY + 1), "9" * 5000, "0" * 30):
        head = {"Content-Length": length}
        assert editor.ask("PATCH", ONE, body=b"", headers=head).status == 413
    assert editor.ask("PATCH", ONE, body=b"", headers={"Content-Length": "-1"}).status == 411


def test_other_methods_do_nothing(editor: Any) -> None:
    for method in ("PUT", "DELETE", "OPTIONS"):
        assert editor.ask(method, ONE, CHANGE).status == 405
    assert editor.ask("PATCH", "/api/session", CHANGE).status == 405


def test_one_connection_serves_many_requests(editor: Any) -> None:
    own = editor.server.access
    connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=300)
    head = {"Cookie": f"attncli-{own.port}={own.token}", "Content-Type": "application/json"}
    connection.connect()
    used = connection.sock
    for score in (0, 0.5, 1):
        connection.request("PATCH", ONE, json.dumps({"changes": [[0, score]]}), head)
        assert json.loads(connection.getresponse().read())["scores"][0] == score
        assert connection.sock is used
    connection.close()


class Broken:
    def answer(self, clip_id: str, scores: np.ndarray) -> ClipAnswer:
        raise RuntimeError("out of order")


def test_an_error_nobody_foresaw_is_told_to_page_and_terminal(
    serve: Callable[..., Any], listener: Any
) -> None:
    with serve(Broken()) as editor:
        answer = editor.ask("POST", "/api/answers/one", {"scores": [None] * 6})
        assert (answer.status, answer.json) == (500, {"error": "RuntimeError: out of order"})
    assert listener.said == ["editor: RuntimeError: out of order"]


def test_a_full_disk_is_named_and_nothing_is_said_to_be_saved(
    editor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        reply = editor.ask("PATCH", ONE, CHANGE)
    assert reply.status == 500
    assert "edits.csv: No space left on device" in reply.json["error"]
    assert editor.on_disk("one") == editor.ask("GET", ONE).json["scores"] == [None] * 6


def test_a_file_changed_by_another_program_is_named(editor: Any) -> None:
    path: Path = editor.directory.edits_path
    path.write_text(path.read_text().replace("one,0,", "one,0,1"))
    reply = editor.ask("PATCH", ONE, {"changes": [[1, 0]]})
    assert reply.status == 409
    assert "another program" in reply.json["error"]
    assert editor.on_disk("one") == [1, None, None, None, None, None]


def test_a_browser_that_leaves_is_no_news(editor: Any, listener: Any) -> None:
    with socket.create_connection(("127.0.0.1", editor.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x")
    assert editor.ask("GET", "/api/session").status == 200
    assert listener.said == []


def test_a_port_that_is_taken_is_named(editor: Any, listener: Any) -> None:
    with pytest.raises(
        AttncliError, match=rf"--port: cannot listen on port {editor.port} .*in use"
    ):
        EditorServer(editor.server.api, editor.port, listener)


def test_connections_wait_until_they_are_taken_up(editor: Any, listener: Any) -> None:
    with EditorServer(editor.server.api, 0, listener) as server, ExitStack() as opened:
        for _ in range(WRITERS):  # nobody takes them up
            address = ("127.0.0.1", server.server_port)
            opened.enter_context(socket.create_connection(address, timeout=60))


def test_many_writers_at_once_lose_no_change(editor: Any) -> None:
    clip, url = "long", "/api/clips/long"
    for score in (0.25, 0.5, 0.75):
        together = Barrier(WRITERS)

        def write(frame: int, score: float = score, together: Barrier = together) -> int:
            together.wait(timeout=600)
            return editor.ask("PATCH", url, {"changes": [[frame, score]]}).status

        with ThreadPoolExecutor(WRITERS) as threads:
            assert set(threads.map(write, range(WRITERS))) == {200}
        assert editor.on_disk(clip)[:WRITERS] == [score] * WRITERS
