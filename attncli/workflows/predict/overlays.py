"""The attention to one whole file, drawn: a video for a video, a figure for a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jaxtyping import Float32, Int64

from attncli.config.visualize import MOVIE_SUFFIXES
from attncli.data.images.reading import read_rgb
from attncli.data.video.frame_rate import frame_rate
from attncli.data.video.reading import count_frames, iterate_frames, write_video
from attncli.errors import UsageError
from attncli.reporting import Reporter
from attncli.visualization.clips import HeatStyle
from attncli.visualization.page.heading import Heading
from attncli.visualization.saving import save_figure
from attncli.visualization.score_maps import ScoredClass, ScoredImage, draw_score_maps
from attncli.visualization.whole_video import WholeVideo, draw_whole_video
from attncli.workflows.predict.answers import Answer
from attncli.workflows.predict.model import Model

FIGURE_SUFFIXES = {".png", ".pdf"}


def require_drawable(path: Path, *, of_images: bool, attention: tuple[str, ...], run: Path) -> None:
    """Make sure that a file for the attention to what a run is shown can be written.

    Args:
        path: The file.
        of_images: Whether the run is shown pictures.
        attention: Kinds of attention that its network makes.
        run: The run, for the message.

    Raises:
        UsageError: It has none, or no video or figure ends so.
    """
    if not of_images and "spatial" not in attention:
        what = f"{run} has no attention to draw"
        raise UsageError(what, where="--overlay", remedy="name a run with attention")
    suffixes = FIGURE_SUFFIXES if of_images else MOVIE_SUFFIXES
    if path.suffix.lower() not in suffixes:
        kind = "picture" if of_images else "video"
        ends = ".png or .pdf" if of_images else ".mp4, .avi, .webm, .mkv or .mov"
        raise UsageError(
            f"{str(path)!r} cannot be a {kind}",
            where="--overlay",
            remedy=f"let it end in {ends}",
        )


def draw_video(
    model: Model, file: Path, said: str, out: Path, style: HeatStyle, *, reporter: Reporter
) -> None:
    """Write a video of all frames of a video under the attention to each.

    Args:
        model: Answers.
        file: Video or directory of frames.
        said: What the model says of it, for the heading.
        out: Video to write.
        style: How attention becomes colour.
        reporter: Shows progress.

    Raises:
        AttncliError: The video cannot be read.
    """
    with watched(model, file, reporter=reporter) as seen:
        frames = reporter.track(
            iterate_frames(file), label="draw frames", total=len(seen.times), unit="frames"
        )
        video = WholeVideo(
            heading=Heading(str(file), (said,)),
            frames=frames,
            rate=frame_rate(file),
            box_xyxy=seen.box_xyxy,
            seen=seen.times > 0,
            spatial=seen.spatial,
            temporal=seen.temporal,
        )
        write_video(out, draw_whole_video(video, style), video.rate)


def draw_picture(file: Path, answer: Answer, said: str, out: Path, style: HeatStyle) -> None:
    """Write a figure of a picture: itself, and where each class that it is said to show is seen.

    Raises:
        AttncliError: The picture cannot be read.
    """
    (maps,) = answer.maps
    classes = tuple(ScoredClass(name, scores) for name, scores in maps.items())
    shown = ScoredImage(str(file), said, read_rgb(file), (classes,))
    save_figure(draw_score_maps([shown], [""], style=style), out)


@dataclass(frozen=True)
class Seen:
    """What a network attends to in each frame of a video."""

    times: Int64[np.ndarray, " n"]
    """In how many clips each frame was."""
    box_xyxy: tuple[float, float, float, float]
    """What the network saw of the frames: left, top, right, bottom in pixels of them."""
    spatial: Float32[np.ndarray, "n hm wm"] | None
    """Mean spatial attention over these clips, in [0, 1]; 0 where a frame was in none."""
    temporal: Float32[np.ndarray, " n"] | None
    """The same of temporal attention."""


@contextmanager
def watched(model: Model, file: Path, *, reporter: Reporter) -> Iterator[Seen]:
    """Yield what a network attends to over a whole video; maps lie on disk until the context ends.

    Raises:
        AttncliError: The video cannot be read.
    """
    n_frames = count_frames(file)
    times, box = np.zeros(n_frames, np.int64), (0.0, 0.0, 0.0, 0.0)
    sums: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as directory:
        batches = reporter.track(model.passes(file), label="watch the whole video", unit="batches")
        for batch in batches:
            answer = model.ask(batch)
            indices = batch.frame_indices.numpy()
            box = tuple(batch.crops[0].tolist())
            np.add.at(times, indices, 1)
            for name, values in (("spatial", answer.spatial), ("temporal", answer.temporal)):
                if values is not None:
                    if name not in sums:
                        shape = (n_frames, *values.shape[2:])
                        sums[name] = _on_disk(Path(directory) / name, shape)
                    np.add.at(sums[name], indices, values)
        for total in sums.values():
            for index in range(n_frames):  # one at a time: maps of all would fill the memory
                total[index] /= max(1, int(times[index]))
        yield Seen(times, box, sums.get("spatial"), sums.get("temporal"))


def _on_disk(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros that lie in a file."""
    return np.memmap(path, dtype=np.float32, mode="w+", shape=shape)
