"""A trained run as a function: frames in, class probabilities and attention out."""

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attncli import catalog
from attncli.batches import ClipBatch
from attncli.config.training import Precision
from attncli.errors import AttncliError
from attncli.evaluation.asked import Asked
from attncli.files.runs import Run
from attncli.reporting import Silent
from attncli.training.distributed import choose_device
from attncli.training.learner import autocast
from attncli.workflows.predict.answers import Answer, joined
from attncli.workflows.predict.given_arrays import as_bytes
from attncli.workflows.predict.kinds import kind_of, open_run
from attncli.workflows.runs.network import open_network, weights_of

ANYWHERE = Path()
"""Where maps would be kept: an evaluation makes them only where it is told a place."""


class Model:
    """A trained network on a device, which answers as in `attncli eval`.

    Args:
        run: The run, as `attncli.workflows.predict.kinds.open_run` returns it.
        weights: The weights that answer.
        device: Where the network computes.
    """

    def __init__(self, run: Run, weights: Path, device: torch.device) -> None:
        self.run = run
        self.weights = weights
        self.device = device
        self.network: nn.Module = open_network(run, weights=weights, device=device)
        self._kind = kind_of(run)
        method = catalog.method(run.method)
        # What is said of samples of one's own must not follow from labels: there are none.
        asked = Asked((), run.classes, method.attention, may_know=False, keep=ANYWHERE)
        self._evaluation: Any = catalog.load(str(method.task.evaluation))(asked)

    def __repr__(self) -> str:
        path, n = self.run.directory.path, len(self.classes)
        return f"<{self.run.method} of {path}, {n} classes, on {self.device}>"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores."""
        return self.run.classes

    def __call__(self, frames: Any, *, cut: bool = True) -> Answer:
        """Return what the network says of clips or images that are given as arrays.

        Args:
            frames: RGB values 0-255 (uint8), an array or a tensor: a clip (T, H, W, 3) or several
                (N, T, H, W, 3), of runs on images an image (H, W, 3) or several (N, H, W, 3). A
                clip holds the frames that the network is to see, in its own stride; of runs on
                faces each frame is a face.
            cut: Whether to resize and crop them as an evaluation does the frames of a video; False
                shows them as they are.

        Raises:
            UsageError: They are not bytes, or of another shape than the run's clips or images.
            AttncliError: The answers are not finite.
        """
        batches = self._kind.batches(as_bytes(frames), cut=cut)
        return joined([self.ask(batch) for batch in batches])

    def read(self, path: str | PathLike[str]) -> Answer:
        """Return what the network says of a video, a directory of frames or a picture.

        The frames are sampled and cut as in `attncli eval`, and so are the answers: of a run on
        faces the mean over all clips.

        Raises:
            AttncliError: The file cannot be read, or the answers are not finite.
        """
        own = self._kind.open([Path(path)], reporter=Silent())
        for failure in own.failures:
            raise AttncliError(failure.error)
        reader = own.source.reader(own.dataset, training=False)
        rows = range(len(own.dataset.samples))
        parts = reader.batches(rows, self.run.config.batch_size)
        answers = [self.ask(_whole(reader, part)) for part in parts]
        return self._kind.of_one_file(joined(answers))

    def passes(self, path: Path) -> Iterator[ClipBatch]:
        """Yield batches of clips that between them show the whole of a video, for `ask`.

        Raises:
            AttncliError: The video cannot be read.
        """
        return self._kind.passes(path)

    def ask(self, batch: Any) -> Answer:
        """Return what the network says of a batch as the readers of an evaluation make it.

        Raises:
            AttncliError: The answers are not finite.
        """
        with torch.inference_mode(), autocast(self.device, self.run.config.precision):
            answer = self._kind.answer(self._evaluation.ask(self.network, batch.to(self.device)))
        if not torch.from_numpy(answer.scores).isfinite().all():
            raise AttncliError(
                "these weights give class scores that are not finite",
                where=self.weights,
                remedy="try fp32 or other weights",
            )
        return answer


def load(
    run: str | PathLike[str],
    *,
    device: str = "auto",
    checkpoint: str = "last",
    precision: Precision | None = None,
) -> Model:
    """Return the network of a trained run, ready to answer.

    Args:
        run: Its directory.
        device: `auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`.
        checkpoint: Weights: `last`, `best`, or a file.
        precision: Arithmetic: `fp32`, `bf16` or `fp16`; the run's own where None.

    Raises:
        AttncliError: There is no such run, or its weights cannot be used.
        UsageError: It has no single network, or one that tells no classes; or there is no such
            device.
    """
    opened = open_run(Path(run), precision)
    return Model(opened, weights_of(opened, checkpoint), choose_device(device))


def _whole(reader: Any, rows: Sequence[int]) -> Any:
    """Return a batch of rows of which none failed.

    Raises:
        AttncliError: One cannot be read.
    """
    batch = reader.collate([reader[row] for row in rows])
    for failure in batch.failures:
        raise AttncliError(failure.error)
    return batch
