import http.client
import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attncli.editor.answers import Answerer, ClipAnswer
from attncli.editor.api import EditorApi
from attncli.editor.note_book import NoteBook
from attncli.editor.painted import PaintedMasks
from attncli.editor.scores import ScoreFile
from attncli.editor.server import EditorServer
from attncli.editor.spatial_editing import SpatialEditing
from attncli.editor.store import EditStore
from attncli.editor.temporal_editing import TemporalEditing
from attncli.errors import AttncliError
from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory, VideoAttention
from attncli.files.temporal_edits import read_temporal_edits, write_temporal_edits

REQUIRED = "ATTNCLI_REQUIRE_BROWSER"
"""Variable under which tests of the pages fail, and do not skip, where there is no browser."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 300_000
"""More than a busy machine takes; a wait ends with what it is for."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CLASSES = ("Opening", "Closing", "Lifting", "Dropping", "Turning", "Pushing", "Pulling")
CLIPS = (
    EditClip("one", "Opening", "Closing", frames=6, fps=10.0),
    EditClip("a/two, more", "Closing", "Opening", frames=4, fps=25.0),
    EditClip("long", "Lifting", "Dropping", frames=90, fps=12.5),
)


class FakeAnswerer:
    """Is right when the first frame of a clip has at least 0.5, and looks at even frames only."""

    def answer(self, clip_id: str, scores: np.ndarray) -> ClipAnswer:
        clip = next(clip for clip in CLIPS if clip.id == clip_id)
        return ClipAnswer(
            classes=CLASSES,
            own=probabilities(clip.predicted),
            edited=probabilities(clip.label if scores[0] >= 0.5 else clip.predicted),
            frames=tuple(range(0, clip.frames, 2)),
        )


class FakePictures:
    """Has large pictures of all clips but those of which the video is gone."""

    size = (128, 96)

    def picture(self, clip_id: str, frame: int) -> bytes:
        if clip_id.startswith("a/"):
            raise AttncliError("no such video", where="two.mp4")
        return jpeg(frame % 6 * 50, self.size)


def probabilities(best: str) -> np.ndarray:
    values = np.linspace(0.01, 0.07, len(CLASSES), dtype=np.float32)
    values[CLASSES.index(best)] = 0
    values[CLASSES.index(best)] = 1 - values.sum()
    return values


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningEditor:
    """An editor that serves in a thread of this process."""

    directory: Any
    server: EditorServer

    @property
    def port(self) -> int:
        return self.server.access.port

    def ask(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = "its own",
    ) -> Reply:
        """Send a request as the editor's own page does, but for what is given."""
        own = self.server.access
        sent = {"Content-Type": "application/json"} | (headers or {})
        if token is not None:
            shown = own.token if token == "its own" else token
            sent.setdefault("Cookie", f"attncli-{own.port}={shown}")
        if content is not None:
            body = json.dumps(content).encode()
        connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=300)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def on_disk(self, clip_id: str) -> list[float | None]:
        """Return a clip's scores as the file has them at this moment."""
        edits = read_temporal_edits(self.directory.edits_path, allow_partial=True)
        return [None if np.isnan(score) else float(score) for score in edits.scores[clip_id]]

    def painted(self, clip_id: str) -> dict[int, np.ndarray]:
        """Return the masks of a clip's edited frames as its file has them at this moment."""
        frames = self.directory.read_frames(self.directory.read_clips()[clip_id])
        return {n: masks.union() for n, masks in frames.items()}


@cache
def jpeg(red: int, size: tuple[int, int] = (32, 24)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (red, 80, 120)).save(stream, "jpeg")
    return stream.getvalue()


def write_edits(root: Path) -> EditDirectory:
    directory = EditDirectory(root)
    generator = np.random.default_rng(0)
    directory.write_clips(CLIPS)
    attention = {
        clip.id: generator.random(clip.frames).astype(np.float32).round(2) for clip in CLIPS
    }
    write_temporal_edits(directory.attention_path, attention)
    blank = {id_: np.full_like(vector, np.nan) for id_, vector in attention.items()}
    write_temporal_edits(directory.edits_path, blank)
    for clip in CLIPS:
        directory.frames_path(clip.id).mkdir(parents=True)
        for frame in range(clip.frames):
            directory.frame_path(clip.id, frame).write_bytes(jpeg(frame % 6 * 50))
    directory.config_path.write_text('format_version = 1\nrun = "gone"\n')
    return directory


