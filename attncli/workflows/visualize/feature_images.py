"""The images that features were made of, found again by their ids."""

from collections.abc import Iterable
from pathlib import Path

from attncli.data.layouts.images import open_images
from attncli.data.samples import ImageDataset, ImageSample
from attncli.errors import AttncliError
from attncli.files.features import FeatureDirectory, holds_features, open_features
from attncli.files.runs import load


def images_of(path: Path, data: Path | None) -> ImageDataset:
    """Return the images that are behind a feature directory or a run.

    Args:
        path: A feature directory, a run that was fitted to features, or one of images.
        data: The dataset of the images, where it is not to be the one they were made of.

    Raises:
        AttncliError: There is no such directory, or the dataset is not there.
    """
    if data is not None:
        return open_images(data, split="all")
    features = features_behind(path)
    if features is None:
        config = load(path).config
        return open_images(config.data, layout=config.layout, split="all")
    root = Path(features.settings["data"])
    if _directory_in(root) is not None:  # maps that were pooled
        return images_of(root, None)
    layout = str(features.settings.get("layout", "auto"))
    return open_images(root, layout=layout, split="all")


def features_behind(path: Path) -> FeatureDirectory | None:
    """Return the features in a directory, or those that a run was fitted to; None of other runs.

    Raises:
        AttncliError: There is no such run, or the features are not whole.
    """
    own = path if holds_features(path) else _directory_in(load(path).config.data)
    return None if own is None else open_features(own)


def _directory_in(path: Path) -> Path | None:
    """Return the feature directory at `path`, or in a run there; None where there are images."""
    return next((one for one in (path, path / "features") if holds_features(one)), None)


def samples_of(dataset: ImageDataset, ids: Iterable[str]) -> dict[str, ImageSample]:
    """Return the images of a dataset by their ids.

    Raises:
        AttncliError: It does not have one of `ids`.
    """
    samples = {sample.id: sample for sample in dataset.samples}
    for id_ in ids:
        if id_ not in samples:
            remedy = "give the dataset the features were made of with --data"
            raise AttncliError(f"no such image: {id_!r}", where=dataset.root, remedy=remedy)
    return samples
