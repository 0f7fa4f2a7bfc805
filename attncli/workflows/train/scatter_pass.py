"""The scatter of a layer's maps over the people to learn from, in bounded memory."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import itemgetter

import numpy as np
from jaxtyping import Float32, Int64

from attncli.data.identities import identity_numbers
from attncli.errors import AttncliError
from attncli.files.features import FeatureDirectory
from attncli.methods.reid.c_dpcf import Pooling
from attncli.methods.reid.scatter import Scatter
from attncli.reporting import Reporter

CHUNK_BYTES = 2**27
"""Bytes of maps that are in memory at once."""
SUMS_BYTES = 2**30
"""Bytes of sums over people and cameras that are in memory at once."""


@dataclass(frozen=True)
class Learners:
    """Images to learn from."""

    rows: Int64[np.ndarray, " n"]
    """Their rows in the feature directory, in rising order."""
    identities: Int64[np.ndarray, " n"]
    """Person in each."""
    cameras: tuple[str, ...]
    """Name of the camera of each."""
    ids: tuple[str, ...]
    """Id of each."""

    @property
    def n_people(self) -> int:
        """How many people are shown."""
        return len(np.unique(self.identities))

    @property
    def n_sums(self) -> int:
        """Pairs of a person and a camera, each of which is summed by itself."""
        return len(set(zip(self.identities.tolist(), self.cameras, strict=True)))


def learners_of(directory: FeatureDirectory, *, needs_cameras: bool) -> Learners:
    """Return the training images of a feature directory, with who is shown in each.

    Args:
        directory: The features.
        needs_cameras: Whether cameras must be known.

    Raises:
        AttncliError: There is no training image, or nobody knows who, or which camera, one is of;
            or a camera took other images alone.
    """
    rows = np.flatnonzero(np.array(directory.splits) == "train").astype(np.int64)
    if not len(rows):
        what = "no image is of split 'train', so there is nobody to learn from"
        raise AttncliError(what, where=directory.path, remedy="extract that split too")
    people = [directory.subjects[row] or directory.labels[row] for row in rows]
    cameras = tuple(directory.cameras[row] for row in rows)
    _require_known(directory, rows, people, "who is shown", "name subjects in a manifest")
    if needs_cameras:
        remedy = "name cameras in a manifest, or use --pooling shared-maps"
        _require_known(directory, rows, cameras, "which camera took it", remedy)
        _require_plain_names(directory, cameras)
        _require_all_learnt(directory, cameras)
    ids = tuple(directory.ids[row] for row in rows)
    return Learners(rows, identity_numbers(people), cameras, ids)


def scatter_of(
    array: np.ndarray, learners: Learners, pooling: Pooling, *, name: str, reporter: Reporter
) -> Scatter:
    """Return the scatter of a layer, added up image after image.

    Where sums of all channels would take too much memory, channels are added up in blocks, and
    images read once for each.

    Args:
        array: Maps of all images, memory-mapped.
        learners: Which of them to learn from.
        pooling: How they are to be pooled.
        name: What they are, in messages.
        reporter: Shows progress.

    Raises:
        AttncliError: A number is not finite, or the images do not show two people.
    """
    blocks = channel_blocks(array.shape, learners, pooling)
    size = chunk_size(array[:1].nbytes)
    total = len(blocks) * -(-len(learners.rows) // size)
    chunks = _chunks(_Layer(array, name), learners, blocks, size)
    shown = reporter.track(chunks, label=f"scatter of {name}", total=total, unit="batches")
    return _sum(shown, array.shape, learners, pooling)


def channel_blocks(shape: tuple[int, ...], learners: Learners, pooling: Pooling) -> list[range]:
    """Return blocks of channels (after projection) whose sums are in memory together."""
    rows, columns = pooling.parts_hw((shape[2], shape[3]))
    sums = learners.n_people if pooling.is_shared else learners.n_sums
    size = max(1, SUMS_BYTES // (8 * rows * columns * sums))
    n_rows = pooling.rows(shape[1])
    return [range(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def chunk_size(row_bytes: int) -> int:
    """Return how many images are read at once."""
    return max(1, CHUNK_BYTES // row_bytes)


@dataclass(frozen=True)
class _Layer:
    array: np.ndarray
    """Maps of all images."""
    name: str
    """What they are, in messages."""

    def read(self, learners: Learners, some: slice) -> Float32[np.ndarray, "n c h w"]:
        """Return the maps of some of the images to learn from.

        Raises:
            AttncliError: A number is not finite; layer and image are named.
        """
        maps = np.asarray(self.array[learners.rows[some]])
        wrong = np.flatnonzero(~np.isfinite(maps).reshape(len(maps), -1).all(axis=1))
        if len(wrong):
            id_ = learners.ids[some][int(wrong[0])]
            what = f"{self.name} holds a number that is not finite for image {id_}"
            raise AttncliError(what, remedy="extract the features again")
        return maps


Chunk = tuple[range, slice, Float32[np.ndarray, "n c h w"]]
"""Block of channels, which of the images to learn from, and their maps."""


def _chunks(
    layer: _Layer, learners: Learners, blocks: Sequence[range], size: int
) -> Iterator[Chunk]:
    """Yield maps of some images after the others, all over again for each block of channels."""
    for block in blocks:
        for start in range(0, len(learners.rows), size):
            some = slice(start, start + size)
            yield block, some, layer.read(learners, some)


def _sum(
    chunks: Iterable[Chunk], shape: tuple[int, ...], learners: Learners, pooling: Pooling
) -> Scatter:
    """Return the scatter of all blocks of channels together."""
    hw, is_whole = (shape[2], shape[3]), pooling.rows(shape[1]) == shape[1]
    scatters = []
    for block, some in groupby(chunks, key=itemgetter(0)):
        sums = pooling.sums(shape[1], hw, block)
        for _, rows, maps in some:
            own = maps[:, block.start : block.stop] if is_whole else maps
            sums.add(own, learners.identities[rows], learners.cameras[rows])
        scatters.append(sums.scatter())
    return reduce(operator.add, scatters)


def _require_known(
    directory: FeatureDirectory,
    rows: Int64[np.ndarray, " n"],
    known: Sequence[str],
    what: str,
    remedy: str,
) -> None:
    missing = [row for row, name in zip(rows.tolist(), known, strict=True) if not name]
    if missing:
        first = directory.ids[missing[0]]
        text = f"of {len(missing)} training images, such as {first}, it is not known {what}"
        raise AttncliError(text, where=directory.path, remedy=remedy)


def _require_plain_names(directory: FeatureDirectory, cameras: Sequence[str]) -> None:
    """Refuse names that a list with commas between cannot hold."""
    wrong = next((name for name in cameras if "," in name), None)
    if wrong is not None:
        what, remedy = f"camera {wrong!r} has a comma in its name", "name it otherwise"
        raise AttncliError(what, where=directory.path, remedy=remedy)


def _require_all_learnt(directory: FeatureDirectory, cameras: Sequence[str]) -> None:
    """Refuse images of cameras that nothing is learnt of, before anything is learnt."""
    learnt = set(cameras)
    for id_, camera in zip(directory.ids, directory.cameras, strict=True):
        if camera not in learnt:
            what = f"{id_} is of camera {camera!r}, and no training image is"
            remedy = "leave it out, or use --pooling shared-maps"
            raise AttncliError(what, where=directory.path, remedy=remedy)
