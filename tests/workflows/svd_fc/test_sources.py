from pathlib import Path
from typing import Any

import pytest
import torch

from attncli.config.svd_fc import SvdFcConfig
from attncli.data.images.center_crops import WholeImage
from attncli.errors import AttncliError, UsageError
from attncli.files.hashes import sha256_of
from attncli.methods.reid.pcb import PcbNetwork
from attncli.workflows.svd_fc.sources import (
    fusions_of,
    open_source,
    plan_sources,
    with_layers,
)
from tests.support.reporters import Told
from tests.support.runs import begin_run, make_run
from tests.workflows.svd_fc.conftest import NETWORK


def plan(*weights: str, **changes: Any) -> list[tuple[str, str, str]]:
    """Return name, network and weights of each source."""
    found = plan_sources(SvdFcConfig(weights=weights, **changes))
    return [(one.name, one.network, one.weights) for one in found]


def test_weights_have_names_and_networks() -> None:
    assert plan("I=imagenet", "P.2=none") == [
        ("I", "resnet50", "imagenet"),
        ("P.2", "resnet50", "none"),
    ]
    networks = ("vgg16", "b=resnet18")
    found = plan("a=none", "b=none", "c=efficientnet-lite0", network=networks)
    assert [network for _, network, _ in found] == ["vgg16", "resnet18", "efficientnet-lite0"]


def test_what_has_no_name_is_called_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "places.pth").write_bytes(b"weights")
    (one,) = plan_sources(SvdFcConfig(weights=(str(tmp_path / "places.pth"),)))
    assert (one.name, one.weights) == ("places", str(tmp_path / "places.pth"))
    assert one.weights_sha256 == sha256_of(tmp_path / "places.pth")
    assert plan("imagenet")[0][0] == "imagenet"


def test_files_are_the_same_wherever_they_are_read(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "a=b.pth").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    assert plan("I=a=b.pth") == [("I", "resnet50", str(tmp_path / "a=b.pth"))]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": ("I=none", "I=imagenet")}, "--weights: names source I twice"),
        ({"weights": ("I+P=none",)}, "'I.P=none' is not NAME=WEIGHTS"),
        ({"weights": ("I=",)}, "'I=' is not NAME=WEIGHTS"),
        ({"weights": ("=none",)}, "'=none' is not NAME=WEIGHTS"),
        ({"weights": ("config.toml=none",)}, "is not NAME=WEIGHTS"),
        ({"weights": ("I=nothing.pth",)}, "no such weights: 'nothing.pth'"),
        ({"network": ("resnet18", "resnet34")}, "names resnet18 and resnet34 for all sources"),
        ({"network": ("Q=resnet18",)}, "no such source: 'Q'; name one of I"),
        ({"network": ("I=resnet18", "I=resnet34")}, "--network: names source I twice"),
        (
            {"weights": ("I=efficientnet-lite0",), "network": ("I=resnet18",)},
            "--network: I is efficientnet-lite0, not resnet18",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_sources(SvdFcConfig(**{"weights": ("I=none",), **changes}))


def test_runs_name_their_own_network(tmp_path: Path) -> None:
    run = make_run(tmp_path / "cam", "cam", tmp_path)
    assert plan(f"O={run}") == [("O", NETWORK, str(run))]
    begin_run(tmp_path / "begun", "cam", tmp_path)
    with pytest.raises(AttncliError, match="has no weights; train it to its end"):
        plan(f"O={tmp_path / 'begun'}")
    other = make_run(tmp_path / "psa", "psa", tmp_path, cams=tmp_path)
    with pytest.raises(AttncliError, match="is a run of psa; name a run of cam or pcb"):
        plan(f"O={other}")


def test_networks_of_people_see_whole_images(tmp_path: Path) -> None:
    run = make_run(tmp_path / "pcb", "pcb", tmp_path)
    assert plan(str(run)) == [("I", NETWORK, str(run))]
    opened = {"seed": 0, "device": torch.device("cpu"), "reporter": Told()}
    config = SvdFcConfig(weights=(str(run),))
    (one,) = plan_sources(config)
    source = open_source(one, config, **opened)
    assert one.shows_people
    assert isinstance(source.classifier, PcbNetwork)
    about = source.about(2)
    assert (about["whole_hw"], about["classes"], "crop_px" in about) == ([96, 32], 2, False)
    other = SvdFcConfig(weights=(str(run),), size_hw=(64, 48))
    assert open_source(one, other, **opened).cut == WholeImage((64, 48))
    square = SvdFcConfig(weights=(str(run),), crop_px=32)
    with pytest.raises(UsageError, match=r"--crop-px: is for networks that see squares.*size-hw"):
        open_source(one, square, **opened)


def test_layers_that_nobody_names_are_those_of_the_networks(tmp_path: Path) -> None:
    run = str(make_run(tmp_path / "pcb", "pcb", tmp_path))

    def layers(*weights: str, **named: Any) -> tuple[str, ...]:
        config = SvdFcConfig(weights=weights, **named)
        return with_layers(config, plan_sources(config)).layers

    assert layers("P=none") == ("conv5", "fc", "svd-fc", "random-fc")
    assert layers(run) == ("conv5", "stripes")
    assert layers(run, "P=none") == ("conv5",)
    assert layers(run, layers=("conv4",)) == ("conv4",)


def test_any_network_can_see_whole_images() -> None:
    config = SvdFcConfig(weights=("I=none",), network=(NETWORK,), size_hw=(64, 32))
    (one,) = plan_sources(config)
    source = open_source(one, config, seed=0, device=torch.device("cpu"), reporter=Told())
    assert source.cut == WholeImage((64, 32))


@pytest.mark.parametrize(
    ("pool", "fuse", "expected"),
    [
        ("gap", (), ()),
        ("mpn-cbp", (), ("a+b+c",)),
        ("mpn-cbp", ("none",), ()),
        ("mpn-cbp", ("a+c", "b+a", "a+c"), ("a+c", "b+a")),
    ],
)
def test_all_sources_are_fused_unless_others_are_named(
    pool: Any, fuse: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    config = SvdFcConfig(weights=("a=none",), pool=pool, fuse=fuse)
    assert fusions_of(config, ("a", "b", "c")) == expected
    assert fusions_of(SvdFcConfig(weights=("a=none",), pool=pool), ("a",)) == ()


@pytest.mark.parametrize("fusion", ["a", "a+a", "a+d", ""])
def test_only_sources_can_be_fused(fusion: str) -> None:
    config = SvdFcConfig(weights=("a=none",), pool="mpn-cbp", fuse=(fusion,))
    with pytest.raises(UsageError, match="does not join two or more of the sources a, b"):
        fusions_of(config, ("a", "b"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (256, 224)),
        ({"crop_px": 112}, (128, 112)),
        ({"crop_px": 448}, (512, 448)),
        ({"resize_px": 300}, (300, 224)),
        ({"resize_px": 100}, (100, 100)),
        ({"resize_px": 70, "crop_px": 64}, (70, 64)),
    ],
)
def test_networks_see_images_as_they_were_trained_unless_told(
    changes: dict[str, int], expected: tuple[int, int]
) -> None:
    config = SvdFcConfig(weights=("I=none",), network=("resnet18",), **changes)
    (one,) = plan_sources(config)
    ways: dict[str, Any] = {"seed": 0, "device": torch.device("cpu"), "reporter": Told()}
    source = open_source(one, config, **ways)
    assert (source.cut.resize_px, source.cut.crop_px) == expected
    about = source.about(1000)
    assert (about["mean"], about["std"]) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
