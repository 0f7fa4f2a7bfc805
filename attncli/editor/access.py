"""Who may talk to the editor: the page that was opened by the address it printed, and nobody else.

Any site a browser visits can send requests to 127.0.0.1. They are told from the page's own by three
things: a secret that only the printed address holds and that lives on in a cookie other sites
cannot send, the `Host` that was asked for (a foreign name may resolve to 127.0.0.1), and the
`Origin` that asks.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message

HOST = "127.0.0.1"
"""Where the editor listens: this machine alone reaches it."""
NAMES = (HOST, "localhost")
"""What this machine may be called in a request."""
DEFAULT_PORT = 80
"""Port of an address that names none."""
HIGHEST_PORT = 65535
MOST_DIGITS = len(str(HIGHEST_PORT))


@dataclass(frozen=True)
class Access:
    """The rights to one running editor."""

    port: int
    """Where it listens."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """The secret; another one each time."""

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    @property
    def set_cookie(self) -> str:
        """Header value that makes a browser show the token with each request of the page."""
        return f"{self._cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"

    def refusal(self, headers: Message, token: str | None = None) -> str | None:
        """Return why a request is refused, or None where it is welcome.

        Args:
            headers: The request's headers.
            token: What its address gives as the token, if anything.
        """
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return f"This editor answers to {HOST}:{self.port} only.{self._remedy(hosts)}"
        if any(origin != f"http://{hosts[0]}" for origin in headers.get_all("Origin", [])):
            return "This editor answers to its own page only."
        shown = self._shown_cookie(headers) if token is None else token
        if not secrets.compare_digest(shown.encode(), self.token.encode()):
            return "Open the address that the editor printed in its terminal."
        return None

    def _remedy(self, hosts: Sequence[str]) -> str:
        """Return what helps where this machine was asked for at another port: it is forwarded."""
        asked = _local_port(hosts[0]) if len(hosts) == 1 else None
        if asked is None:
            return ""
        return (
            f" To reach it through SSH, forward the same port at both ends"
            f" (ssh -L {self.port}:{HOST}:{self.port} ...) and open the address that the editor"
            f" printed; or start it again with --port {asked}, and forward that one at both ends."
        )

    @property
    def _hosts(self) -> set[str]:
        # Browsers leave out the port that is meant without one.
        ports = {f":{self.port}"} | ({""} if self.port == DEFAULT_PORT else set())
        return {f"{name}{port}" for name in NAMES for port in ports}

    @property
    def _cookie(self) -> str:
        # Cookies do not tell ports apart: editors on two ports would take each other's.
        return f"attncli-{self.port}"

    def _shown_cookie(self, headers: Message) -> str:
        cookies = "; ".join(headers.get_all("Cookie", [])).split(";")
        pairs = (cookie.strip().partition("=") for cookie in cookies)
        return next((value for name, _, value in pairs if name == self._cookie), "")


def _local_port(host: str) -> int | None:
    """Return the port for which a `Host` asks this machine; None where it asks another."""
    name, _, digits = host.partition(":")
    if name not in NAMES:
        return None
    if not digits:
        return DEFAULT_PORT
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
    return int(digits) if is_number and 0 < int(digits) <= HIGHEST_PORT else None
