"""A page that sends the browser on to the editor.

What a browser is started with, everybody on the machine can read in the list of processes: there
the editor's address would give its secret away. The name of a file gives nothing away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import NamedTemporaryFile

from attncli.errors import AttncliError

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>attncli</title>
<p><a href="{address}">Open the editor</a></p>
</html>
"""


@contextmanager
def doorway(address: str) -> Iterator[Path]:
    """Yield a page that leads to `address`, which only its owner can read; it is gone afterwards.

    Raises:
        AttncliError: There is no room for it.
    """
    path = _write(PAGE.format(address=escape(address)))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write(page: str) -> Path:
    try:
        # Only its owner may read what this makes, from the first moment on.
        with NamedTemporaryFile(
            "w", encoding="utf-8", prefix="attncli-", suffix=".html", delete=False
        ) as file:
            path = Path(file.name)
            try:
                file.write(page)
                file.flush()
            except BaseException:
                path.unlink()
                raise
    except OSError as error:
        what = f"the page that the browser opens cannot be written ({error.strerror})"
        remedy = "pass --no-browser, and open the address in the terminal yourself"
        raise AttncliError(what, remedy=remedy) from error
    return path
