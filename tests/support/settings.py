"""Settings of any method of the catalog, whose network takes a step in a fraction of a second."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.config.reid import CUT

TINY: Mapping[str, Any] = {
    "batch_size": 3,
    "workers": 0,
    "device": "cpu",
    "weights": "none",
    "frames": 4,
    **dict.fromkeys(("crop_px", "long_side_min_px", "long_side_max_px"), 32),
    **dict.fromkeys(("short_side_min_px", "short_side_max_px", "short_side_val_px"), 32),
    "width_factor": 0.125,
    "depth_factor": 0.3,
    "depth": "18",
    "face_px": 16,
    "margin_px": 2,
    "widths": (4, 4, 8, 8, 16),
    "groups": 4,
    "backbone": "shufflenet_v2_x0_5",
    "width": 8,
    "dilation": 1,
    "difference_width": 8,
    "radius": 2,
    "eval_scales": (1.0,),
    "eval_crf": False,
    "size_hw": (96, 32),
    "exclude": "none",
}
"""Small values of settings, by name; a method takes those that it knows."""


def tiny(method: str, **changes: Any) -> Any:
    """Return settings of a method.

    Args:
        method: Name in the catalog.
        changes: Settings with other values than the small ones, or than the defaults. A path that
            must be given and is not, such as the dataset, has its setting's name.
    """
    config = catalog.load(catalog.method(method).config)
    own = {field.name: field for field in fields(config)}
    needed = {name: Path(name) for name, field in own.items() if field.default is MISSING}
    small = {name: value for name, value in TINY.items() if name in own}
    if "size_hw" in own:  # whole images, of which nothing is cut
        small = {name: value for name, value in small.items() if name not in CUT}
    return config(**{**needed, **small, **changes})
