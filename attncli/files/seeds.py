"""Seed directories: of each image which class every pixel is likely to be of.

    seeds/psa/{seeds.toml, ID.png, ID.npz, …}

`ID.png` is a label map of the image's own size (`attncli.files.label_maps`), `ID.npz` the scores it
is made from (`attncli.files.score_maps`). `seeds.toml` says what they are: stage, parameters, class
names, hashes of what they were made from and of the list of images. Class activation maps, which
an evaluation of `cam` writes, are a seed directory without label maps: they do not score the
background.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from jaxtyping import Float, Int64, UInt8

from attncli.config.toml import read
from attncli.errors import AttncliError
from attncli.files import label_maps, score_maps
from attncli.files.atomic import write_text
from attncli.files.hashes import sha256_of
from attncli.files.runs import RunDirectory

FORMAT_VERSION = 1
DESCRIPTION = "seeds.toml"
CAM = "cam"
"""Stage of class activation maps."""
SCORE_MAPS = "score_maps"
"""Directory of an evaluation of `cam` that holds its class activation maps."""
REMEDY = "name a directory that `attncli refine-seeds` or `attncli eval` of cam wrote"


@dataclass(frozen=True)
class SeedDirectory:
    """Seeds on disk, and what is said of them."""

    path: Path
    """Where they are."""
    stage: str
    """What made them: `cam`, `psa`, `crf`, `ssdd` or the kind that was imported."""
    parameters: Mapping[str, Any]
    """With which settings."""
    classes: tuple[str, ...]
    """Class names in the order of the dataset, without the background."""
    ids_sha256: str
    """Hash of the list of images, see `hash_of_ids`."""
    parents: Mapping[str, str]
    """SHA-256 of what they were made from, by name."""

    def label_map_path(self, image_id: str) -> Path:
        """Return where the label map of an image is."""
        return self.path / f"{image_id}{label_maps.SUFFIX}"

    def scores_path(self, image_id: str) -> Path:
        """Return where the scores of an image are."""
        return score_maps.score_maps_path(self.path, image_id)

    def has(self, image_id: str) -> bool:
        """Return whether there is a label map or scores of an image."""
        return self.label_map_path(image_id).is_file() or self.scores_path(image_id).is_file()

    @property
    def sha256(self) -> str:
        """Hash of what is said of them, by which those made from them name their parent."""
        return sha256_of(self.path / DESCRIPTION)


def holds_seeds(path: Path) -> bool:
    """Return whether a directory says that it holds seeds."""
    return (path / DESCRIPTION).is_file()


def open_seeds(
    path: Path, *, classes: Sequence[str] | None = None, split: str = "train"
) -> SeedDirectory:
    """Return the seeds in a directory, or the class activation maps of a run.

    Args:
        path: Seed directory, or run of `cam` that was evaluated on the split.
        classes: Classes of the dataset they have to be of; any where None.
        split: Which evaluation of a run.

    Raises:
        AttncliError: There are none, or they are of other classes; the first other one is named.
    """
    if RunDirectory(path).config_path.is_file() and not holds_seeds(path):
        path = _of_run(path, split)
    content = _description(path / DESCRIPTION)
    found = SeedDirectory(
        path=path,
        stage=str(content["stage"]),
        parameters=content["parameters"],
        classes=tuple(map(str, content["classes"])),
        ids_sha256=str(content["ids_sha256"]),
        parents=content["parents_sha256"],
    )
    if classes is not None:
        _require_classes(found, classes)
    return found


def require_unscored_background(seeds: SeedDirectory) -> None:
    """Refuse seeds beside whose scores no background can be put.

    Raises:
        AttncliError: They are no class activation maps.
    """
    if seeds.stage != CAM:
        raise AttncliError(
            f"is of stage {seeds.stage}, whose seeds have their background already",
            where=seeds.path,
            remedy="name class activation maps, or leave the background to the seeds",
        )


def write_seed(
    directory: Path,
    image_id: str,
    label_map: UInt8[np.ndarray, "h w"],
    classes: Int64[np.ndarray, " k"],
    scores: Float[np.ndarray, "k h w"],
) -> None:
    """Write the seed of one image; its label map is written last, and so is there of whole ones.

    Args:
        directory: Where those of all images are.
        image_id: The image.
        label_map: Label of each pixel.
        classes: Classes that are scored as label maps number them, in rising order.
        scores: Their scores, in [0, 1].
    """
    score_maps.write_score_maps(directory, image_id, classes, scores)
    path = directory / f"{image_id}{label_maps.SUFFIX}"
    label_maps.write_label_map(path, label_map)


def write_description(
    directory: Path,
    *,
    stage: str,
    parameters: Mapping[str, Any],
    classes: Sequence[str],
    ids: Iterable[str],
    parents: Mapping[str, str],
) -> None:
    """Write what the seeds of a directory are.

    Args:
        directory: Where they are.
        stage: What made them, such as `cam`.
        parameters: With which settings; those that are None are left out.
        classes: Class names in the order of the dataset, without the background.
        ids: The images, in the order of the dataset.
        parents: SHA-256 of what they were made from, by name.
    """
    content = {
        "format_version": FORMAT_VERSION,
        "stage": stage,
        "parameters": {name: value for name, value in parameters.items() if value is not None},
        "classes": list(classes),
        "ids_sha256": hash_of_ids(ids),
        "parents_sha256": dict(parents),
    }
    write_text(directory / DESCRIPTION, tomli_w.dumps(content))


def hash_of_ids(ids: Iterable[str]) -> str:
    """Return the SHA-256 of a list of images, an id a line, whatever its order."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(ids)).encode()).hexdigest()


def _of_run(run: Path, split: str) -> Path:
    path = RunDirectory(run).evaluation_path(split) / SCORE_MAPS
    if holds_seeds(path):
        return path
    raise AttncliError(
        f"holds no class activation maps of split {split!r}",
        where=run,
        remedy=f"make them, where it is a run of cam: attncli eval {run} --split {split}",
    )


def _description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise AttncliError(f"holds no {DESCRIPTION}", where=path.parent, remedy=REMEDY)
    content = read(path)
    kinds = {
        "stage": str,
        "parameters": dict,
        "classes": list,
        "ids_sha256": str,
        "parents_sha256": dict,
    }
    for name, kind in kinds.items():
        if not isinstance(content.get(name), kind):
            raise AttncliError(f"its {name} is missing or malformed", where=path, remedy=REMEDY)
    return content


def _require_classes(seeds: SeedDirectory, classes: Sequence[str]) -> None:
    if seeds.classes == tuple(classes):
        return
    pairs = enumerate(zip_longest(seeds.classes, classes), start=1)
    number, own, wanted = next((n, own, wanted) for n, (own, wanted) in pairs if own != wanted)
    raise AttncliError(
        f"was made for {len(seeds.classes)} classes, the dataset has {len(classes)}: class"
        f" {number} is {own or 'none'} here and {wanted or 'none'} there",
        where=seeds.path,
        remedy="name seeds of this dataset, or check --data",
    )
