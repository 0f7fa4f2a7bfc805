from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attncli.config.refine_seeds import PsaSeedsCall, PsaSeedsConfig
from attncli.config.seeds import Background
from attncli.data.images.label_maps import read_label_map
from attncli.data.images.reading import read_rgb
from attncli.data.images.seeds import read_scores
from attncli.data.layouts.voc2012 import CLASSES
from attncli.errors import AttncliError
from attncli.files.hashes import sha256_of
from attncli.files.label_maps import IGNORE_LABEL
from attncli.files.runs import load
from attncli.files.score_maps import read_score_maps, write_score_maps
from attncli.files.seeds import open_seeds
from attncli.methods.ssdd.pairs import Graph
from attncli.methods.ssdd.random_walk import Walk, walk_image
from attncli.reporting import Outcome, Silent
from attncli.workflows.refine_seeds.psa import refine_by_psa
from attncli.workflows.runs.network import open_network
from tests.support.runs import make_run
from tests.support.seeds import CAT, DOG, SIZES, contents, write_list, write_seeds, write_voc


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "VOC2012")


@pytest.fixture
def cams(tmp_path: Path) -> Path:
    return write_seeds(tmp_path / "cams", background=False)


@pytest.fixture
def run(tmp_path: Path, voc: Path, cams: Path) -> Path:
    return make_run(tmp_path / "run", "psa", voc, CLASSES, cams=cams)


def refine(run: Path, voc: Path, cams: Path, out: Path, **changes: Any) -> Outcome:
    ways = {"dry_run": False, "overwrite": False, "resume": False}
    ways |= {name: changes.pop(name) for name in list(changes) if name in ways}
    config = PsaSeedsConfig(run=run, cams=cams, log2_steps=3, **changes)
    call = PsaSeedsCall(data=voc, out=out, device="cpu")
    return refine_by_psa(config, call, **ways, reporter=Silent())


def test_scores_walk_as_the_network_says(run: Path, voc: Path, cams: Path, tmp_path: Path) -> None:
    outcome = refine(run, voc, cams, tmp_path / "out", background_power=2.0)
    assert (outcome.rows[0]["images"], outcome.failures) == (len(SIZES), [])
    found = open_seeds(tmp_path / "out", classes=CLASSES)
    weights = sha256_of(run / "model.safetensors")
    assert found.parents == {"weights": weights, "cams": open_seeds(cams).sha256}
    network = open_network(load(run), device=torch.device("cpu"))
    given = read_scores(open_seeds(cams), "a", background=Background(background_power=2.0))
    image = read_rgb(voc / "JPEGImages" / "a.png")
    walk = Walk(Graph(radius=2, compat_reference=False), 8.0, 3)
    expected = walk_image(network, image, given.scores, walk, device=torch.device("cpu"))
    written = read_score_maps(found.path, "a")
    assert written.classes.tolist() == [0, CAT, DOG]
    np.testing.assert_allclose(written.scores, expected, atol=1e-3)


def test_an_image_of_background_alone_or_of_one_pixel_passes(
    run: Path, voc: Path, cams: Path, tmp_path: Path
) -> None:
    refine(run, voc, cams, tmp_path / "out")
    plain = read_score_maps(tmp_path / "out", "plain")
    assert (plain.classes.tolist(), plain.scores.shape) == ([0], (1, 20, 12))
    assert (read_label_map(tmp_path / "out" / "plain.png", n_classes=20) == 0).all()
    assert read_score_maps(tmp_path / "out", "one").scores.shape == (2, 1, 1)


def test_the_order_of_the_list_and_an_interruption_change_no_file(
    run: Path, voc: Path, cams: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    refine(run, voc, cams, out)
    whole = contents(out)
    for name in ("b.c.png", "one.png", "one.npz", "seeds.toml"):
        (out / name).unlink()
    write_list(voc, list(SIZES)[::-1])
    refine(run, voc, cams, out, resume=True)
    assert contents(out) == whole


def test_bad_maps_are_named_and_the_others_are_done(
    run: Path, voc: Path, cams: Path, tmp_path: Path
) -> None:
    write_score_maps(cams, "b.c", np.array([DOG]), np.zeros((1, 16, 16), np.float32))
    (cams / "one.npz").write_bytes(b"PK")
    write_score_maps(cams, "a", np.array([CAT]), np.zeros((1, 16, 26), np.float32))
    outcome = refine(run, voc, cams, tmp_path / "out")
    problems = {failure.id: failure.error for failure in outcome.failures}
    assert list(problems) == ["a", "b.c", "one"]
    assert "a.npz: is of an image of 26x16 pixels, this one has 26x18" in problems["a"]
    assert "b.c.npz: holds dog" in problems["b.c"]
    assert {p.name for p in (tmp_path / "out").rglob("*.png")} == {"ü.png", "plain.png"}


def test_a_run_of_another_method_is_refused(voc: Path, cams: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "cam", "cam", voc, CLASSES)
    with pytest.raises(AttncliError, match="is a run of cam; name a run of psa"):
        refine(other, voc, cams, tmp_path / "out")
    with pytest.raises(AttncliError, match=r"no class activation maps of split 'train'"):
        run = make_run(tmp_path / "run", "psa", voc, CLASSES, cams=cams)
        refine(run, voc, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_dry_run_counts_and_touches_nothing(
    run: Path, voc: Path, cams: Path, tmp_path: Path
) -> None:
    (cams / "one.npz").unlink()
    before = contents(tmp_path)
    (row,) = refine(run, voc, cams, tmp_path / "out", dry_run=True).rows
    assert (row["images"], row["no_seed"], row["finished"]) == (len(SIZES), 1, 0)
    assert contents(tmp_path) == before


def test_what_scores_nothing_is_of_no_class(
    run: Path, voc: Path, cams: Path, tmp_path: Path
) -> None:
    write_score_maps(cams, "b.c", np.array([0, CAT]), np.zeros((2, 16, 16), np.float32))
    refine(run, voc, cams, tmp_path / "out")
    found = read_scores(open_seeds(tmp_path / "out"), "b.c", background=Background())
    assert (found.label_map == IGNORE_LABEL).all()
