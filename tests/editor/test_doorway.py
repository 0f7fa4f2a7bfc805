import os
import signal
import stat
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from attncli.editor import server
from attncli.editor.api import EditorApi
from attncli.editor.doorway import doorway
from attncli.editor.server import serve_page
from attncli.errors import AttncliError

ADDRESS = "http://127.0.0.1:8000/?token=a&b=\"'<script>"


class Leads(HTMLParser):
    """Where a page leads to: without a click, and by its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.refresh: list[str | None] = []
        self.links: list[str | None] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        if values.get("http-equiv") == "refresh":
            self.refresh.append(values["content"])
        if tag == "a":
            self.links.append(values["href"])


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary files"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def api(editor: Any) -> EditorApi[Any]:
    return editor.server.api


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser is started with; the machine has a screen."""
    found: list[str] = []

    def start(url: str, *_: object) -> bool:
        found.append(url)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", start)
    return found


@pytest.mark.usefixtures("_open_umask")
def test_only_its_owner_can_read_the_page_whatever_the_umask() -> None:
    with doorway(ADDRESS) as page:
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
        assert page.suffix == ".html"


def test_the_page_leads_to_the_address_as_it_is() -> None:
    with doorway(ADDRESS) as page:
        leads = Leads(page.read_text(encoding="utf-8"))
    assert leads.refresh == [f"0; url={ADDRESS}"]
    assert leads.links == [ADDRESS]
    assert "script" not in leads.tags


def test_the_page_is_gone_afterwards_whatever_happened(place: Path) -> None:
    with pytest.raises(KeyboardInterrupt), doorway(ADDRESS):
        assert list(place.iterdir()) != []
        raise KeyboardInterrupt
    with doorway(ADDRESS) as page:
        page.unlink()  # a program that tidies up was faster
    assert list(place.iterdir()) == []


def test_without_room_for_the_page_there_is_a_way(place: Path) -> None:
    place.rmdir()
    with pytest.raises(AttncliError, match=r"cannot be written \(No such file.*--no-browser"):
        doorway(ADDRESS).__enter__()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_browser_is_started_without_the_token(
    api: EditorApi[Any], listener: Any, started: list[str], place: Path, number: signal.Signals
) -> None:
    inside: list[str] = []

    def look_and_end() -> None:
        inside.extend(page.read_text(encoding="utf-8") for page in place.iterdir())
        os.kill(os.getpid(), number)

    before = {name: signal.getsignal(name) for name in (number, signal.SIGINT)}
    signal.signal(number, signal.SIG_DFL)  # under nohup it is ignored, and would be here, too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, look_and_end)
    timer.start()
    try:
        serve_page(api, port=0, browser=True, reporter=listener)
    finally:
        timer.join()
        after = signal.getsignal(number)
        for name, handler in before.items():
            signal.signal(name, handler)
    address = listener.said[0].removeprefix("the page is at ")
    token = address.partition("token=")[2]
    assert len(token) >= 40
    (url,) = started
    assert token not in url
    assert Path(unquote(urlsplit(url).path)).parent == place
    (page,) = inside
    assert Leads(page).links == [address]
    assert list(place.iterdir()) == []
    assert after is (signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def test_the_page_is_gone_when_the_server_fails(
    api: EditorApi[Any],
    listener: Any,
    started: list[str],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> None:
        assert len(list(place.iterdir())) == 1
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(server.EditorServer, "serve_forever", fail)
    with pytest.raises(OSError, match="Too many open files"):
        serve_page(api, port=0, browser=True, reporter=listener)
    assert len(started) == 1
    assert list(place.iterdir()) == []


def test_without_a_browser_no_page_is_written(
    api: EditorApi[Any],
    listener: Any,
    started: list[str],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end(_: object) -> None:
        assert list(place.iterdir()) == []
        raise KeyboardInterrupt

    monkeypatch.setattr(server.EditorServer, "serve_forever", end)
    serve_page(api, port=0, browser=False, reporter=listener)
    assert started == []
    assert "token=" in listener.said[0]


@pytest.mark.usefixtures("problems")
def test_a_browser_comes_through_and_stays(tab: Any, editor: Any) -> None:
    with doorway(editor.server.access.address) as page:
        tab.goto(page.as_uri())
        tab.wait_for_url(f"http://127.0.0.1:{editor.port}/#one")
    tab.reload()
    tab.locator("#label:not(:empty)").wait_for()
    tab.goto("about:blank")
