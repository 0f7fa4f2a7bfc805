import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.commands.refine_seeds import SUBCOMMANDS
from attncli.config.crf import CrfConfig
from attncli.config.refine_seeds import (
    CrfSeedsCall,
    CrfSeedsConfig,
    PsaSeedsConfig,
    SsddSeedsCall,
    SsddSeedsConfig,
)
from attncli.data.layouts.voc2012 import CLASSES
from attncli.files.failures import read_failures
from tests.support.runs import make_run
from tests.support.seeds import CAT, SIZES, contents, write_list, write_seeds, write_voc

Run = Callable[..., Any]
CRF = ("refine-seeds", "crf", "--device", "cpu", "-j", "1", "--crf-iterations", "1")


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    return write_voc(tmp_path / "VOC2012")


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return write_seeds(tmp_path / "psa")


def test_options_become_settings(told: Callable[..., Any]) -> None:
    words = ("runs/psa", "--cams", "runs/cam", "--affinity-power", "4", "--background-score", ".2")
    assert told(PsaSeedsConfig, *words) == PsaSeedsConfig(
        run=Path("runs/psa"), cams=Path("runs/cam"), affinity_power=4.0, background_score=0.2
    )
    words = ("--seeds", "s", "--crf-iterations", "3", "--crf-backend", "torch")
    found = told(CrfSeedsConfig, *words)
    assert isinstance(found, CrfConfig)
    assert (found.seeds, found.crf_iterations, found.crf_backend) == (Path("s"), 3, "torch")
    words = ("r", "--knowledge", "k", "--advice", "a", "--advice-bias", "-0.2", "--no-flip")
    found = told(SsddSeedsConfig, *words)
    assert (found.knowledge, found.advice_bias, found.flip) == (Path("k"), -0.2, False)
    assert told(SsddSeedsCall, "--data", "d").out == Path("seeds/ssdd")
    call = told(CrfSeedsCall, "--data", "d", "-o", "x", "-j", "2", "--split", "val")
    assert call == CrfSeedsCall(data=Path("d"), out=Path("x"), workers=2, split="val")


def test_every_subcommand_has_an_example(run_cli: Run) -> None:
    answer = run_cli("refine-seeds", "--help")
    for name in SUBCOMMANDS:
        assert name in answer.stdout
        page = run_cli("refine-seeds", name, "--help")
        assert (page.exit_code, f"attncli refine-seeds {name}" in page.stdout) == (0, True)


def test_seeds_are_written_and_counted(
    voc: Path, seeds: Path, tmp_path: Path, run_cli: Run
) -> None:
    out = tmp_path / "out"
    words = (*CRF, "--data", voc, "--seeds", seeds, "-o", out)
    answer = run_cli(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["run"], row["method"], row["images"], row["failed"]) == (str(out), "crf", 5, 0)
    assert str(out) in answer.stderr
    assert run_cli(*words).exit_code == 1
    assert run_cli(*words, "--resume").exit_code == 0
    assert run_cli(*words, "--overwrite").exit_code == 0


def test_a_relative_place_is_the_same_from_elsewhere(
    voc: Path, seeds: Path, tmp_path: Path, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run_cli(*CRF, "--data", voc.name, "--seeds", seeds.name, "-o", "out")
    assert answer.exit_code == 0, answer.stderr
    before = contents(tmp_path / "out")
    monkeypatch.chdir(voc)
    answer = run_cli(*CRF, "--data", ".", "--seeds", "../psa", "-o", "../out", "--resume")
    assert answer.exit_code == 0, answer.stderr
    assert contents(tmp_path / "out") == before


def test_a_bad_file_is_named_and_the_others_are_written(
    voc: Path, seeds: Path, tmp_path: Path, run_cli: Run
) -> None:
    scores = np.full((2, *SIZES["b.c"]), np.nan, np.float16)
    np.savez(seeds / "b.c.npz", classes=np.array([0, CAT]), scores=scores)
    answer = run_cli(*CRF, "--data", voc, "--seeds", seeds, "-o", tmp_path / "out")
    assert answer.exit_code == 3
    assert "1 could not be used: " in answer.stderr
    assert "b.c.npz: row 0: a value is not finite" in answer.stderr
    assert [f.id for f in read_failures(tmp_path / "out" / "failures.jsonl")] == ["b.c"]
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.png")}
    assert names == {"a.png", "deep/ü.png", "one.png", "plain.png"}


def test_a_dry_run_touches_nothing(voc: Path, seeds: Path, tmp_path: Path, run_cli: Run) -> None:
    run = make_run(tmp_path / "run", "ssdd", voc, CLASSES, knowledge=seeds, advice=seeds)
    before = contents(tmp_path)
    pair = ("--knowledge", seeds, "--advice", seeds)
    for words in (
        (*CRF, "--seeds", seeds),
        ("refine-seeds", "ssdd", run, *pair, "--device", "cpu"),
    ):
        words = (*words, "--data", voc, "-o", tmp_path / "out", "--dry-run", "--json")
        answer = run_cli(*words)
        assert answer.exit_code == 0, answer.stderr
        assert json.loads(answer.stdout)[0]["images"] == len(SIZES)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--split", "everything"), 2, "--split"),
        (("--layout", "x"), 2, "--layout: no such layout: 'x'"),
        (("--train-list", "x"), 2, "--train-list"),
        (("--workers", "0"), 2, "--workers"),
        (("--crf-iterations", "-1"), 2, "--crf-iterations"),
        (("--crf-backend", "gpu"), 2, "--crf-backend"),
        (("--background-score", "2"), 2, "--background-score"),
        (("--bilateral-px", "0"), 2, "--bilateral-px: must be positive"),
        (("--split", "val"), 1, "holds no seed of any of the 1 images, such as other"),
        (("--split", "test"), 1, "has no list of split 'test'"),
        (("--seeds", "nowhere"), 1, "nowhere: holds no seeds.toml"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_nothing_is_written(
    voc: Path,
    seeds: Path,
    tmp_path: Path,
    run_cli: Run,
    options: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    (voc / "JPEGImages" / "other.png").write_bytes((voc / "JPEGImages" / "a.png").read_bytes())
    write_list(voc, ["other"], "val")
    out = tmp_path / "out"
    answer = run_cli(*CRF, "--data", voc, "--seeds", seeds, "-o", out, *options)
    assert (answer.exit_code, answer.stdout) == (code, ""), answer.stderr
    assert message in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert not out.exists()
