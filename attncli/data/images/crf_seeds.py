"""Seeds refined by a dense CRF, image by image, in processes side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attncli.config.crf import CrfConfig
from attncli.config.seeds import Background
from attncli.data.images.reading import read_rgb
from attncli.data.images.seeds import Scored, read_scores, require_shown, write_scored
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, Failure
from attncli.files.label_maps import IGNORE_LABEL
from attncli.files.seeds import SeedDirectory
from attncli.layers.crf_arrays import dense_crf, one_hot_probabilities
from attncli.pool import work_in_pool


@dataclass(frozen=True)
class CrfJob:
    """The seed of one image, which a CRF is to refine."""

    sample: ImageSample
    """The image."""
    seeds: SeedDirectory
    """Where its seed is."""
    background: Background
    """The background's score where the seed has none."""
    crf: CrfConfig
    """The CRF."""
    out: Path
    """Directory that its refined seed goes to."""
    device: Any = "cpu"
    """Where torch's backend works."""

    @property
    def id(self) -> str:
        """The image, in messages."""
        return self.sample.id


def refine_all(
    samples: Iterable[ImageSample],
    seeds: SeedDirectory,
    out: Path,
    *,
    background: Background,
    crf: CrfConfig,
    workers: int,
    device: Any = "cpu",
) -> Iterator[Failure | None]:
    """Write the refined seed of each image, and yield what kept it from that, or None.

    Args:
        samples: The images.
        seeds: Their seeds.
        out: Directory to write.
        background: The background's score where seeds have none.
        crf: The CRF.
        workers: Processes side by side.
        device: Where torch's backend works: a device of torch or its name.
    """
    jobs = (CrfJob(sample, seeds, background, crf, out, device) for sample in samples)
    for job, result in work_in_pool(jobs, refine, workers):
        failed = isinstance(result, AttncliError)
        yield Failure(job.id, str(job.sample.path), str(result)) if failed else None


def refine(job: CrfJob) -> None:
    """Write the seed that a CRF over the classes present makes of an image's.

    Raises:
        AttncliError: The image or its seed cannot be read, or they are of different sizes.
    """
    image = read_rgb(job.sample.path)
    size_hw = (image.shape[0], image.shape[1])
    scored = _scored(job, size_hw)
    found = dense_crf(image, scored.scores, job.crf, device=job.device).clip(0, 1)
    write_scored(job.out, job.id, Scored(scored.classes, found))


def _scored(job: CrfJob, size_hw: tuple[int, int]) -> Scored:
    """Return the seed's scores; of a label map those that leave it in doubt."""
    seeds = job.seeds
    scored = read_scores(seeds, job.id, size_hw=size_hw, background=job.background)
    require_shown(scored, job.sample, seeds)
    if seeds.scores_path(job.id).is_file():
        return scored
    classes = scored.classes[scored.classes != IGNORE_LABEL]
    return Scored(classes, one_hot_probabilities(scored.label_map, classes))
