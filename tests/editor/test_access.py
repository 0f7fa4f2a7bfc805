from email.message import Message

import pytest

from attncli.editor.access import Access

OWN = Access(port=8000, token="secret")
GOOD = [("Host", "127.0.0.1:8000"), ("Cookie", "attncli-8000=secret")]


def headers(*pairs: tuple[str, str]) -> Message:
    message = Message()
    for name, value in pairs:
        message[name] = value
    return message


def test_the_page_itself_is_let_in() -> None:
    assert OWN.refusal(headers(*GOOD)) is None
    assert OWN.refusal(headers(*GOOD, ("Origin", "http://127.0.0.1:8000"))) is None


def test_the_printed_address_is_let_in_without_a_cookie() -> None:
    assert "token=secret" in OWN.address
    assert OWN.refusal(headers(GOOD[0]), "secret") is None


def test_localhost_is_this_machine_too() -> None:
    host = ("Host", "localhost:8000")
    assert OWN.refusal(headers(host, GOOD[1])) is None
    assert OWN.refusal(headers(host, GOOD[1], ("Origin", "http://localhost:8000"))) is None


@pytest.mark.parametrize("cookie", ["attncli-8000=", "attncli-8000=secrets", "attncli-8001=secret"])
def test_another_cookie_is_refused(cookie: str) -> None:
    assert OWN.refusal(headers(GOOD[0], ("Cookie", cookie))) is not None


def test_a_wrong_token_is_refused_in_spite_of_the_right_cookie() -> None:
    assert OWN.refusal(headers(*GOOD), "wrong") is not None


def test_a_token_of_strange_letters_is_refused_like_any_other() -> None:
    assert OWN.refusal(headers(GOOD[0]), "gehe\u00efm") is not None


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "127.0.0.1", "127.0.0.1:8001", "127.0.0.1:8000.evil.example", ""]
)
def test_a_foreign_host_is_refused(host: str) -> None:
    assert OWN.refusal(headers(("Host", host), GOOD[1])) is not None


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1:9000", 9000), ("localhost:9000", 9000), ("localhost", 80)]
)
def test_another_port_of_this_machine_is_refused_with_a_way_out(host: str, port: int) -> None:
    refusal = OWN.refusal(headers(("Host", host), GOOD[1]), "secret")
    assert refusal is not None
    assert refusal.startswith("This editor answers to 127.0.0.1:8000 only. To reach it through SSH")
    assert "ssh -L 8000:127.0.0.1:8000 ..." in refusal
    assert f"start it again with --port {port}," in refusal


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8000",
        "evil.example",
        "127.0.0.1:9000.evil.example",
        "127.0.0.1.evil.example:9000",
        "localhost:0",
        "localhost:65536",
        "localhost:\u0669",
        "localhost:" + "9" * 5000,
        "",
    ],
)
def test_a_foreign_host_learns_no_way_in(host: str) -> None:
    refusal = OWN.refusal(headers(("Host", host), GOOD[1]), "secret")
    assert refusal == "This editor answers to 127.0.0.1:8000 only."


def test_browsers_leave_out_port_80() -> None:
    own = Access(port=80, token="secret")
    cookie = ("Cookie", "attncli-80=secret")
    for host in ("127.0.0.1", "127.0.0.1:80", "localhost"):
        origin = ("Origin", f"http://{host}")
        assert own.refusal(headers(("Host", host), cookie, origin)) is None
    assert own.refusal(headers(("Host", "evil.example"), cookie)) is not None


def test_a_request_has_exactly_one_host() -> None:
    assert OWN.refusal(headers(GOOD[1])) is not None
    assert OWN.refusal(headers(*GOOD, ("Host", "evil.example"))) is not None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:8000", "http://127.0.0.1:9000", "null", ""],
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert OWN.refusal(headers(*GOOD, ("Origin", origin))) is not None


def test_cookies_of_other_programs_on_this_machine_do_no_harm() -> None:
    shown = ("Cookie", 'session={"a": 1}; attncli-9000=other; attncli-8000=secret')
    assert OWN.refusal(headers(GOOD[0], shown)) is None


def test_the_cookie_is_kept_from_other_sites_and_from_scripts() -> None:
    assert OWN.set_cookie == "attncli-8000=secret; Path=/; HttpOnly; SameSite=Strict"


def test_each_editor_has_a_token_of_its_own() -> None:
    assert Access(port=1).token != Access(port=1).token
    assert len(Access(port=1).token) >= 40
