from pathlib import Path
from typing import Any

import pytest
import torch

from attncli.config.svd_fc import SvdFcCall, SvdFcConfig
from attncli.data.images.center_crops import CropReader, load_crops
from attncli.errors import AttncliError, UsageError
from attncli.workflows.svd_fc.images import open_rows
from attncli.workflows.svd_fc.networks import PASS, Networks, open_networks
from attncli.workflows.svd_fc.sources import plan_sources
from tests.support.reporters import Told
from tests.workflows.svd_fc.conftest import NETWORK


def opened(data: Path, told: Told, **changes: Any) -> Networks:
    small = {"network": (NETWORK,), "crop_px": 64, "layers": ("conv5", "fc"), **changes}
    config = SvdFcConfig(**small)
    samples = open_rows(SvdFcCall(data=data)).samples
    plans = plan_sources(config)
    return open_networks(plans, config, samples, device=torch.device("cpu"), reporter=told)


def test_networks_see_an_image_at_the_same_time(data: Path, few_classes: Path) -> None:
    told = Told()
    weights = (f"I={few_classes}", "P=none", f"Q={few_classes}")
    networks = opened(data, told, weights=weights, network=(NETWORK, "P=resnet18"))
    assert networks.n_classes == (8, 1000, 8)
    assert networks.channels["P"] == {"conv5": 512, "fc": 1000}
    assert len(networks.cuts) == 1  # an image is cut once for all that take it alike
    samples = open_rows(SvdFcCall(data=data)).samples
    (crops,) = load_crops(CropReader(samples, networks.cuts), [range(3)], workers=0)
    found = networks.find(crops)
    assert found["I"]["conv5"].shape[:2] == (3, 1024)
    assert found["I"]["fc"].dtype == torch.float32
    torch.testing.assert_close(found["I"]["fc"], found["Q"]["fc"])
    torch.testing.assert_close(
        found["P"]["fc"][:1], networks.probe["P"]["fc"], atol=1e-5, rtol=1e-4
    )
    assert networks.bases() == {}


@pytest.mark.parametrize("rows", [range(1), range(3, 7), range(9, 10), range(2, 10)])
def test_layers_follow_from_the_image_to_the_last_bit(
    data: Path, few_classes: Path, rows: range
) -> None:
    weights, layers = ("I=none", f"P={few_classes}"), ("conv4", "conv5", "fc")
    network = ("resnet18", f"P={NETWORK}")
    networks = opened(data, Told(), weights=weights, network=network, layers=layers)
    samples = open_rows(SvdFcCall(data=data)).samples
    reader = CropReader(samples, networks.cuts)
    (some,), (every,) = (load_crops(reader, [part], workers=0) for part in (rows, range(10)))
    found, whole = networks.find(some), networks.find(every)
    for source in ("I", "P"):
        for layer in layers:
            expected = whole[source][layer][rows.start : rows.stop]
            torch.testing.assert_close(found[source][layer], expected, rtol=0, atol=0)


def test_more_images_than_a_pass_takes_are_seen_in_several(data: Path, few_classes: Path) -> None:
    networks = opened(data, Told(), weights=(f"I={few_classes}",))
    samples = open_rows(SvdFcCall(data=data)).samples * 4
    reader = CropReader(samples, networks.cuts)
    (crops,) = load_crops(reader, [range(2 * PASS + 1)], workers=0)
    found = networks.find(crops)["I"]["conv5"]
    assert len(found) == 2 * PASS + 1
    torch.testing.assert_close(found[10:20], found[:10], rtol=0, atol=0)


def test_bases_are_kept_by_source(data: Path, few_classes: Path) -> None:
    told = Told()
    networks = opened(data, told, weights=(f"I={few_classes}",), layers=("svd-fc", "random-fc"))
    kept = networks.bases()
    assert {key: values.shape for key, values in kept.items()} == {
        ("I", "svd-fc"): (8, 1024),
        ("I", "random-fc"): (8, 1024),
        ("I", "singular_values"): (8,),
    }


def test_random_networks_differ(data: Path) -> None:
    networks = opened(data, Told(), weights=("I=none", "P=none"))
    assert not torch.allclose(networks.probe["I"]["fc"], networks.probe["P"]["fc"])


def test_the_first_image_that_can_be_read_will_do(data: Path, few_classes: Path) -> None:
    images = sorted(data.rglob("train/*/*.png"))
    images[0].write_bytes(b"no image")
    weights = (f"I={few_classes}",)
    assert opened(data, Told(), weights=weights).channels["I"]["conv5"] == 1024
    for path in data.rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(AttncliError, match=r"no image can be read: .*0\.png"):
        opened(data, Told(), weights=weights)


def test_layers_that_a_network_lacks_are_refused(data: Path) -> None:
    with pytest.raises(UsageError, match="mobilenet_v3_small has no cam"):
        opened(data, Told(), weights=("I=none",), network=("mobilenet_v3_small",), layers=("cam",))


def test_mixed_precision_ends_in_32_bits(data: Path, few_classes: Path) -> None:
    weights = (f"I={few_classes}",)
    exact = opened(data, Told(), weights=weights).probe["I"]["conv5"]
    mixed = opened(data, Told(), weights=weights, precision="bf16").probe["I"]["conv5"]
    assert mixed.dtype == torch.float32
    assert 0 < float((mixed - exact).norm() / exact.norm()) < 0.1
