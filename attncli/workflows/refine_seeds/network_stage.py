"""A refinement by a network, which takes one image after the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.files.hashes import sha256_of
from attncli.files.runs import Run
from attncli.files.seeds import SeedDirectory
from attncli.training.distributed import World
from attncli.workflows.runs.network import open_network


@dataclass(frozen=True)
class NetworkStage(ABC):
    """A `Stage` whose seeds rest on the network of a run."""

    name: ClassVar[str]

    config: Any
    """How seeds are refined."""
    inputs: Mapping[str, SeedDirectory]
    """The seeds that are read, by what they are called."""
    run: Run
    """What was trained."""
    weights: Path
    """Its weights."""

    @property
    def parents(self) -> Mapping[str, str]:
        """SHA-256 of the weights."""
        return {"weights": sha256_of(self.weights)}

    def refine(
        self,
        samples: Sequence[ImageSample],
        out: Path,
        *,
        workers: int,  # noqa: ARG002 - one network, which computes with all cores
        world: World,
    ) -> Iterator[Failure | None]:
        """Write the seed of each image into `out`, and yield what kept it from that, or None."""
        network = open_network(self.run, weights=self.weights, device=world.device)
        for sample in samples:
            try:
                self.write(network, sample, out, world.device)
            except AttncliError as error:
                yield Failure(sample.id, str(sample.path), str(error))
            else:
                yield None

    @abstractmethod
    def write(self, network: Any, sample: ImageSample, out: Path, device: torch.device) -> None:
        """Write the seed of one image.

        Args:
            network: The network of the run, in evaluation mode on `device`.
            sample: The image.
            out: Directory to write.
            device: Where to compute.

        Raises:
            AttncliError: The image or a seed of it cannot be used.
        """
