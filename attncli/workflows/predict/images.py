"""Pictures of one's own: the classes that each shows, and where they are seen."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from attncli.batches import ClipBatch, ImageBatch
from attncli.config.images import ImageConfig
from attncli.data.images.geometry import ImageView
from attncli.data.images.source import ImageSource
from attncli.data.samples import ImageDataset, ImageSample
from attncli.data.source import in_turn
from attncli.errors import UsageError
from attncli.evaluation.image_labels import Seen
from attncli.reporting import Reporter
from attncli.workflows.predict.answers import Answer
from attncli.workflows.predict.given_arrays import several
from attncli.workflows.predict.own_files import LAYOUT, OwnFiles, own_ids


class OwnImages:
    """What pictures are to a network that tells which classes they show.

    Args:
        config: How images are read.
        classes: Names of the classes.
        attention: Kinds of attention that the network makes: none.
    """

    def __init__(
        self,
        config: ImageConfig,
        classes: tuple[str, ...],
        attention: tuple[str, ...],  # noqa: ARG002 - as of all kinds
    ) -> None:
        self.config = config
        self.classes = classes

    def open(self, files: Sequence[Path], *, reporter: Reporter) -> OwnFiles:  # noqa: ARG002
        """Return pictures as samples."""
        samples = tuple(
            ImageSample(id=id_, path=file, labels=None)
            for id_, file in zip(own_ids(files), files, strict=True)
        )
        dataset = ImageDataset(LAYOUT, Path(), self.classes, samples, labels_from="nowhere")
        return OwnFiles(ImageSource(self.config), dataset)

    def batches(self, frames: UInt8[Tensor, "..."], *, cut: bool) -> Iterator[ImageBatch]:
        """Yield images in the batches of an evaluation: each alone, unless all are resized alike.

        Raises:
            UsageError: They are no images.
        """
        images = several(frames, axes=4, shape="H, W").permute(0, 3, 1, 2)
        whole_hw = self.config.whole_hw if cut else None
        size = 1 if self.config.whole_hw is None else self.config.batch_size
        for rows in in_turn(range(len(images)), size):
            shown = images[rows]
            if whole_hw is not None:
                view = ImageView.whole(whole_hw)
                shown = torch.stack([view.resize(image) for image in shown])
            yield ImageBatch(
                images=shown.contiguous(memory_format=torch.channels_last),
                labels=torch.zeros(len(rows), len(self.classes), dtype=torch.bool),
                rows=torch.tensor(rows),
            )

    def answer(self, outputs: Seen) -> Answer:
        """Return class probabilities, and the maps of the classes that images are said to show."""
        return Answer(
            scores=outputs.scores.float().cpu().sigmoid().numpy(),
            classes=self.classes,
            maps=tuple(
                {self.classes[number]: map_ for number, map_ in zip(shown, maps, strict=True)}
                for shown, maps in outputs.maps
            ),
        )

    def of_one_file(self, answer: Answer) -> Answer:
        """Return the answer: a picture is one image."""
        return answer

    def passes(self, file: Path) -> Iterator[ClipBatch]:
        """Raise: a picture has no frames.

        Raises:
            UsageError: Always.
        """
        raise UsageError("is about videos", where="--overlay", remedy=f"{file} is a picture")
