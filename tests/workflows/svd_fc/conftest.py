"""Images and networks small enough for features of them to take a moment."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.models import shufflenet_v2_x0_5

from attncli.config.svd_fc import SvdFcCall, SvdFcConfig
from attncli.reporting import Outcome, Reporter
from attncli.workflows.svd_fc.extraction import extract
from tests.support.image_folder import write_image_folder
from tests.support.reporters import Told

NETWORK = "shufflenet_v2_x0_5"
Extract = Callable[..., Outcome]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten images of two classes."""
    return write_image_folder(tmp_path / "data")


@pytest.fixture(scope="session")
def few_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network that tells eight classes apart, so that its basis takes no time."""
    path = tmp_path_factory.mktemp("weights") / "few.pth"
    torch.manual_seed(5)
    torch.save(shufflenet_v2_x0_5(num_classes=8).state_dict(), path)
    return path


@pytest.fixture
def go(data: Path, few_classes: Path) -> Extract:
    """Extracts features of the images: `go(out, **settings)`; weights `few` are `few_classes`."""

    def run(out: Path, *, reporter: Reporter | None = None, **changes: Any) -> Outcome:
        ways = {name: changes.pop(name, False) for name in ("dry_run", "overwrite", "resume")}
        told = {"data": data, "out": out, "batch_size": 4, "workers": 0, "device": "cpu"}
        of_call = [field.name for field in fields(SvdFcCall) if field.name in changes]
        told |= {name: changes.pop(name) for name in of_call}
        small: dict[str, Any] = {"weights": ("I=few",), "network": (NETWORK,)}
        small |= {"resize_px": 70, "crop_px": 64, **changes}
        small["weights"] = tuple(w.replace("=few", f"={few_classes}") for w in small["weights"])
        config = SvdFcConfig(**small)
        return extract(config, SvdFcCall(**told), **ways, reporter=reporter or Told())

    return run
