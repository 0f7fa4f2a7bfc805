import http.client
import io
import json
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
from attncli.editor.scores import ScoreFile
from attncli.editor.server import EditorServer
from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.temporal_edits import read_temporal_edits, write_temporal_edits

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

    directory: EditDirectory
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
        connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=10)
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


@cache
def jpeg(red: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (32, 24), (red, 80, 120)).save(stream, "jpeg")
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
    with ScoreFile(directory.edits_path, clips, n_frames=n_frames) as scores:
        api = EditorApi(
            directory=directory,
            clips=clips,
            attention=directory.read_attention(),
            scores=scores,
            answerer=answerer,
        )
        with EditorServer(api, 0, reporter) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            try:
                yield RunningEditor(directory, server)
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
