"""Features of a few images, by networks of random weights."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from attncli.errors import AttncliError, UsageError
from attncli.files.feature_rows import FeatureRows
from attncli.files.features import holds_features, open_features
from attncli.files.hashes import sha256_of
from attncli.training.distributed import World
from attncli.workflows.svd_fc import extraction, room
from attncli.workflows.svd_fc.networks import Networks
from tests.support.people import make_people_images
from tests.support.reporters import Told
from tests.support.runs import make_run
from tests.support.seeds import contents
from tests.workflows.svd_fc.conftest import NETWORK, Extract

VECTORS = ("conv5", "fc", "svd-fc", "random-fc")
TWO: dict[str, Any] = {"weights": ("I=few", "P=few"), "layers": ("conv5", "fc")}


OF_TWO_KINDS: dict[str, Any] = {
    "weights": ("I=few", "P=none"),
    "network": (NETWORK, "P=resnet18"),
    "layers": ("conv5", "svd-fc", "svd-cam"),
}


def by_id(path: Path, source: str, layer: str) -> dict[str, np.ndarray]:
    """Return the features of each image by its id."""
    found = open_features(path)
    return dict(zip(found.ids, found.open(source, layer), strict=True))


def test_a_directory_has_a_row_an_image(
    go: Extract, tmp_path: Path, data: Path, few_classes: Path
) -> None:
    told = Told()
    outcome = go(tmp_path / "out", reporter=told)
    found = open_features(tmp_path / "out")
    assert found.ids[:4] == ("train/a/0", "train/a/1", "train/a/2", "train/b/0")
    assert found.splits == ("train",) * 6 + ("val",) * 4
    assert found.labels == ("a",) * 3 + ("b",) * 3 + ("a", "a", "b", "b")
    assert (found.classes, found.sources, found.layers) == (("a", "b"), ("I",), VECTORS)
    assert {layer: found.open("I", layer).shape for layer in VECTORS} == {
        "conv5": (10, 1024),
        "fc": (10, 8),
        "svd-fc": (10, 8),
        "random-fc": (10, 8),
    }
    assert found.settings["data"] == str(data.resolve())
    assert found.settings["sources"]["I"] | {"mean": 0, "std": 0} == {
        "network": NETWORK,
        "weights": str(few_classes),
        "weights_sha256": sha256_of(few_classes),
        "classes": 8,
        "resize_px": 70,
        "crop_px": 64,
        "interpolation": "bilinear",
        "mean": 0,
        "std": 0,
    }
    (row,) = outcome.rows
    assert (row["images"], row["failed"], outcome.failures) == (10, 0, [])
    assert 0 < row["sigma2_80_percent"] <= row["sigma_80_percent"] < 100  # type: ignore[operator]
    assert told.notes[-1] == f"features are in {tmp_path / 'out'}"
    assert not list((tmp_path / "out").rglob(".*"))


def test_svd_fc_is_the_kept_basis_on_the_pooled_map(go: Extract, tmp_path: Path) -> None:
    go(tmp_path / "out")
    found = open_features(tmp_path / "out")
    for layer in ("svd-fc", "random-fc"):
        expected = found.open("I", "conv5").astype(np.float64) @ found.bases()["I", layer].T
        np.testing.assert_allclose(found.open("I", layer), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pool", ["gap", "mpn-cbp", "none"])
def test_features_follow_from_the_image_alone(
    go: Extract, tmp_path: Path, data: Path, pool: str
) -> None:
    ways = {**OF_TWO_KINDS, "pool": pool, "sketch_dim": 64}
    go(tmp_path / "four", **ways)
    go(tmp_path / "one", batch_size=1, **ways)
    go(tmp_path / "all", batch_size=64, workers=1, **ways)
    other = tmp_path / "other"  # the same images in another order, some of them gone
    shutil.copytree(data, other)
    shutil.rmtree(other / "train" / "a")
    (other / "test" / "0").mkdir()  # a class before the others
    shutil.copy(data / "train" / "a" / "0.png", other / "test" / "0" / "0.png")
    go(tmp_path / "fewer", data=other, **{**ways, "source_scale": "none"})
    for source in ("I", "P"):
        for layer in ways["layers"]:
            four = by_id(tmp_path / "four", source, layer)
            for name in ("one", "all", "fewer"):
                for image_id, values in by_id(tmp_path / name, source, layer).items():
                    own = "train/a/0" if image_id == "test/0/0" else image_id
                    np.testing.assert_allclose(values, four[own], rtol=0, atol=1e-5)


def test_the_order_of_files_does_not_matter(go: Extract, tmp_path: Path, data: Path) -> None:
    parts = {"train": "train", "test": "val"}
    lines = [
        f"{part}/{path.parent.name}/{path.stem},{path},{path.parent.name},{split}\n"
        for part, split in parts.items()
        for path in sorted((data / part).rglob("*.png"))
    ]
    for name, rows in (("forth", lines), ("back", lines[::-1])):
        table = tmp_path / f"{name}.csv"
        table.write_text("id,path,label,split\n" + "".join(rows))
        ways = {**OF_TWO_KINDS, "pool": "mpn-cbp", "sketch_dim": 64}
        go(tmp_path / name, data=table, **ways)
    assert open_features(tmp_path / "forth").ids != open_features(tmp_path / "back").ids
    for source in ("I", "P", "I+P"):
        for layer in OF_TWO_KINDS["layers"]:
            forth = by_id(tmp_path / "forth", source, layer)
            back = by_id(tmp_path / "back", source, layer)
            for image_id, values in forth.items():
                np.testing.assert_allclose(back[image_id], values, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("after", "failing"), [(0, False), (1, False), (2, True)])
def test_an_interrupted_call_ends_as_one_that_was_not(
    go: Extract, tmp_path: Path, data: Path, monkeypatch: Any, after: int, failing: bool
) -> None:
    ways = {**TWO, "pool": "mpn-cbp", "sketch_dim": 32}
    if failing:
        (data / "train" / "b" / "1.png").write_bytes(b"no image")
    go(tmp_path / "whole", **ways)
    calls, write = [0], FeatureRows.write

    def stops(self: FeatureRows, first: int, *rest: Any) -> None:
        if calls[0] == after:
            raise KeyboardInterrupt
        calls[0] += 1
        write(self, first, *rest)

    monkeypatch.setattr(FeatureRows, "write", stops)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "out", **ways)
    monkeypatch.undo()
    assert not holds_features(tmp_path / "out")
    with pytest.raises(AttncliError, match="not finished"):
        open_features(tmp_path / "out")
    outcome = go(tmp_path / "out", resume=True, **ways)
    assert len(outcome.failures) == int(failing)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("failing", [False, True])
def test_a_call_interrupted_while_it_finishes_can_be_gone_on_with(
    go: Extract, tmp_path: Path, data: Path, monkeypatch: Any, failing: bool
) -> None:
    if failing:
        (data / "train" / "b" / "1.png").write_bytes(b"no image")
    go(tmp_path / "whole")

    def stops(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(extraction, "complete", stops)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "out")
    monkeypatch.undo()
    go(tmp_path / "out", resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_what_is_whole_is_left_alone(go: Extract, tmp_path: Path, monkeypatch: Any) -> None:
    first = go(tmp_path / "out")
    before = contents(tmp_path / "out")
    monkeypatch.setattr(extraction, "open_networks", None)
    outcome = go(tmp_path / "out", resume=True)
    assert contents(tmp_path / "out") == before
    assert outcome.rows == [first.rows[0] | {"images_per_sec": None}]
    with pytest.raises(AttncliError, match="made otherwise: seed"):
        go(tmp_path / "out", resume=True, seed=3)
    with pytest.raises(AttncliError, match="made otherwise: sources"):
        go(tmp_path / "out", resume=True, weights=("J=few",))
    with pytest.raises(AttncliError, match="exists already"):
        go(tmp_path / "out")


def test_files_of_others_are_not_written_between(go: Extract, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(AttncliError, match="holds no features to go on with"):
        go(tmp_path / "out", resume=True)
    with pytest.raises(AttncliError, match="is not an output of attncli"):
        go(tmp_path / "out", overwrite=True)
    assert set(contents(tmp_path / "out")) == {"letter.txt"}


def test_overwriting_begins_anew(go: Extract, tmp_path: Path) -> None:
    go(tmp_path / "out", layers=("conv4",))
    go(tmp_path / "out", layers=("fc",), overwrite=True)
    assert [path.name for path in (tmp_path / "out" / "I").iterdir()] == ["fc.npy"]


def test_images_that_cannot_be_read_are_named(go: Extract, tmp_path: Path, data: Path) -> None:
    go(tmp_path / "whole")
    (data / "train" / "a" / "1.png").write_bytes(b"no image")
    (data / "test" / "b" / "1.png").write_bytes((data / "train/a/2.png").read_bytes()[:300])
    outcome = go(tmp_path / "out")
    assert [failure.id for failure in outcome.failures] == ["test/b/1", "train/a/1"]
    assert (outcome.rows[0]["images"], outcome.rows[0]["failed"]) == (8, 2)
    found = by_id(tmp_path / "out", "I", "fc")
    assert open_features(tmp_path / "out").n_failed == 2
    whole = by_id(tmp_path / "whole", "I", "fc")
    assert set(whole) - set(found) == {"test/b/1", "train/a/1"}
    for image_id, values in found.items():
        np.testing.assert_allclose(values, whole[image_id], atol=1e-5)


def test_features_that_are_not_finite_are_left_out(
    go: Extract, tmp_path: Path, monkeypatch: Any
) -> None:
    find = Networks.find

    def spoils(self: Networks, crops: Any) -> Any:
        found = find(self, crops)
        if crops.first == 4:
            spoilt = found["I"]["fc"].clone()
            spoilt[1, 7] = torch.nan
            return {"I": {**found["I"], "fc": spoilt}}
        return found

    monkeypatch.setattr(Networks, "find", spoils)
    outcome = go(tmp_path / "out")
    (failure,) = outcome.failures
    assert (failure.id, failure.error) == ("train/b/2", "its features I/fc are not finite")
    assert len(open_features(tmp_path / "out").ids) == 9


def test_no_image_at_all_is_an_error(go: Extract, tmp_path: Path, data: Path) -> None:
    for path in data.rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(AttncliError, match="no image can be read"):
        go(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_of_another_architecture_write_nothing(go: Extract, tmp_path: Path) -> None:
    torch.save(resnet18().state_dict(), tmp_path / "r18.pth")
    with pytest.raises(AttncliError, match=r"layer1|conv1\.0|another architecture"):
        go(tmp_path / "out", weights=(f"I={tmp_path / 'r18.pth'}",))
    assert not (tmp_path / "out").exists()


def test_a_file_of_other_classes_is_taken(go: Extract, tmp_path: Path) -> None:
    state = {f"module.{k}": v for k, v in resnet18(num_classes=7).state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "places.pth")
    weights = (f"P={tmp_path / 'places.pth'}",)
    outcome = go(tmp_path / "out", weights=weights, network=("resnet18",), layers=("svd-fc",))
    assert open_features(tmp_path / "out").open("P", "svd-fc").shape == (10, 7)
    assert outcome.rows[0]["classes"] == 7
    about = open_features(tmp_path / "out").settings["sources"]["P"]
    assert len(about["weights_sha256"]) == 64


def test_a_dry_run_touches_nothing(go: Extract, tmp_path: Path, data: Path) -> None:
    before = contents(tmp_path)
    outcome = go(tmp_path / "out", dry_run=True, **TWO)
    assert contents(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert [(r["source"], r["images"], r["finished"]) for r in outcome.rows] == [
        ("I", 10, 0),
        ("P", 10, 0),
    ]
    with pytest.raises(UsageError, match="no such layer: 'conv9'"):
        go(tmp_path / "out", dry_run=True, layers=("conv9",))


def test_a_dry_run_refuses_what_extracting_would(
    go: Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    torch.save(resnet18(num_classes=7).state_dict(), tmp_path / "r18.pth")
    with pytest.raises(AttncliError, match=r"layer1|conv1\.0|another architecture"):
        go(out, weights=(f"I={tmp_path / 'r18.pth'}",), dry_run=True)
    with monkeypatch.context() as patch, pytest.raises(AttncliError, match="GiB on disk"):
        patch.setattr("attncli.workflows.svd_fc.room.free_disk_bytes", lambda _: 10)
        go(out, dry_run=True, **TWO)
    go(out, **TWO)
    before = contents(out)
    with pytest.raises(AttncliError, match="exists already"):
        go(out, dry_run=True, **TWO)
    with pytest.raises(AttncliError, match="made otherwise: layers"):
        go(out, dry_run=True, resume=True, **TWO | {"layers": ("fc",)})
    assert [row["finished"] for row in go(out, dry_run=True, resume=True, **TWO).rows] == [10, 10]
    assert [row["finished"] for row in go(out, dry_run=True, overwrite=True, **TWO).rows] == [0, 0]
    assert contents(out) == before


def test_networks_of_different_maps_are_fused(go: Extract, tmp_path: Path) -> None:
    ways: dict[str, Any] = {"pool": "mpn-cbp", "sketch_dim": 48, "layers": ("conv4", "fc")}
    networks = (NETWORK, "P=resnet18")
    go(tmp_path / "out", weights=("I=few", "P=none"), network=networks, **ways)
    found = open_features(tmp_path / "out")
    assert found.fusions == ("I+P",)
    for source in ("I", "P", "I+P"):
        for layer in ("conv4", "fc"):
            values = found.open(source, layer)
            assert values.shape == (10, 48)
            np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, rtol=1e-5)
    scales = found.settings["scales"]
    assert set(scales) == {"conv4", "fc"}
    assert set(scales["conv4"]) == {"I", "P"}
    with np.load(tmp_path / "out" / "sketch.npz") as sketches:
        width = sketches["I+P/conv4/hashes"].shape[1]
        parts = (sketches[f"{name}/conv4/hashes"].shape[1] for name in ("I", "P"))
        assert width == sum(parts)


def test_recorded_scales_bring_sources_to_one_norm(go: Extract, tmp_path: Path) -> None:
    weights = ("I=few", "P=none")
    ways = {**TWO, "weights": weights, "network": (NETWORK, "P=resnet18")}
    go(tmp_path / "out", pool="mpn-cbp", sketch_dim=16, **ways)
    go(tmp_path / "maps", pool="none", **ways)
    scales, maps = open_features(tmp_path / "out").settings["scales"], tmp_path / "maps"
    train = np.array(open_features(maps).splits) == "train"
    for layer in ("conv5", "fc"):
        means = []
        for source in ("I", "P"):
            values = open_features(maps).open(source, layer)[train].astype(np.float64)
            cells = values[0, 0].size
            frobenius = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1) / cells)
            means.append(scales[layer][source] * frobenius.mean())
        assert means[0] == pytest.approx(means[1], rel=1e-4)
    go(tmp_path / "plain", pool="mpn-cbp", sketch_dim=16, source_scale="none", **ways)
    assert open_features(tmp_path / "plain").settings["scales"]["fc"] == {"I": 1.0, "P": 1.0}


def test_maps_are_kept_as_they_are_and_their_mean_is_gap(go: Extract, tmp_path: Path) -> None:
    layers = ("cam", "svd-cam", "random-cam", "conv5")
    go(tmp_path / "maps", pool="none", layers=layers)
    go(tmp_path / "gap", layers=(*layers, "fc", "svd-fc"))
    maps, gap = open_features(tmp_path / "maps"), open_features(tmp_path / "gap")
    assert maps.open("I", "conv5").shape == (10, 1024, 2, 2)
    for layer in layers:
        mean = maps.open("I", layer).mean(axis=(2, 3))
        np.testing.assert_allclose(mean, gap.open("I", layer), atol=1e-5)
    np.testing.assert_allclose(gap.open("I", "svd-cam"), gap.open("I", "svd-fc"), atol=1e-5)
    np.testing.assert_allclose(gap.open("I", "cam"), gap.open("I", "fc"), atol=1e-5)


def test_a_run_of_cam_is_a_source(go: Extract, tmp_path: Path, data: Path) -> None:
    large = dict.fromkeys(("crop_px", "long_side_min_px", "long_side_max_px"), 64)
    run = make_run(tmp_path / "cam", "cam", data, classes=("a", "b", "c"), **large)
    layers = ("conv5", "fc", "svd-fc", "cam", "svd-cam")
    ways = {"network": ("resnet50",), "resize_px": None, "crop_px": None}
    outcome = go(tmp_path / "out", weights=(f"O={run}",), layers=layers, **ways)
    found = open_features(tmp_path / "out")
    assert found.open("O", "svd-cam").shape == (10, 3)
    np.testing.assert_allclose(found.open("O", "cam"), found.open("O", "fc"), atol=1e-5)
    about = found.settings["sources"]["O"]
    assert (about["network"], about["classes"], about["crop_px"]) == (NETWORK, 3, 64)
    assert about["class_names"] == ["a", "b", "c"]
    assert outcome.rows[0]["network"] == NETWORK


def test_processes_share_the_images(go: Extract, tmp_path: Path, monkeypatch: Any) -> None:
    """Two processes, one after the other: the second finds what the first has begun."""
    ways = {**TWO, "pool": "mpn-cbp", "sketch_dim": 32, "batch_size": 3}
    go(tmp_path / "whole", **ways)
    share = World.share
    monkeypatch.setattr(World, "share", lambda self, items: list(items[1::2]))
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(extraction, "_finish", _interrupt)
        go(tmp_path / "out", **ways)
    done = np.load(tmp_path / "out" / ".unfinished" / "done.npy")
    assert done.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1]
    monkeypatch.setattr(World, "share", share)
    go(tmp_path / "out", resume=True, **ways)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_two_processes_write_what_one_does(tmp_path: Path, data: Path, few_classes: Path) -> None:
    words = ["svd-fc", str(data), "--weights", f"I={few_classes}", "--network", NETWORK]
    words += ["--weights", f"P={few_classes}", "--layers", "conv5,svd-fc", "--pool", "mpn-cbp"]
    words += ["--sketch-dim", "32", "--crop-px", "64", "--batch-size", "3", "--device", "cpu"]
    one = [sys.executable, "-m", "attncli"]
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for name, call in (("one", one), ("two", [*two, "-m", "attncli"])):
        out = ["-o", str(tmp_path / name)]
        subprocess.run([*call, *words, *out], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_a_network_of_people_gives_maps_and_stripes(go: Extract, tmp_path: Path) -> None:
    people = make_people_images(tmp_path / "people")
    run = make_run(tmp_path / "pcb", "pcb", people, ("7", "8"))
    own: dict[str, Any] = {"data": people, "weights": (str(run),), "network": (NETWORK,)}
    own |= {"resize_px": None, "crop_px": None, "pool": "none"}
    (row,) = go(tmp_path / "f", layers=("conv4", "conv5", "stripes"), **own).rows
    assert (row["source"], row["network"], row["classes"]) == ("I", NETWORK, 2)
    found = open_features(tmp_path / "f")
    shapes = {layer: found.open("I", layer).shape for layer in found.layers}
    assert shapes == {"conv4": (8, 96, 6, 2), "conv5": (8, 192, 6, 2), "stripes": (8, 1152)}
    assert found.roles.count("query") == 2
    assert found.cameras[:2] == ("1", "2")
    assert found.settings["sources"]["I"]["whole_hw"] == [96, 32]
    again = go(tmp_path / "f", layers=("conv4", "conv5", "stripes"), resume=True, **own)
    assert again.rows[0]["images_per_sec"] is None
    with pytest.raises(UsageError, match="--layers fc: no such layer of a network of people"):
        go(tmp_path / "g", layers=("fc",), **own)


def test_a_network_of_people_needs_no_layers_named(go: Extract, tmp_path: Path) -> None:
    people = make_people_images(tmp_path / "people")
    run = make_run(tmp_path / "pcb", "pcb", people, ("7", "8"))
    own: dict[str, Any] = {"data": people, "weights": (str(run),), "network": (NETWORK,)}
    (row,) = go(tmp_path / "f", resize_px=None, crop_px=None, **own).rows
    assert row["layers"] == "conv5,stripes"
    assert open_features(tmp_path / "f").settings["layers"] == ["conv5", "stripes"]


def test_features_that_do_not_go_on_the_disk_are_refused_before_they_are_begun(
    go: Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_disk_bytes", lambda _: 10 * 1024 * 4 - 1)
    with pytest.raises(AttncliError, match=r"out: features take 0.000 GiB on disk, and 0.000 are"):
        go(tmp_path / "out", layers=("conv5",))
    assert not (tmp_path / "out" / "config.toml").exists()
    monkeypatch.setattr(room, "free_disk_bytes", lambda _: 10 * 1024 * 4)
    go(tmp_path / "out", layers=("conv5",), resume=True)


def test_layers_of_people_are_no_others_layers(go: Extract, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--layers: no such layer: 'stripes'"):
        go(tmp_path / "f", layers=("stripes",))