@contextmanager
def serving(directory: EditDirectory, answerer: Answerer, reporter: Any) -> Iterator[RunningEditor]:
    clips = directory.read_clips()
    n_frames = {clip.id: clip.frames for clip in clips.values()}
    with EditStore(ScoreFile(directory.edits_path, clips, n_frames=n_frames)) as scores:
        editing = TemporalEditing(
            attention=directory.read_attention(),
            scores=scores,
            answerer=answerer,
            notes=NoteBook(directory.notes_path(directory.edits_path), clips),
        )
        api = EditorApi(directory, clips, editing, FakePictures())
        with running(api, reporter) as server:
            yield RunningEditor(directory, server)


@contextmanager
def running(api: EditorApi[Any], reporter: Any) -> Iterator[EditorServer]:
    with EditorServer(api, 0, reporter) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    warn = note

    def track(self, items: Any, **_: Any) -> Any:
        return items


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def edits(tmp_path: Path) -> EditDirectory:
    return write_edits(tmp_path / "edits")


@pytest.fixture
def serve(edits: EditDirectory, listener: Listener) -> Callable[..., Any]:
    """Return a context manager that serves the edits, with another answerer if one is given."""
    return lambda answerer=None: serving(edits, answerer or FakeAnswerer(), listener)


@pytest.fixture
def editor(serve: Callable[..., Any]) -> Iterator[RunningEditor]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def tab() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"there is no Chromium, and {REQUIRED} is set")
        pytest.skip("there is no Chromium")
    api.expect.set_options(timeout=WAIT_MS)
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(WAIT_MS)
        yield page
        browser.close()


@pytest.fixture
def problems(tab: Any) -> Iterator[list[str]]:
    """What the page complains of in its console: nothing, by the end of the test."""
    found: list[str] = []

    def note(said: Any) -> None:
        found.append(str(getattr(said, "text", said)))

    tab.on("pageerror", note)
    tab.on("console", note)
    yield found
    tab.remove_listener("pageerror", note)
    tab.remove_listener("console", note)
    assert found == []


@pytest.fixture
def open_page(tab: Any, editor: Any, problems: list[str]) -> Iterator[Callable[..., Any]]:
    def open_(*, clip: str = "", width: int = 1280, scheme: str = "light") -> Any:
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=scheme)
        tab.goto(f"{editor.server.access.address}#{clip}")
        tab.locator("#label:not(:empty)").wait_for()
        return tab

    yield open_
    tab.unroute_all()
    tab.goto("about:blank")


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page()


SPATIAL_CLIPS = (
    SpatialClip("one", "Opening", "Closing", frames=4, fps=10.0, width=64, height=48),
    SpatialClip("a/two, more", "Closing", "Opening", frames=3, fps=25.0, width=64, height=48),
)


def rectangle(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    """Return a mask of a frame of the spatial clips."""
    mask = np.zeros((48, 64), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def write_spatial_edits(root: Path) -> SpatialEditDirectory:
    """Of the first clip, every frame has a hand in a corner and a box that holds it."""
    directory = SpatialEditDirectory(root)
    directory.write_clips(SPATIAL_CLIPS)
    for clip in SPATIAL_CLIPS:
        maps = np.linspace(0, 1, clip.frames * 6, dtype=np.float16).reshape(clip.frames, 2, 3)
        directory.write_attention(clip.id, VideoAttention(maps, (8.0, 0.0, 56.0, 48.0)))
        directory.frames_path(clip.id).mkdir(parents=True)
        for frame in range(clip.frames):
            directory.frame_path(clip.id, frame).write_bytes(jpeg(frame * 50))
    found = [("hand", rectangle(0, 0, 8, 10)), ("box", rectangle(0, 0, 20, 30))]
    instances = tuple(Instance.of(mask, category=name, score=0.9) for name, mask in found)
    with MaskWriter(directory.candidates.root, "one") as writer:
        for frame in (0, 3):
            writer.write(FrameMasks(frame, (48, 64), instances))
    directory.config_path.write_text('format_version = 1\nrun = "gone"\n')
    return directory


@pytest.fixture
def spatial_edits(tmp_path: Path) -> SpatialEditDirectory:
    return write_spatial_edits(tmp_path / "spatial")


@pytest.fixture
def spatial_editor(
    spatial_edits: SpatialEditDirectory, listener: Listener
) -> Iterator[RunningEditor]:
    clips = spatial_edits.read_clips()
    with EditStore(PaintedMasks(spatial_edits)) as painted:
        editing = SpatialEditing(directory=spatial_edits, painted=painted)
        api = EditorApi(spatial_edits, clips, editing, FakePictures())
        with running(api, listener) as server:
            yield RunningEditor(spatial_edits, server)
