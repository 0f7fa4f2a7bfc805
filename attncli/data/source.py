"""Where samples come from, whatever they are: what loops and workflows know of data."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from attncli.batches import B, B_co
from attncli.data.samples import Samples, Split
from attncli.errors import Failure
from attncli.reporting import Reporter


@runtime_checkable
class Guidance(Protocol):
    """What a training is told of its samples besides their labels."""

    def notes(self) -> list[str]:
        """Return what the user should know of it."""
        ...

    def facts(self) -> Mapping[str, int]:
        """Return what is counted of it before a training begins."""
        ...

    def prepare(self, run: Path, *, reporter: Reporter) -> Sequence[Failure]:
        """Write what each epoch reads and no epoch has the time to make.

        Args:
            run: Directory of the run; what an interrupted call left there is not made again.
            reporter: Shows progress.

        Returns:
            The samples of which it could not be made.
        """
        ...


@runtime_checkable
class Reader(Protocol[B_co]):
    """Reads samples by their rows, and makes batches of them."""

    def set_epoch(self, epoch: int) -> None:
        """Make training samples those of `epoch`; call it before an iteration begins."""
        ...

    def __getitem__(self, row: int) -> Any:
        """Return a sample, or the `Failure` that kept it from being read."""
        ...

    def batches(self, rows: Sequence[int], size: int) -> list[list[int]]:
        """Return which rows are put through a network together, at most `size` of them."""
        ...

    def collate(self, items: Sequence[Any | Failure]) -> B_co:
        """Return samples as one batch with the failures beside them; all may have failed."""
        ...

    def nothing(self) -> B_co:
        """Return a batch without samples, whose shapes are those that samples have."""
        ...


@runtime_checkable
class Source(Protocol[B_co]):
    """The samples that one network is trained on and tested with."""

    labelled: ClassVar[tuple[Split, ...]]
    """Splits whose samples all need labels."""

    @classmethod
    def of_run(cls, config: Any, run: Path, data: Path | None = None) -> "Source[B_co]":
        """Return where the samples of a run come from.

        Args:
            config: Settings of the run, which say how samples are read.
            run: Its directory.
            data: Dataset to read instead of the run's own.

        Raises:
            UsageError: `data` cannot be read for such a run.
            AttncliError: What the run's directory says of its samples cannot be read.
        """
        ...

    def open(self, split: Split) -> Samples:
        """Return the samples of a split; nothing is decoded yet."""
        ...

    def keep(self, run: Path) -> None:
        """Write into the directory of a run what is needed to open the same samples again."""
        ...

    def notes(self, dataset: Any) -> Sequence[str]:
        """Return what the user should know before training on the samples that `open` returned."""
        ...

    def guidance(self, dataset: Any) -> Guidance:
        """Return what a training on the samples that `open` returned is told besides labels.

        Raises:
            AttncliError: There is nothing of the kind for any of them, or it cannot be read.
        """
        ...

    def reader(self, dataset: Any, *, training: bool, guidance: Any = None) -> Reader[B_co]:
        """Return what reads samples that `open` returned, as in training or as in validation."""
        ...


class Ready:
    """Guidance that is read as it is."""

    def prepare(self, run: Path, *, reporter: Reporter) -> Sequence[Failure]:  # noqa: ARG002
        """Write nothing."""
        return ()


class NoGuidance(Ready):
    """Labels alone."""

    def notes(self) -> list[str]:
        """Return nothing."""
        return []

    def facts(self) -> Mapping[str, int]:
        """Return nothing."""
        return {}


class SeededReader:
    """A reader whose random choices follow from a seed, the epoch, the row and what they are for.

    Args:
        training: Whether choices change from epoch to epoch.
        seed: The seed.
    """

    def __init__(self, *, training: bool, seed: int) -> None:
        self.training = training
        self.seed = seed
        # Workers that live through all epochs see the number change in memory shared with them.
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]

    def set_epoch(self, epoch: int) -> None:
        """Make training samples those of `epoch`; validation samples are always the same.

        Call it before the loader's iteration begins, not while one is under way.
        """
        self._epoch.fill_(epoch)

    def generator(self, row: int, purpose: int) -> np.random.Generator:
        """Return what draws the random numbers of one sample, anew at each call.

        Args:
            row: Which sample.
            purpose: What for; each number has a stream of its own.
        """
        epoch = int(self._epoch) if self.training else 0
        return np.random.default_rng(np.random.SeedSequence([self.seed, epoch, row, purpose]))


def in_turn(rows: Sequence[int], size: int) -> list[list[int]]:
    """Return rows in lists of `size`, the last one of what is left.

    >>> in_turn([3, 4, 5], 2)
    [[3, 4], [5]]
    """
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def batch_loader(
    reader: Reader[B], *, batches: Iterable[list[int]], workers: int, pin: bool = False
) -> Iterable[B]:
    """Return a loader that yields a batch for every list of rows in `batches`.

    Args:
        reader: Reads the samples.
        batches: Rows of each batch; iterated anew for each pass over the loader.
        workers: Processes that read; 0 reads in this one.
        pin: Whether batches are put where a GPU can fetch them by itself.
    """
    loader: DataLoader[Any] = DataLoader(
        cast(Dataset[Any], reader),
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=reader.collate,
        pin_memory=pin,
        persistent_workers=workers > 0,
        # Else each pass draws the workers' seed from torch's global generator.
        generator=torch.Generator(),
    )
    return cast(Iterable[B], loader)
