"""What features are made of and how: written beside them, and what a resumed call must repeat."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from attncli.config.svd_fc import SvdFcCall, SvdFcConfig
from attncli.config.toml import read, require_utf8
from attncli.errors import AttncliError, UsageError
from attncli.files.feature_writing import Description
from attncli.files.features import KIND
from attncli.files.locks import LOCK
from attncli.files.outputs import SETTINGS
from attncli.methods.reid.pcb_layers import STRIPES
from attncli.methods.svd_fc.layers import LAYERS
from attncli.workflows.svd_fc.images import Images
from attncli.workflows.svd_fc.sources import Plan


@dataclass(frozen=True)
class Described:
    """All that is known before a network is opened."""

    config: SvdFcConfig
    """Settings."""
    call: SvdFcCall
    """Which images, and where to."""
    images: Images
    """The images."""
    plans: tuple[Plan, ...]
    """The networks."""
    fusions: tuple[str, ...]
    """Which of them are pooled together."""

    @property
    def inputs(self) -> list[Path]:
        """What is read, and so must stay."""
        return [self.call.data, *(Path(p.weights) for p in self.plans if p.weights_sha256)]

    def require_layers(self) -> None:
        """Make sure that there are such layers.

        Raises:
            UsageError: There is one that no network has.
        """
        people = (STRIPES,) if any(plan.shows_people for plan in self.plans) else ()
        known = (*LAYERS, *people)
        unknown = [layer for layer in self.config.layers if layer not in known]
        if unknown:
            remedy = f"use some of {', '.join(known)}"
            raise UsageError(f"no such layer: {unknown[0]!r}", where="--layers", remedy=remedy)

    def settings(self) -> dict[str, Any]:
        """Return the settings as they are kept, with the dataset and a hash of its list of images.

        Raises:
            UsageError: A path cannot be written down.
        """
        data = self.call.data.resolve()
        require_utf8(data)
        lists = {field.name: getattr(self.config, field.name) for field in fields(self.config)}
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in lists.items()
            if value is not None and name not in ("fuse", "weights", "network")
        }
        images = {"layout": self.images.layout, "split": self.call.split}
        return {"data": str(data), **images, "images_sha256": _hash_of(self.images), **plain}

    def description(
        self,
        about: Mapping[str, Mapping[str, Any]],
        scales: Mapping[str, Mapping[str, float]] | None,
    ) -> Description:
        """Return what is written of the features.

        Args:
            about: What is known of each network, by its name.
            scales: What fused networks are multiplied by, by layer and name.
        """
        return Description(
            pool=self.config.pool,
            layers=self.config.layers,
            sources=about,
            fusions=self.fusions,
            scales=scales,
            settings=self.settings(),
        )


def require_same(about: Described) -> None:
    """Refuse to go on with features that were begun in another way; nothing is changed.

    Raises:
        AttncliError: They were; the settings that differ are named.
    """
    out = about.call.out
    path, is_begun = out / SETTINGS, (out / SETTINGS).is_file()
    if not is_begun and (not out.is_dir() or all(entry.name == LOCK for entry in out.iterdir())):
        return
    before = read(path) if is_begun else {}
    if before.get("kind") != KIND:
        what, remedy = "holds no features to go on with", "write elsewhere"
        raise AttncliError(what, where=out, remedy=remedy)
    wanted = {**about.settings(), "fusions": list(about.fusions)}
    differing = [name for name, value in wanted.items() if before.get(name) != value]
    differing += _differing_sources(before.get("sources", {}), about.plans)
    if differing:
        raise AttncliError(
            f"the features here were made otherwise: {', '.join(differing)}",
            where=path,
            remedy="repeat those settings, or pass --overwrite",
        )


def kept_scales(out: Path) -> dict[str, dict[str, float]]:
    """Return what fused networks are multiplied by, as `config.toml` has it."""
    scales = read(out / SETTINGS).get("scales", {})
    return {
        layer: {name: float(value) for name, value in by.items()} for layer, by in scales.items()
    }


def _differing_sources(before: Mapping[str, Mapping[str, Any]], plans: Sequence[Plan]) -> list[str]:
    """Return the sources that are not those of before, or not in their order."""
    if list(before) != [plan.name for plan in plans]:
        return ["sources"]
    same = {p.name: {key: before[p.name].get(key) for key in p.about} == p.about for p in plans}
    return [f"source {name}" for name, is_same in same.items() if not is_same]


def _hash_of(images: Images) -> str:
    """Return a hash of what is known of all images, in their order."""
    _, rows = images.rows.table()
    text = "\n".join("\t".join(row) for row in rows)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
