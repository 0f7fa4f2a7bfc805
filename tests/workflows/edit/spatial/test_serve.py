"""What serving has in common is tested with temporal edits."""

import http.client
import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from attncli.errors import AttncliError
from attncli.files.spatial_edits import SpatialEditDirectory
from attncli.reporting import Silent
from attncli.workflows.edit.spatial.serve import serve_edits
from tests.support.reporters import Told

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)")


class Painter(Told):
    """Paints one frame as soon as the address is printed, and presses Ctrl-C."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0

    def note(self, text: str) -> None:
        super().note(text)
        if found := ADDRESS.search(text):
            threading.Thread(target=self.paint, args=(int(found[1]), found[2])).start()

    def paint(self, port: int, token: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Cookie": f"attncli-{port}={token}", "Content-Type": "application/json"}
        content = json.dumps({"changes": [[1, [0, 12, 36]]]})
        connection.request("PATCH", "/api/clips/b", content, headers)
        self.status = connection.getresponse().status
        connection.close()
        os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts() -> Iterator[None]:
    """Else the signal is ignored where the tests run in the background of a shell."""
    previous: Any = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def test_ctrl_c_is_the_normal_end_and_says_how_far_one_came(edits: SpatialEditDirectory) -> None:
    painter = Painter()
    (row,) = serve_edits(edits.path, browser=False, reporter=painter).rows
    assert painter.status == 200
    assert (row["clips"], row["edited"], row["edited_frames"]) == (3, 1, 1)
    assert row["covered_percent"] == 25
    assert painter.texts[-1] == f"edits are in {edits.edits.root}: 1 of 3 clips"


def test_a_directory_without_clips_has_no_page(edits: SpatialEditDirectory) -> None:
    edits.write_clips([])
    with pytest.raises(AttncliError, match="holds no clip; select"):
        serve_edits(edits.path, browser=False, reporter=Silent())
