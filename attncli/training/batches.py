"""Which samples a step sees: an order drawn anew each epoch, cut into batches, shared by rank."""

from collections.abc import Iterator

from attncli.training.seeds import order_generator


class BatchOrder:
    """The batches of an epoch as one process reads them: a batch sampler for a data loader.

    A batch is cut into parts, each for one forward pass. Process r of s takes every s-th sample of
    a part from its r-th on; near the end of an epoch its list may be empty. The order of samples
    depends on the seed and the epoch alone, so reading can begin at any step.

    Args:
        n_samples: Number of samples in the dataset.
        batch_size: Samples in a step, over all processes and parts; the last batch may have fewer.
        parts: Parts a batch is cut into.
        seed: Seed of the order.
        rank: Number of this process.
        size: Number of processes.
    """

    def __init__(
        self, n_samples: int, *, batch_size: int, parts: int, seed: int, rank: int, size: int
    ) -> None:
        self.n_samples = n_samples
        self.batch_size = batch_size
        self.part_size = batch_size // parts
        self.seed = seed
        self.rank = rank
        self.size = size
        self.epoch = 0
        self.first_step = 0

    @property
    def steps(self) -> int:
        """Steps of a whole epoch."""
        return -(-self.n_samples // self.batch_size)

    def begin(self, epoch: int, first_step: int) -> None:
        """Have the next iteration give the batches of `epoch` from step `first_step` on."""
        self.epoch = epoch
        self.first_step = first_step

    def parts_of(self, step: int) -> int:
        """Return how many parts the batch of a step has: fewer in a short last one."""
        samples = min(self.batch_size, self.n_samples - step * self.batch_size)
        return -(-samples // self.part_size)

    def __len__(self) -> int:
        """Return how many parts the next iteration gives."""
        return sum(self.parts_of(step) for step in range(self.first_step, self.steps))

    def __iter__(self) -> Iterator[list[int]]:
        """Yield this process's rows of each part, step after step."""
        order = order_generator(self.seed, self.epoch).permutation(self.n_samples)
        for start in range(self.first_step * self.batch_size, self.n_samples, self.batch_size):
            batch = order[start : start + self.batch_size]
            for first in range(0, len(batch), self.part_size):
                part = batch[first : first + self.part_size]
                yield part[self.rank :: self.size].tolist()
