from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from attncli.editor.painted import mask_of

# pycocotools 2.0.11 hands numpy an array type of its own in numpy 1's manner.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
ONE = "/api/clips/one"
PIXELS = 48 * 64
EVERYTHING = [
    *(("GET", path) for path in ("/", "/editor.js", "/api/session", ONE, "/frames/one/0")),
    *(("GET", "/api/candidates/one/0"), ("PATCH", ONE), ("PUT", ONE), ("DELETE", ONE)),
]


def change(*changes: object) -> dict[str, object]:
    return {"changes": [list(item) for item in changes]}


def test_a_change_is_on_disk_before_it_is_answered(spatial_editor: Any) -> None:
    reply = spatial_editor.ask("PATCH", ONE, change((2, [65, 10, PIXELS - 75]), (0, [PIXELS])))
    assert (reply.status, reply.json) == (200, {"edited": 2})
    painted = spatial_editor.painted("one")
    assert np.argwhere(painted[2]).tolist() == [[1, column] for column in range(1, 11)]
    assert not painted[0].any()
    found = spatial_editor.ask("GET", ONE).json["masks"]
    assert found == [[PIXELS], None, [65, 10, PIXELS - 75], None]
    session = spatial_editor.ask("GET", "/api/session").json
    assert [clip["edited"] for clip in session["clips"]] == [2, 0]
    spatial_editor.ask("PATCH", ONE, change((0, None), (2, None)))
    assert not spatial_editor.directory.has_edits()


def test_attention_and_candidates_are_told(spatial_editor: Any) -> None:
    own = spatial_editor.ask("GET", ONE).json["attention"]
    assert (own["rows"], own["columns"], own["crop"]) == (2, 3, [8, 0, 56, 48])
    cells = np.frombuffer(b64decode(own["cells"]), dtype=np.uint8)
    expected = 255 * np.linspace(0, 1, 24, dtype=np.float16).astype(np.float32)
    np.testing.assert_allclose(cells, expected, atol=0.51)
    hand, box = spatial_editor.ask("GET", "/api/candidates/one/1").json  # frame 1 takes frame 0's
    assert (hand["category"], hand["score"], sum(hand["runs"][1::2])) == ("hand", 0.9, 80)
    assert mask_of(box["runs"], (48, 64)).sum() == 600
    assert spatial_editor.ask("GET", "/api/candidates/a%2Ftwo%2C%20more/0").json == []
    for number in ("4", "-1", "x"):
        assert spatial_editor.ask("GET", f"/api/candidates/one/{number}").status == 404


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"changes": []},
        {"changes": 3},
        change((4, None)),
        change((0, [PIXELS - 1])),
        change((0, [PIXELS + 1, -1])),
        change((0, [])),
        change((0, [0.5])),
        change((True, None)),
        change((0, "all")),
        change((0, None, None)),
        {"changes": [None]},
    ],
)
def test_changes_that_make_no_sense_are_refused(spatial_editor: Any, content: object) -> None:
    reply = spatial_editor.ask("PATCH", ONE, content)
    assert reply.status == 400, reply.body
    assert not spatial_editor.directory.has_edits()


def test_requests_without_the_token_or_from_elsewhere_are_refused(spatial_editor: Any) -> None:
    elsewhere = {"Origin": "http://example.org"}
    for method, path in EVERYTHING:
        content = change((0, [PIXELS])) if method == "PATCH" else None
        for token, headers in ((None, {}), ("its own", elsewhere)):
            reply = spatial_editor.ask(method, path, content, token=token, headers=headers)
            assert reply.status == 403, (method, path)
    assert not spatial_editor.directory.has_edits()


def test_every_file_of_the_page_is_served(spatial_editor: Any) -> None:
    page = spatial_editor.ask("GET", "/").body
    assert b'id="picture"' in page and b"<!-- clip -->" not in page
    for name in ("editor.js", "masks.js", "shell.js", "base.css", "editor.css", "aside.css"):
        assert spatial_editor.ask("GET", f"/{name}").status == 200
    for path in ("/clip.html", "/player.js", "/nothing"):
        assert spatial_editor.ask("GET", path).status == 404
