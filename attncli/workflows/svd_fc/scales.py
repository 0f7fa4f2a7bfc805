"""How strong the maps of a network are: measured on some images, before networks are fused."""

import hashlib
from collections.abc import Mapping, Sequence

import torch

from attncli.config.svd_fc import SvdFcConfig
from attncli.data.images.center_crops import CropReader, load_crops
from attncli.data.source import in_turn
from attncli.errors import AttncliError
from attncli.files.features import JOINT
from attncli.reporting import Reporter
from attncli.workflows.svd_fc.images import Images
from attncli.workflows.svd_fc.networks import Networks
from attncli.workflows.svd_fc.pooling import equal_scales, norms

MEASURED = 256
"""Images that are measured at most."""


def source_scales(
    networks: Networks,
    images: Images,
    fusions: Sequence[str],
    *,
    batch_size: int,
    workers: int,
    reporter: Reporter,
) -> dict[str, dict[str, float]] | None:
    """Return what fused networks are multiplied by, by layer and source; None without fusions.

    Args:
        networks: All networks.
        images: The images; only those for training are measured, where there are any.
        fusions: Which networks are fused.
        batch_size: Images that are read at once.
        workers: Processes that read images.
        reporter: Shows progress.

    Raises:
        AttncliError: No image can be measured, or a network says nothing but zero.
    """
    names = list(dict.fromkeys(name for fusion in fusions for name in fusion.split(JOINT)))
    if not names:
        return None
    config = networks.config
    if config.source_scale == "none":
        return {layer: dict.fromkeys(names, 1.0) for layer in config.layers}
    rows = chosen_rows(images)
    reader = CropReader(images.samples, networks.cuts)
    loaded = load_crops(reader, in_turn(rows, batch_size), workers=workers)
    total = -(-len(rows) // batch_size)
    measured = [
        _norms_of(networks.find(crops), crops.is_read.to(networks.device), config, names)
        for crops in reporter.track(loaded, label="scales", total=total, unit="batches")
    ]
    return equal_scales(_means(torch.cat(measured), config, names))


def chosen_rows(images: Images) -> list[int]:
    """Return which images are measured: the same ones in whatever order they are."""
    splits = images.rows.splits
    known = [n for n, split in enumerate(splits) if split == "train"] or range(len(splits))
    return sorted(known, key=lambda n: _hash_of(images.rows.ids[n]))[:MEASURED]


def _hash_of(image_id: str) -> bytes:
    return hashlib.sha256(image_id.encode(errors="surrogatepass")).digest()


def _norms_of(
    found: Mapping[str, Mapping[str, torch.Tensor]],
    is_read: torch.Tensor,
    config: SvdFcConfig,
    names: Sequence[str],
) -> torch.Tensor:
    """Return norms (b, layers * sources) of the images that could be read."""
    columns = [norms(found[name][layer]) for layer in config.layers for name in names]
    return torch.stack(columns, dim=1)[is_read].cpu()


def _means(
    measured: torch.Tensor, config: SvdFcConfig, names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the mean norm of finite maps, by layer and source."""
    finite = measured[measured.isfinite().all(dim=1)]
    if not len(finite):
        raise AttncliError(
            "no image can be measured to scale the sources", remedy="check the images"
        )
    means = iter(finite.mean(dim=0).tolist())
    return {layer: {name: next(means) for name in names} for layer in config.layers}
