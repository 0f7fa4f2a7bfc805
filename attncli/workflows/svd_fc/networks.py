"""All networks of a call together: they see each image at the same time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from attncli.config.svd_fc import SvdFcConfig
from attncli.data.images.center_crops import Crops, Cut
from attncli.data.images.reading import read_rgb
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.files.features import SINGULAR_VALUES
from attncli.methods.reid.pcb import PcbNetwork
from attncli.methods.reid.pcb_layers import PcbLayers
from attncli.methods.svd_fc.layers import LayerExtractor, open_layers
from attncli.reporting import Reporter
from attncli.training.learner import autocast
from attncli.workflows.svd_fc.pooling import Found
from attncli.workflows.svd_fc.sources import Plan, Source, open_source

PASS = 16
"""Images that a network takes at once, always: the last pass is filled up with black ones.

Libraries add up in another order for another number of images, and MPN-CBP's square root makes much
of a difference beside 0. In passes of one size an image's layers are the same to the last bit,
wherever it is in them and whatever is beside it.
"""


@dataclass(frozen=True)
class Networks:
    """Networks that were opened, with the layers of each that are asked for."""

    sources: tuple[Source, ...]
    """The networks."""
    extractors: tuple[LayerExtractor | PcbLayers, ...]
    """What makes their layers, in the same order."""
    n_classes: tuple[int, ...]
    """Classes that each scores."""
    probe: Found
    """Layers of one image."""
    device: torch.device
    """Where they compute."""
    config: SvdFcConfig
    """Settings."""

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """Ways in which images are cut for them, each once."""
        return tuple(dict.fromkeys(source.cut for source in self.sources))

    @property
    def channels(self) -> dict[str, Mapping[str, int]]:
        """Channels by source and layer."""
        return {
            source: {layer: maps.shape[1] for layer, maps in found.items()}
            for source, found in self.probe.items()
        }

    @property
    def about(self) -> dict[str, dict[str, Any]]:
        """What there is to know of each network, by its name."""
        pairs = zip(self.sources, self.n_classes, strict=True)
        return {source.plan.name: source.about(n) for source, n in pairs}

    def bases(self) -> dict[tuple[str, str], np.ndarray]:
        """Return what vectors are made with, as `FeatureDirectory.bases` does."""
        kept: dict[tuple[str, str], np.ndarray] = {}
        for source, extractor in zip(self.sources, self.extractors, strict=True):
            for layer, basis in extractor.bases.items():
                kept[source.plan.name, layer] = basis.rows
                kept[source.plan.name, SINGULAR_VALUES] = basis.singular_values
        return kept

    def find(self, crops: Crops) -> Found:
        """Return the layers of images, by source: they follow from each image alone."""
        on_device = [images.to(self.device, non_blocking=True) for images in crops.images]
        with _arithmetic(self.device, self.config):
            return {
                source.plan.name: _in_passes(extractor, on_device[self.cuts.index(source.cut)])
                for source, extractor in zip(self.sources, self.extractors, strict=True)
            }


def open_networks(
    plans: Sequence[Plan],
    config: SvdFcConfig,
    samples: Sequence[ImageSample],
    *,
    device: torch.device,
    reporter: Reporter,
) -> Networks:
    """Return networks, ready to answer.

    Args:
        plans: Which ones.
        config: What is asked of them.
        samples: Images, of which the first that can be read shows what is where in a network.
        device: Where they compute.
        reporter: Told what there is to know of them.

    Raises:
        UsageError: There is no such network, or it has no such layer.
        AttncliError: Weights cannot be used, or no image can be read.
    """
    image = _first_image(samples)
    sources, extractors, n_classes = [], [], []
    probe: dict[str, dict[str, Tensor]] = {}
    for number, plan in enumerate(plans):
        seed = config.seed + number  # networks of random weights are not to be the same
        source = open_source(plan, config, seed=seed, device=device, reporter=reporter)
        seen = source.cut(image)[None].to(device)
        with _arithmetic(device, config):
            extractor = _opened(source, seen, config, seed)
            probe[plan.name] = _in_fp32(extractor(seen))
            n_classes.append(_n_classes(source, seen))
        for note in extractor.notes:
            reporter.note(f"{plan.name}: {note}")
        sources.append(source)
        extractors.append(extractor)
    found = tuple(sources), tuple(extractors), tuple(n_classes)
    return Networks(*found, probe, device, config)


def _opened(
    source: Source, seen: Tensor, config: SvdFcConfig, seed: int
) -> LayerExtractor | PcbLayers:
    if isinstance(source.classifier, PcbNetwork):
        return PcbLayers(source.classifier, config.layers).eval()
    return open_layers(
        source.classifier,
        seen,
        config.layers,
        form=config.basis,
        tolerance=config.tolerance,
        seed=seed,
    ).eval()


def _n_classes(source: Source, seen: Tensor) -> int:
    """Return how many classes a network scores; those of people are scored by every stripe."""
    scores = source.classifier(seen)
    return int(scores.shape[-1] if source.plan.shows_people else scores.flatten(1).shape[1])


def _first_image(samples: Sequence[ImageSample]) -> np.ndarray:
    """Return the first image that can be read.

    Raises:
        AttncliError: None can; the message says why the first cannot.
    """
    first: AttncliError | None = None
    for sample in samples:
        try:
            return read_rgb(sample.path)
        except AttncliError as error:
            first = first or error
    raise AttncliError(f"no image can be read: {first}")


@contextmanager
def _arithmetic(device: torch.device, config: SvdFcConfig) -> Iterator[None]:
    """Compute without gradients, and in 32 bits where that is asked for, on GPUs too.

    TF32 has 10 bits: an image's features would depend on which images are beside it.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        stack.enter_context(autocast(device, config.precision))
        if device.type == "cuda":
            exact: Any = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
            stack.enter_context(exact)
        yield


def _in_passes(extractor: LayerExtractor | PcbLayers, images: Tensor) -> dict[str, Tensor]:
    """Return the layers of images (b, 3, h, w), which the network takes `PASS` at a time."""
    passes = [_in_fp32(extractor(_filled_up(some))) for some in torch.split(images, PASS)]
    return {layer: torch.cat([one[layer] for one in passes])[: len(images)] for layer in passes[0]}


def _filled_up(images: Tensor) -> Tensor:
    """Return images, and as many black ones as there is room for in a pass."""
    filled = functional.pad(images, (0, 0) * 3 + (0, PASS - len(images)))
    return filled.contiguous(memory_format=torch.channels_last)


def _in_fp32(layers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {layer: values.float() for layer, values in layers.items()}
