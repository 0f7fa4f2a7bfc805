import tomllib
from pathlib import Path
from typing import Any

import pytest

from attncli.config.svd_fc import SvdFcCall, SvdFcConfig
from attncli.errors import AttncliError, UsageError
from attncli.workflows.svd_fc.description import Described, kept_scales, require_same
from attncli.workflows.svd_fc.images import open_rows
from attncli.workflows.svd_fc.sources import plan_sources


@pytest.fixture
def describe(data: Path, tmp_path: Path) -> Any:
    """Returns what is known of a call: `describe(**settings)`."""

    def described(split: Any = "all", **changes: Any) -> Described:
        config = SvdFcConfig(**{"weights": ("I=none", "P=none"), **changes})
        call = SvdFcCall(data=data, out=tmp_path / "out", split=split)
        return Described(config, call, open_rows(call), plan_sources(config), ())

    return described


def write(one: Described, scales: Any = None) -> Path:
    about = {plan.name: {**plan.about, "classes": 3} for plan in one.plans}
    one.call.out.mkdir(exist_ok=True)
    path = one.call.out / "config.toml"
    path.write_text(one.description(about, scales).text())
    return path


def test_settings_dataset_and_networks_are_kept(describe: Any, data: Path) -> None:
    kept = tomllib.loads(write(describe(crop_px=64)).read_text())
    assert (kept["data"], kept["layout"], kept["split"]) == (str(data), "image-folder", "all")
    assert (kept["crop_px"], kept["basis"], "resize_px" in kept) == (64, "polar", False)
    assert list(kept["sources"]) == ["I", "P"]
    assert kept["sources"]["P"]["network"] == "resnet50"


def test_scales_are_read_back(describe: Any, tmp_path: Path) -> None:
    scales = {"fc": {"I": 0.5, "P": 2.0}, "svd-fc": {"I": 1.0, "P": 1.0}}
    write(describe(), scales)
    assert kept_scales(tmp_path / "out") == scales
    write(describe())
    assert kept_scales(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "seed"),
        ({"layers": ("fc",), "pool": "none"}, "layers, pool"),
        ({"split": "train"}, "split, images_sha256"),
        ({"weights": ("P=none", "I=none")}, "sources"),
        ({"network": ("resnet50", "P=resnet18")}, "source P"),
        ({"crop_px": 64}, "crop_px"),
    ],
)
def test_what_differs_is_named(describe: Any, changes: dict[str, Any], named: str) -> None:
    write(describe())
    require_same(describe())
    with pytest.raises(AttncliError, match=f"made otherwise: {named}; repeat those settings"):
        require_same(describe(**changes))


def test_other_images_are_noticed(describe: Any, data: Path) -> None:
    write(describe())
    (data / "train" / "a" / "0.png").rename(data / "train" / "a" / "9.png")
    with pytest.raises(AttncliError, match="made otherwise: images_sha256"):
        require_same(describe())


def test_nothing_or_something_else_may_be_there(describe: Any, tmp_path: Path) -> None:
    require_same(describe())
    out = tmp_path / "out"
    out.mkdir()
    (out / ".lock").touch()
    require_same(describe())
    (out / "config.toml").write_text("format_version = 1\n")
    with pytest.raises(AttncliError, match="holds no features to go on with; write elsewhere"):
        require_same(describe())


def test_layers_have_certain_names(describe: Any) -> None:
    describe().require_layers()
    with pytest.raises(UsageError, match="--layers: no such layer: 'conv6'; use some of conv2"):
        describe(layers=("fc", "conv6")).require_layers()
