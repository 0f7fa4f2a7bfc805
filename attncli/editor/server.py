"""The editor's web server: for this machine only, and on it for its own page only."""

import json
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from attncli.editor.access import HOST, Access
from attncli.editor.api import EditorApi
from attncli.editor.doorway import doorway
from attncli.editor.responses import RefusedError, Response
from attncli.errors import AttncliError
from attncli.reporting import Reporter

LARGEST_BODY = 1 << 24
"""Bytes; painted masks of a video of 1,000 frames fit in."""
MOST_DIGITS = len(str(LARGEST_BODY))
IDLE_SEC = 60
"""How long a silent connection is kept."""
WAITING = 128
"""Connections that wait to be taken up; what the system drops beyond it looks like a failure."""
ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end the server as Ctrl-C does: asked to end, and the terminal was closed."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every response: nothing from outside, nothing to the outside."""


def serve_page(api: EditorApi[Any], *, port: int, browser: bool, reporter: Reporter) -> None:
    """Serve a page until Ctrl-C, which is its normal end, or a signal of `ENDS`.

    Args:
        api: What the page asks.
        port: Where to listen on 127.0.0.1; any free port where 0.
        browser: Whether to open the page in the browser.
        reporter: Is told the address.

    Raises:
        AttncliError: The port is taken, or there is no room for the file that the browser opens.
    """
    with (
        _ended_as_interrupted(),
        EditorServer(api, port, reporter) as server,
        suppress(KeyboardInterrupt),
    ):
        reporter.note(f"the page is at {server.access.address}")
        reporter.note("every change is saved; end with Ctrl-C")
        with _opened(server.access.address) if browser and _has_screen() else nullcontext():
            server.serve_forever()


@contextmanager
def _opened(address: str) -> Iterator[None]:
    """Open an address in the browser, which is told nothing but the name of a file."""
    with doorway(address) as page:
        webbrowser.open(page.as_uri())
        yield


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Let the signals of `ENDS` raise `KeyboardInterrupt`, so that what was opened is closed.

    A signal that somebody handles or, as nohup does, ignores already is left alone. Signals reach
    the main thread only; in another one this changes nothing.
    """
    is_main = threading.current_thread() is threading.main_thread()
    taken = [name for name in ENDS if is_main and signal.getsignal(name) is signal.SIG_DFL]
    for name in taken:
        signal.signal(name, signal.default_int_handler)
    try:
        yield
    finally:
        for name in taken:
            signal.signal(name, signal.SIG_DFL)


class EditorServer(ThreadingHTTPServer):
    """Serves one editor; use as a context manager around `serve_forever`.

    Args:
        api: What it serves.
        port: Where it listens on 127.0.0.1; any free port where 0.
        reporter: Hears of errors nobody foresaw.

    Raises:
        AttncliError: It cannot listen there.
    """

    daemon_threads = True
    request_queue_size = WAITING

    def __init__(self, api: EditorApi[Any], port: int, reporter: Reporter) -> None:
        try:
            super().__init__((HOST, port), EditorRequest)
        except (OSError, OverflowError) as error:
            what = getattr(error, "strerror", None) or str(error)
            raise AttncliError(
                f"cannot listen on port {port} ({what.lower()})",
                where="--port",
                remedy="choose another, or 0 for any free one",
            ) from error
        self.api = api
        self.reporter = reporter
        self.access = Access(self.server_port)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Say what went wrong with a connection, unless the browser merely left."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.reporter.warn(f"editor: {type(error).__name__}: {error}")


class EditorRequest(BaseHTTPRequestHandler):
    """One connection of a browser: says who is let in, and puts answers into HTTP."""

    server: EditorServer
    protocol_version = "HTTP/1.1"
    server_version = "attncli"
    sys_version = ""
    timeout = IDLE_SEC
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet

    def handle_request(self) -> None:
        """Answer one request, whatever becomes of it."""
        try:
            self._admit()
            response = self.server.api.respond(self.command, self._path, self._body())
            self._send(HTTPStatus.OK, response, self._cookies())
        except RefusedError as error:
            self._fail(error.status, str(error))
        except AttncliError as error:
            self._fail(HTTPStatus.CONFLICT, str(error))
        except (ConnectionError, TimeoutError):
            raise
        except OSError as error:
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error.filename}: {error.strerror}")
        except Exception as error:
            self.server.reporter.warn(f"editor: {type(error).__name__}: {error}")
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")

    # BaseHTTPRequestHandler looks for these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_request  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet about requests."""

    @property
    def _path(self) -> str:
        return self.path.partition("?")[0]

    @property
    def _token(self) -> str | None:
        """The token in the address: only that of the page itself has one."""
        if self._path != "/":
            return None
        return next(iter(parse_qs(self.path.partition("?")[2]).get("token", [])), None)

    def _admit(self) -> None:
        """Refuse whoever is not the editor's own page."""
        reason = self.server.access.refusal(self.headers, self._token)
        if reason is not None:
            raise RefusedError(HTTPStatus.FORBIDDEN, reason)

    def _cookies(self) -> Mapping[str, str]:
        """Return what makes the browser keep the token, when the address was opened with it."""
        return {} if self._token is None else {"Set-Cookie": self.server.access.set_cookie}

    def _body(self) -> bytes:
        if self.command in ("GET", "HEAD"):
            return b""
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "say how long the content is")
        if len(length) > MOST_DIGITS or int(length) > LARGEST_BODY:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too much content")
        return self.rfile.read(int(length))

    def _fail(self, status: HTTPStatus, reason: str) -> None:
        # What was sent along may not have been read: the next request could begin anywhere.
        self.close_connection = True
        if self._path.startswith("/api/"):
            response = Response(json.dumps({"error": reason}).encode())
        else:
            response = Response(f"{reason}\n".encode(), "text/plain; charset=utf-8")
        self._send(status, response, {"Connection": "close"})

    def _send(self, status: HTTPStatus, response: Response, more: Mapping[str, str]) -> None:
        self.send_response(status)
        lengths = {
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
        }
        for name, value in (HEADERS | lengths | dict(response.headers) | dict(more)).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


def _has_screen() -> bool:
    """Return whether a browser would have a window; without, a text browser would take over."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
